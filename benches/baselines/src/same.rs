//! The same answers from every engine, before anything is timed.

use crate::engine::{Answer, Change, Engine, perform};
use crate::trace::Trace;

/// The visible outcome of a trace: every answer, and the changes of each user in order.
pub struct Seen {
    answers: Vec<Answer>,
    changes: Vec<Change>,
}

/// Plays a trace and records its visible outcome.
pub fn seen<E: Engine>(users: u32, trace: &Trace) -> Seen {
    let mut engine = E::for_users(users as usize);
    let mut answers = Vec::new();
    let mut changes = Vec::new();
    let mut on_change = |change| changes.push(change);
    for operation in &trace.operations {
        while engine.step(u64::from(operation.at), &mut on_change) {}
        answers.push(perform(&mut engine, operation, &mut on_change));
    }
    // Until nothing is left. The order between users is not compared, that of one user is.
    let end = u64::from(trace.operations.last().map_or(0, |operation| operation.at)) + 48 * 3_600_000;
    while engine.step(end, &mut on_change) {}
    changes.sort_by_key(|change| change.user);
    Seen { answers, changes }
}

impl Seen {
    /// Returns the number of answers and changes.
    pub const fn counts(&self) -> (usize, usize) {
        (self.answers.len(), self.changes.len())
    }

    /// Panics where this differs from ours.
    pub fn assert_same(&self, ours: &Self, name: &str) {
        self.assert_same_answers(ours, name);
        for (place, (theirs, ours)) in self.changes.iter().zip(&ours.changes).enumerate() {
            assert_eq!(theirs, ours, "change {place} of {name} is not ours");
        }
        assert_eq!(self.changes.len(), ours.changes.len(), "changes of {name}");
    }

    /// Returns the answers alone, for an engine that reports no changes.
    pub fn assert_same_answers(&self, ours: &Self, name: &str) {
        for (place, (theirs, ours)) in self.answers.iter().zip(&ours.answers).enumerate() {
            assert_eq!(theirs, ours, "answer {place} of {name} is not ours");
        }
        assert_eq!(self.answers.len(), ours.answers.len(), "answers of {name}");
    }
}
