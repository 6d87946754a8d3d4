//! What every engine is asked, in the same words.

use crate::trace::{Kind, Operation};
use presence_core::{Presence, SessionId, UserId};

/// What a user publishes has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub user: UserId,
    /// When it did, which is a deadline when time did it, however late time was advanced.
    pub at: u64,
    pub before: Presence,
    pub after: Presence,
}

/// Who keeps the presence of users. Before every call at some moment, the engine is asked to [`step`](Self::step) until
/// nothing is due at that moment.
pub trait Engine {
    /// An engine for this many users.
    fn for_users(users: usize) -> Self;

    /// A session is set, or set again.
    fn set(&mut self, call: &SetCall, changes: &mut impl FnMut(Change));

    /// A session is cleared; false when there is none.
    fn clear(&mut self, now: u64, user: UserId, session: SessionId, changes: &mut impl FnMut(Change)) -> bool;

    /// A presence is preferred for so long.
    fn prefer(&mut self, now: u64, user: UserId, presence: Presence, duration: u32, changes: &mut impl FnMut(Change));

    /// None is preferred any more.
    fn unprefer(&mut self, now: u64, user: UserId, changes: &mut impl FnMut(Change));

    /// What a user publishes.
    fn read(&self, now: u64, user: UserId) -> Presence;

    /// The smallest piece of what is due at `now` that the engine can do at a time; false when nothing is.
    fn step(&mut self, now: u64, changes: &mut impl FnMut(Change)) -> bool;
}

/// What is asked when a session is set.
pub struct SetCall {
    pub now: u64,
    pub user: UserId,
    pub session: SessionId,
    pub presence: Presence,
    /// In milliseconds.
    pub lease: u32,
}

/// Carries out one operation; what is due has been done before.
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

/// What an engine answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    NotFound,
    Read(Presence),
}

/// Plays operations, each after what is due at its moment. Returns something that depends on every answer and every change,
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
