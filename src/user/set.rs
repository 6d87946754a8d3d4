//! Setting a session in one pass: decided and applied at once.

use super::User;
use super::decide::first_fade;
use super::error::SetPresenceError;
use super::session::Session;
use super::transition::{Change, Transition};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Duration, Instant};

impl<S: Copy + Ord, const SESSIONS: usize> User<S, SESSIONS> {
    /// Sets a session, and returns the transition: the one that [`set_presence`](crate::set_presence) decides, applied.
    ///
    /// Nothing may be overdue at `now`, and `published` is what the user publishes. An error has changed nothing.
    // Inlined, a transition that no caller reads is not written.
    #[inline(always)]
    pub(crate) fn set_at_once(
        &mut self,
        now: Instant,
        published: Presence,
        session: S,
        presence: Presence,
        lease: Option<Duration>,
        policy: &Policy,
    ) -> Result<Transition<S>, SetPresenceError> {
        let lease = policy.check_session(presence, lease)?;
        let (expires_at, fades_at) = (now.saturating_add(lease), first_fade(presence, now, policy));
        let new = Session { id: session, expires_at, fades_at, presence, faded: 0 };
        let has_room = !self.sessions.is_full();
        let old = self.sessions.iter_mut().find(|old| old.id == session);
        // A keep-alive, the most frequent command, repeats the presence: there is nothing to aggregate anew.
        let is_renewed = old.as_ref().is_some_and(|old| old.presence == presence);
        match old {
            Some(old) => old.become_like(&new),
            None if has_room => self.insert(&new),
            None => return Err(SetPresenceError::Full),
        }
        let after = if is_renewed { published } else { self.presence() };
        let revision = self.revision;
        let transition = Transition { revision, at: now, before: published, after, change: Change::Set(new) };
        self.count(&transition);
        Ok(transition)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::user::{Command, decide, next_due, set_presence};
    use std::vec;
    use std::vec::Vec;

    type Two = User<u8, 2>;

    /// Sets of three sessions, one more than fit: fading or not, allowed or not, for the default lease, another, and none.
    fn sets() -> impl Iterator<Item = (u8, Presence, Option<Duration>)> {
        let presences =
            [Presence::Available, Presence::AvailableInactive, Presence::Away, Presence::InACall, Presence::Offline];
        let leases = [None, Some(Duration::from_mins(8)), Some(Duration::ZERO)];
        (0..3).flat_map(move |session| {
            presences.into_iter().flat_map(move |presence| leases.map(|lease| (session, presence, lease)))
        })
    }

    /// Returns the users that a few steps lead to, with the moment of the last.
    fn users(policy: &Policy) -> Vec<(Two, Instant)> {
        let mut commands: Vec<_> =
            sets().map(|(session, presence, lease)| Command::SetPresence { session, presence, lease }).collect();
        commands.extend((0..2).map(|session| Command::ClearPresence { session }));
        commands.push(Command::SetPreferredPresence { presence: Presence::Busy, duration: None });
        let mut reached = vec![(Two::with_version(u64::MAX - 2), Instant::ZERO), (Two::new(), Instant::ZERO)];
        let mut from = 0;
        for steps in 0..3 {
            let to = reached.len();
            // All first steps, and then some.
            for index in (from..to).step_by(1 + 5 * steps) {
                for command in &commands {
                    let (mut user, mut now) = reached[index].clone();
                    let Ok(Some(transition)) = decide(user.at(now).unwrap(), *command, policy) else { continue };
                    user.apply(&transition).unwrap();
                    reached.push((user.clone(), now));
                    now = user.next_deadline().unwrap_or(now);
                    while let Some(due) = next_due(&user, now, policy) {
                        user.apply(&due).unwrap();
                    }
                    reached.push((user, now));
                }
            }
            from = to;
        }
        reached
    }

    /// The same transition, the same error and the same user, in many states.
    #[test]
    fn setting_at_once_is_deciding_and_applying() {
        let (mut renewed, mut visible, mut rejected) = (0, 0, 0);
        for policy in [Policy::GRAPH, Policy::DESK, Policy::MIRROR] {
            for (user, at) in users(&policy) {
                for (session, presence, lease) in sets() {
                    let now = at.saturating_add(Duration::from_millis(1));
                    let Ok(moment) = user.at(now) else { continue };
                    let decided = set_presence(moment, session, presence, lease, &policy);
                    let (mut expected, mut set) = (user.clone(), user.clone());
                    match &decided {
                        Ok(transition) => expected.apply(transition).unwrap(),
                        Err(_) => rejected += 1,
                    }
                    visible += u32::from(decided.is_ok_and(|transition| transition.is_visible()));
                    renewed += u32::from(user.session(session).is_some_and(|old| old.presence == presence));
                    let at_once = set.set_at_once(now, user.presence(), session, presence, lease, &policy);
                    assert_eq!((at_once, set), (decided, expected), "{user:?} {session} {presence} {lease:?}");
                }
            }
        }
        assert!(renewed > 1000 && visible > 1000 && rejected > 1000, "{renewed} {visible} {rejected}");
    }
}
