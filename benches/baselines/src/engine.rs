//! The interface that every engine implements.

use crate::trace::{Kind, Operation};
use presence_core::{Presence, SessionId, UserId};

/// A change of a user's published presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub user: UserId,
    /// The moment of the change: of a due transition its deadline, however late time was advanced.
    pub at: u64,
    pub before: Presence,
    pub after: Presence,
}

/// A store of users' presence. Before every call at some moment, [`step`](Self::step) is called until nothing is due at that
/// moment.
pub trait Engine {
    /// Creates an engine for this many users.
    fn for_users(users: usize) -> Self;

    /// Sets a session, or sets it again.
    fn set(&mut self, call: &SetCall, changes: &mut impl FnMut(Change));

    /// Clears a session; false when there is none.
    fn clear(&mut self, now: u64, user: UserId, session: SessionId, changes: &mut impl FnMut(Change)) -> bool;

    /// Sets the preferred presence for a duration.
    fn prefer(&mut self, now: u64, user: UserId, presence: Presence, duration: u32, changes: &mut impl FnMut(Change));

    /// Clears the preferred presence.
    fn unprefer(&mut self, now: u64, user: UserId, changes: &mut impl FnMut(Change));

    /// Returns the published presence of a user.
    fn read(&self, now: u64, user: UserId) -> Presence;

    /// Does the smallest piece of what is due at `now` that the engine can do at a time; false when nothing is due.
    fn step(&mut self, now: u64, changes: &mut impl FnMut(Change)) -> bool;
}

/// A request to set a session.
pub struct SetCall {
    pub now: u64,
    pub user: UserId,
    pub session: SessionId,
    pub presence: Presence,
    /// In milliseconds.
    pub lease: u32,
}

/// Plays one operation, after everything that is due.
pub fn perform<E: Engine>(engine: &mut E, operation: &Operation, changes: &mut impl FnMut(Change)) -> Answer {
    let (now, user) = (u64::from(operation.at), operation.user());
    match operation.kind {
        Kind::KeepAlive | Kind::Change | Kind::Again => {
            let (session, presence, lease) = (operation.session(), operation.presence, operation.duration);
            engine.set(&SetCall { now, user, session, presence, lease }, changes);
            Answer::Done
        }
        Kind::Clear if engine.clear(now, user, operation.session(), changes) => Answer::Done,
        Kind::Clear => Answer::NotFound,
        Kind::Prefer => {
            engine.prefer(now, user, operation.presence, operation.duration, changes);
            Answer::Done
        }
        Kind::Unprefer => {
            engine.unprefer(now, user, changes);
            Answer::Done
        }
        Kind::Read => Answer::Read(engine.read(now, user)),
    }
}

/// The answer of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    NotFound,
    Read(Presence),
}

/// Plays operations, each after what is due at its moment. Returns a number that depends on every answer and every change,
/// so that no work can be left out.
#[inline(never)]
pub fn play<E: Engine>(engine: &mut E, operations: &[Operation]) -> u64 {
    let mut changed = 0u64;
    let mut read = 0u64;
    let mut changes = |change: Change| changed += change.at ^ u64::from(change.after.as_byte());
    for operation in operations {
        while engine.step(u64::from(operation.at), &mut changes) {}
        if let Answer::Read(presence) = perform(engine, operation, &mut changes) {
            read += u64::from(presence.as_byte());
        }
    }
    changed ^ read
}
