//! The queue of a log: whole lines up to a limit of bytes, and the number of those for which there was no room.

use crate::metrics::LogMetrics;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot::Sender;

/// The most bytes of lines that wait: those of some seconds at full load.
pub const MAX_BYTES: usize = 4 << 20;

/// The time for which lines are gathered.
const GATHERING: Duration = Duration::from_millis(10);

/// Lines on their way to the writer of a log.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// True while the place takes nothing, so that nothing waits for it.
    is_stuck: AtomicBool,
    metrics: LogMetrics,
}

#[derive(Debug, Default)]
struct State {
    batch: Batch,
    is_closed: bool,
}

/// What the writer is to do next.
#[derive(Debug, Default)]
pub struct Batch {
    /// Whole lines.
    pub lines: Vec<u8>,
    /// The lines that were dropped after them.
    pub dropped: u64,
    /// Those who wait until these lines are written. Dropping them tells that they are not.
    pub waiting: Vec<Sender<()>>,
    /// True if the file is to be opened anew before.
    pub reopens: bool,
}

impl Batch {
    const fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.dropped == 0 && !self.reopens
    }
}

impl Queue {
    /// Creates an empty queue.
    pub fn new(metrics: LogMetrics) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), is_stuck: AtomicBool::new(false), metrics }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds whole lines, and who waits for them, if there is room for all.
    pub fn push(&self, lines: &[u8], waits: Option<Sender<()>>) {
        let count = count(lines);
        let mut state = self.state();
        // A writer that gathers lines is woken only by a line that a response waits for.
        let wakes = state.batch.is_empty() || waits.is_some();
        // What comes after the end is written no more.
        if !state.is_closed && state.batch.lines.len() + lines.len() <= MAX_BYTES {
            state.batch.lines.extend_from_slice(lines);
            state.batch.waiting.extend(waits);
            self.metrics.lines.inc_by(count);
        } else {
            state.batch.dropped += count;
            self.metrics.dropped.inc_by(count);
        }
        drop(state);
        if wakes {
            self.changed.notify_one();
        }
    }

    /// Asks the writer to open its file anew.
    pub fn reopen(&self) {
        self.state().batch.reopens = true;
        self.changed.notify_one();
    }

    /// Ends the queue after what is in it.
    pub fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_one();
    }

    /// Waits for something to do; returns `None` when the queue is closed and empty. `spare` is used for the next lines.
    ///
    /// Lines for which no response waits are gathered for [`GATHERING`], so that many are written at a time.
    pub fn take(&self, spare: Vec<u8>) -> Option<Batch> {
        let is_idle = |state: &mut State| state.batch.is_empty() && !state.is_closed;
        let state = self.changed.wait_while(self.state(), is_idle).unwrap_or_else(PoisonError::into_inner);
        let gathers = |state: &mut State| state.batch.waiting.is_empty() && !state.batch.reopens && !state.is_closed;
        let gathered = self.changed.wait_timeout_while(state, GATHERING, gathers);
        let (mut state, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        (!state.batch.is_empty())
            .then(|| std::mem::replace(&mut state.batch, Batch { lines: spare, ..Batch::default() }))
    }

    /// Waits for a time, or until the file is to be opened anew or the queue is closed. Returns which of the two it was.
    pub fn pause(&self, time: Duration) -> Pause {
        let is_idle = |state: &mut State| !state.batch.reopens && !state.is_closed;
        let waited = self.changed.wait_timeout_while(self.state(), time, is_idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match (std::mem::take(&mut state.batch.reopens), state.is_closed) {
            (true, _) => Pause::Reopens,
            (false, true) => Pause::Closed,
            (false, false) => Pause::Over,
        }
    }

    /// Reports whether the place takes nothing at the moment.
    pub fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Relaxed)
    }

    /// Records whether the place takes anything.
    pub fn set_stuck(&self, is_stuck: bool) {
        self.is_stuck.store(is_stuck, Ordering::Relaxed);
    }

    /// Counts a line of the writer's own.
    pub fn count_line(&self) {
        self.metrics.lines.inc();
    }

    /// Counts lines that were in the queue and are dropped by the writer.
    pub fn count_dropped(&self, lines: u64) {
        self.metrics.dropped.inc_by(lines);
    }
}

/// What has ended a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The time.
    Over,
    /// The file is to be opened anew.
    Reopens,
    /// The queue was closed.
    Closed,
}

/// Returns the number of whole lines.
pub fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}
