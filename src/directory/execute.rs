//! Executing a command: advance its user, decide, apply.

use super::decide::DecideError;
use super::memory::Memory;
use super::slot_index::SlotIndex;
use super::state::Directory;
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Duration, Instant};
use crate::user::{Command, CommandError, NotFound, Transition, UserAt, decide};
use core::hash::{BuildHasher, Hash};

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Executes a command at `now`: advances the user, decides, applies.
    ///
    /// `on_change` is called with every transition that was applied, in order: overdue ones first, the command's own last. A
    /// command that succeeds without changing anything ([U4](crate::rules#u4)) has none. Only a command that sets something
    /// needs a slot. For a new user while no slot is free, all that is due in the directory is applied first, so that users
    /// of whom nothing is left can be evicted ([S9](crate::rules#s9)).
    ///
    /// # Errors
    ///
    /// - The error of the decision, see [`decide`](crate::decide).
    /// - [`CommandError::UsersFull`] when there is no slot for a new user.
    ///
    /// The command has changed nothing then; overdue transitions stay applied.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{Cause, Command, Instant, Policy, Presence};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
    /// let set = Command::SetPresence { session: 1, presence: Presence::Away, lease: None };
    /// directory.execute(Instant::ZERO, 7, set, |_, _| {})?;
    /// // Its lease expires before it is set again: both changes are observed, each with its own time.
    /// let mut observed = Vec::new();
    /// directory.execute(Instant::from_secs(400), 7, set, |user, transition| {
    ///     observed.push((user, transition.at(), transition.cause()));
    /// })?;
    /// let expected = [(7, Instant::from_secs(300), Cause::Expired), (7, Instant::from_secs(400), Cause::Set)];
    /// assert_eq!(observed, expected);
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn execute(
        &mut self,
        now: Instant,
        user: U,
        command: Command<S>,
        mut on_change: impl FnMut(U, &Transition<S>),
    ) -> Result<(), CommandError> {
        let found = self.find(user).map(|(index, _)| index);
        self.execute_found(found, now, user, command, None, &mut on_change)
    }

    /// Executes a command as [`execute`](Self::execute) does, but decides it under another policy than the directory's.
    ///
    /// So a calendar or a [mirror](crate::Policy::MIRROR) may set presences that others may not. `policy` says which
    /// presences and durations are allowed, what the defaults are, and when the session fades first; from then on it fades as
    /// the directory's policy says. Give the policies of one directory the same fades, or none: a session that was set under
    /// a policy without fades stays as it was set. Policies are not stored: the same holds after a restart.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{Command, CommandError, Instant, Policy, Presence};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
    /// let meeting = Command::SetPresence { session: 1, presence: Presence::InAMeeting, lease: None };
    /// assert_eq!(directory.execute(Instant::ZERO, 7, meeting, |_, _| {}), Err(CommandError::Presence));
    /// directory.execute_under(Instant::ZERO, 7, meeting, &Policy::DESK, |_, _| {})?;
    /// assert_eq!(directory.presence(Instant::ZERO, 7), Presence::InAMeeting);
    /// # Ok::<(), CommandError>(())
    /// ```
    pub fn execute_under(
        &mut self,
        now: Instant,
        user: U,
        command: Command<S>,
        policy: &Policy,
        mut on_change: impl FnMut(U, &Transition<S>),
    ) -> Result<(), CommandError> {
        let found = self.find(user).map(|(index, _)| index);
        self.execute_found(found, now, user, command, Some(policy), &mut on_change)
    }

    /// Executes a command for a user who was looked up already; under the directory's policy if there is no other.
    #[inline]
    pub(super) fn execute_found(
        &mut self,
        found: Option<SlotIndex>,
        now: Instant,
        user: U,
        command: Command<S>,
        policy: Option<&Policy>,
        on_change: &mut impl FnMut(U, &Transition<S>),
    ) -> Result<(), CommandError> {
        match self.set_at_once(found, now, user, &command, policy) {
            None => self.execute_other(found, now, user, &command, policy, on_change),
            Some(outcome) => outcome.map(|transition| on_change(user, &transition)),
        }
    }

    /// Executes a command of any kind.
    // Out of line: most commands set a session, while nothing is overdue.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn execute_other(
        &mut self,
        found: Option<SlotIndex>,
        now: Instant,
        user: U,
        command: &Command<S>,
        policy: Option<&Policy>,
        on_change: &mut impl FnMut(U, &Transition<S>),
    ) -> Result<(), CommandError> {
        if let Some(index) = found {
            // It is scheduled for no later deadline than the user's own.
            if self.slot(index).is_some_and(|slot| slot.scheduled.is_due(now)) {
                self.advance_slot_to(index, now, on_change);
            }
            let Some(found) = self.slot(index) else { return Err(CommandError::UsersFull) };
            let current = UserAt::new_unchecked(&found.user, now, found.published);
            // Not moved out of the result, which would copy it twice.
            return match &decide(current, *command, policy.unwrap_or(&self.policy)) {
                Ok(Some(transition)) => {
                    self.apply_unchecked(index, transition);
                    on_change(user, transition);
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(error) => Err(*error),
            };
        }
        let mut decided = self.decide_new(now, *command, policy.unwrap_or(&self.policy));
        if let Err(DecideError::Overdue(_)) = decided {
            self.advance_to(now, on_change);
            decided = self.decide_new(now, *command, policy.unwrap_or(&self.policy));
        }
        match decided {
            Ok(None) => Ok(()),
            Ok(Some((vacancy, transition))) => {
                self.occupy_and_apply(vacancy, user, &transition);
                on_change(user, &transition);
                Ok(())
            }
            Err(DecideError::Rejected(error)) => Err(error),
            // All that was due has been applied.
            Err(DecideError::Overdue(_)) => Err(CommandError::UsersFull),
        }
    }

    /// Executes [`Command::SetPresence`]; see [`execute`](Self::execute) and [`set_presence`](crate::set_presence).
    ///
    /// # Errors
    ///
    /// - [`CommandError::Lease`] when the policy has no such lease.
    /// - [`CommandError::Presence`] when the policy lets no session set this presence.
    /// - [`CommandError::SessionsFull`] when the user has `SESSIONS` other sessions.
    /// - [`CommandError::UsersFull`] when there is no slot for a new user.
    pub fn set_presence(
        &mut self,
        now: Instant,
        user: U,
        session: S,
        presence: Presence,
        lease: Option<Duration>,
        on_change: impl FnMut(U, &Transition<S>),
    ) -> Result<(), CommandError> {
        self.execute(now, user, Command::SetPresence { session, presence, lease }, on_change)
    }

    /// Executes [`Command::ClearPresence`], which never needs a slot; see [`execute`](Self::execute) and
    /// [`clear_presence`](crate::clear_presence).
    ///
    /// # Errors
    ///
    /// [`NotFound`] when the user has no such session.
    pub fn clear_presence(
        &mut self,
        now: Instant,
        user: U,
        session: S,
        on_change: impl FnMut(U, &Transition<S>),
    ) -> Result<(), NotFound> {
        self.execute(now, user, Command::ClearPresence { session }, on_change).map_err(|_| NotFound)
    }

    /// Executes [`Command::SetPreferredPresence`]; see [`execute`](Self::execute) and
    /// [`set_preferred_presence`](crate::set_preferred_presence).
    ///
    /// # Errors
    ///
    /// - [`CommandError::PreferredDuration`] when the policy has no such duration.
    /// - [`CommandError::PreferredPresence`] when the policy lets no user prefer this presence.
    /// - [`CommandError::UsersFull`] when there is no slot for a new user.
    pub fn set_preferred_presence(
        &mut self,
        now: Instant,
        user: U,
        presence: Presence,
        duration: Option<Duration>,
        on_change: impl FnMut(U, &Transition<S>),
    ) -> Result<(), CommandError> {
        self.execute(now, user, Command::SetPreferredPresence { presence, duration }, on_change)
    }

    /// Executes [`Command::ClearPreferredPresence`], which always succeeds and never needs a slot; see
    /// [`execute`](Self::execute) and [`clear_preferred_presence`](crate::clear_preferred_presence).
    pub fn clear_preferred_presence(&mut self, now: Instant, user: U, on_change: impl FnMut(U, &Transition<S>)) {
        // The only command that no decision rejects, and that never needs a slot.
        let _ = self.execute(now, user, Command::ClearPreferredPresence, on_change);
    }
}
