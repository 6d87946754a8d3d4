//! The writer of a log: a thread that writes whole lines, many at a time.
//!
//! When the place takes nothing, as on a full disk, the rest of the lines is kept and tried again: a line that was cut goes on
//! where it was. Meanwhile the queue fills, and drops what is beyond its limit.

use super::json::append_line;
use super::place::{LogPlace, Output};
use super::queue::{Batch, Pause, Queue, count};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// The time between two tries to write.
const RETRY: Duration = Duration::from_secs(1);

/// The writer of a log, to be run on a thread of its own.
#[derive(Debug)]
pub struct Writer {
    /// The name of the log.
    pub name: &'static str,
    /// The place, to open it anew.
    pub place: LogPlace,
    /// The open place.
    pub output: Output,
    /// The queue of lines.
    pub queue: Arc<Queue>,
    /// The lines that were cut, and are to be told of.
    pub cut: u64,
}

/// The line that tells how many others are missing.
#[derive(Serialize)]
struct Dropped {
    time: String,
    log: &'static str,
    event: &'static str,
    lines: u64,
}

impl Writer {
    /// Writes lines until the queue is closed.
    pub fn run(mut self) {
        let mut spare = Vec::new();
        while let Some(batch) = self.queue.take(std::mem::take(&mut spare)) {
            let Batch { mut lines, dropped, waiting, reopens } = batch;
            if reopens {
                self.reopen();
            }
            let missing = dropped + std::mem::take(&mut self.cut);
            if missing > 0 {
                let (time, event) = (super::now(), "dropped");
                self.queue.count_line();
                append_line(&mut lines, &Dropped { time, log: self.name, event, lines: missing });
            }
            if self.write(&lines, waiting) {
                lines.clear();
                spare = lines;
            }
        }
    }

    /// Writes lines, and tells those who wait: at once, also if the lines cannot be written. Tries again until they are, or the
    /// queue is closed. Reports whether they are written.
    fn write(&mut self, lines: &[u8], waiting: Vec<tokio::sync::oneshot::Sender<()>>) -> bool {
        let (mut written, mut error) = self.output.write(lines);
        if error.is_none() {
            self.queue.set_stuck(false);
            for waits in waiting {
                let _ = waits.send(());
            }
            return true;
        }
        self.queue.set_stuck(true);
        drop(waiting);
        if let Some(error) = &error {
            tracing::error!(
                "the {} log {} takes no lines, and misses those that find no room: {error}",
                self.name,
                self.place
            );
        }
        while error.is_some() {
            match self.queue.pause(RETRY) {
                Pause::Over => {}
                Pause::Reopens => {
                    written += self.skip_cut_line(lines, written);
                    self.reopen();
                }
                Pause::Closed => {
                    self.queue.count_dropped(lines.get(written..).map_or(0, count));
                    return false;
                }
            }
            let (more, next) = self.output.write(lines.get(written..).unwrap_or_default());
            (written, error) = (written + more, next);
        }
        self.queue.set_stuck(false);
        tracing::info!("the {} log {} takes lines again", self.name, self.place);
        true
    }

    /// Returns the length of what is left of a line that was cut: it cannot go on in another file.
    fn skip_cut_line(&mut self, lines: &[u8], written: usize) -> usize {
        let (before, rest) = lines.split_at_checked(written).unwrap_or((lines, b""));
        if before.last().is_none_or(|byte| *byte == b'\n') {
            return 0;
        }
        self.cut += 1;
        self.queue.count_dropped(1);
        rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1)
    }

    fn reopen(&mut self) {
        match self.place.open() {
            Ok(output) => self.output = output,
            Err(error) => tracing::error!("the {} log goes on in its earlier file: {}: {error}", self.name, self.place),
        }
    }
}
