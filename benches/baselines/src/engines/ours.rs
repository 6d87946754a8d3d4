//! Ours: `presence_core::directory::Directory`, in memory handed over once.

use crate::engine::{Change, Engine, SetCall};
use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory, Progress};
use presence_core::{Duration, Instant, Policy, Presence, SessionId, Transition, UserId};

pub struct Ours<const SESSIONS: usize>(pub BoxedDirectory<UserId, SessionId, SESSIONS>);

/// Reports a visible transition as a change.
fn pass_on(changes: &mut impl FnMut(Change)) -> impl FnMut(UserId, &Transition<SessionId>) {
    |user, transition| {
        let (before, after) = (transition.before(), transition.after());
        if before != after {
            changes(Change { user, at: transition.at().as_millis(), before, after });
        }
    }
}

impl<const SESSIONS: usize> Engine for Ours<SESSIONS> {
    fn for_users(users: usize) -> Self {
        Self(Directory::new(BoxedMemory::new(users), Policy::GRAPH))
    }

    fn set(&mut self, call: &SetCall, changes: &mut impl FnMut(Change)) {
        let (now, lease) = (Instant::from_millis(call.now), Duration::from_millis(call.lease.into()));
        self.0
            .set_presence(now, call.user, call.session, call.presence, Some(lease), pass_on(changes))
            .expect("a vacancy for every user of the trace");
    }

    fn clear(&mut self, now: u64, user: UserId, session: SessionId, changes: &mut impl FnMut(Change)) -> bool {
        self.0.clear_presence(Instant::from_millis(now), user, session, pass_on(changes)).is_ok()
    }

    fn prefer(&mut self, now: u64, user: UserId, presence: Presence, duration: u32, changes: &mut impl FnMut(Change)) {
        let (now, duration) = (Instant::from_millis(now), Duration::from_millis(duration.into()));
        self.0
            .set_preferred_presence(now, user, presence, Some(duration), pass_on(changes))
            .expect("a vacancy for every user of the trace");
    }

    fn unprefer(&mut self, now: u64, user: UserId, changes: &mut impl FnMut(Change)) {
        self.0.clear_preferred_presence(Instant::from_millis(now), user, pass_on(changes));
    }

    fn read(&self, now: u64, user: UserId) -> Presence {
        self.0.presence(Instant::from_millis(now), user)
    }

    fn step(&mut self, now: u64, changes: &mut impl FnMut(Change)) -> bool {
        let now = Instant::from_millis(now);
        if self.0.next_deadline().is_none_or(|deadline| deadline > now) {
            return false;
        }
        match self.0.advance(now) {
            Progress::Changed { user, transition } => pass_on(changes)(user, &transition),
            Progress::Working => {}
            Progress::Idle { .. } => return false,
        }
        true
    }
}
