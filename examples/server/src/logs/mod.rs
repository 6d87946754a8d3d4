//! The access log and the audit log: lines of JSON, written by a thread of their own.
//!
//! Reading order: [`json`] writes a line that nothing in a request can break; the [`queue`] holds lines up to a limit; the
//! [`writer`] writes them to their [`place`]. What lines say is decided in [`http`](crate::http).
//!
//! Serving never waits for a disk here. [`Log::push`] only queues; [`Log::write`] waits until its lines are written, but at
//! most [`LONGEST_WAIT`], and not at all while the place takes nothing. Lines beyond the limit of the queue are dropped, and
//! the log itself says how many.

pub mod json;
mod place;
mod queue;
mod writer;

pub use place::LogPlace;

use crate::metrics::LogMetrics;
use place::Output;
use queue::Queue;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;
use writer::Writer;

/// The longest time for which a response waits until its lines are written.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// The time that the last lines have when the server ends.
const LAST_LINES: Duration = Duration::from_secs(2);

/// A log.
#[derive(Debug)]
pub struct Log {
    queue: Arc<Queue>,
    ended: std::sync::Mutex<Receiver<()>>,
}

impl Log {
    /// Opens a log of this name, and starts its thread.
    ///
    /// # Errors
    ///
    /// That of the system, if the file cannot be opened or the thread not be started.
    pub fn open(name: &'static str, place: &LogPlace, metrics: LogMetrics) -> io::Result<Self> {
        Self::start(name, place, place.open()?, metrics)
    }

    /// Starts the thread of a log whose place is open.
    fn start(name: &'static str, place: &LogPlace, output: Output, metrics: LogMetrics) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(metrics));
        let writer = Writer { name, output, place: place.clone(), queue: queue.clone(), cut: 0 };
        let (end, ended) = sync_channel(1);
        let run = move || {
            writer.run();
            let _ = end.send(());
        };
        std::thread::Builder::new().name(format!("{name}-log")).spawn(run)?;
        Ok(Self { queue, ended: ended.into() })
    }

    /// Queues lines, each with its end, and does not wait. If there is no room for all of them, none is written.
    pub fn push(&self, lines: &[u8]) {
        self.queue.push(lines, None);
    }

    /// Queues lines likewise, and waits until they are written to the place, or cannot be.
    ///
    /// Written means handed to the system: a kill of the process keeps them, a loss of power may not.
    pub async fn write(&self, lines: &[u8]) {
        if self.queue.is_stuck() {
            return self.push(lines);
        }
        let (written, is_written) = oneshot::channel();
        self.queue.push(lines, Some(written));
        if tokio::time::timeout(LONGEST_WAIT, is_written).await.is_err() {
            self.queue.set_stuck(true);
        }
    }

    /// Opens the file anew, if the log is one, for a program that has renamed it.
    pub fn reopen(&self) {
        self.queue.reopen();
    }

    /// Ends the log after the lines in its queue, as far as its place takes them in [`LAST_LINES`].
    pub fn close(&self) {
        self.queue.close();
        if let Ok(ended) = self.ended.lock() {
            let _ = ended.recv_timeout(LAST_LINES);
        }
    }
}

/// The logs that are written.
#[derive(Debug, Default)]
pub struct Logs {
    /// The access log: a line for each request.
    pub access: Option<Log>,
    /// The audit log: a line for each change, each privileged read, and each attempt that was refused.
    pub audit: Option<Log>,
}

impl Logs {
    /// Opens the files of the logs anew.
    pub fn reopen(&self) {
        self.all().for_each(Log::reopen);
    }

    /// Ends the logs after the lines in their queues.
    pub fn close(&self) {
        self.all().for_each(Log::close);
    }

    fn all(&self) -> impl Iterator<Item = &Log> {
        self.access.iter().chain(&self.audit)
    }
}

/// Returns the current time of the machine, as lines have it. A virtual clock does not count.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests;
