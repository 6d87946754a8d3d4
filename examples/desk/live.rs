//! Serving requests in real time.

use crate::clock::Clock;
use crate::desk::Desk;
use crate::input::{DeskLine, Lines};
use crate::output::Output;
use presence_core::Instant;
use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// The number of lines that may wait before the reader does.
const WAITING: usize = 64;

/// The longest wait for a deadline.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Serves lines until the end of input, and returns their number.
pub(crate) fn run(input: impl BufRead + Send + 'static, desk: &mut Desk, output: &mut Output) -> io::Result<usize> {
    let mut clock = Clock::start();
    let lines = read(input);
    let mut count = 0;
    loop {
        let now = clock.now();
        let deadline = desk.directory.next_deadline().map(|deadline| deadline.saturating_duration_since(now));
        // A wait does not notice that the machine sleeps.
        let deadline = deadline.map(|wait| LONGEST_WAIT.min(wait.into()));
        let wait = output.next_frame().into_iter().chain(deadline).min();
        let received = match wait {
            Some(wait) => lines.recv_timeout(wait),
            None => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        desk.advance(clock.now(), output)?;
        match received {
            Ok(line) => {
                count += 1;
                desk.serve(&*line?, output)?;
                output.flush()?;
            }
            Err(RecvTimeoutError::Timeout) => output.flush()?,
            Err(RecvTimeoutError::Disconnected) => {
                output.show(desk)?;
                return Ok(count);
            }
        }
        output.show(desk)?;
    }
}

/// Reads lines in a thread of its own, so that the light changes while it waits for one.
fn read(input: impl BufRead + Send + 'static) -> Receiver<io::Result<Box<DeskLine>>> {
    let (sender, receiver) = sync_channel(WAITING);
    thread::spawn(move || {
        let started = std::time::Instant::now();
        let mut lines = Lines::new(input, || Instant::ZERO + started.elapsed().into());
        loop {
            let next = match lines.next() {
                Ok(Some(line)) => Ok(Box::new(line.clone())),
                Ok(None) => return,
                Err(error) => Err(error),
            };
            let is_last = next.is_err();
            if sender.send(next).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}
