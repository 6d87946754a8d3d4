//! Deciding a command without applying it, for a journal in between.

use super::memory::Memory;
use super::occupy::Vacancy;
use super::state::Directory;
use crate::policy::Policy;
use crate::time::Instant;
use crate::user::{Command, CommandError, OverdueError, Transition, User, decide};
use core::hash::{BuildHasher, Hash};

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Decides a command without applying anything, for a journal in between.
    ///
    /// Returns `None` when the command succeeds without anything to apply. What is due is left to
    /// [`advance`](Self::advance).
    ///
    /// # Errors
    ///
    /// - [`DecideError::Overdue`] when the user, or the slot for a new one, waits for something that is due at `now`: call
    ///   [`advance`](Self::advance) until it is idle.
    /// - [`DecideError::Rejected`] when [`execute`](Self::execute) would return that error.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{Command, Instant, Policy, Presence};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
    /// let mut journal = Vec::new();
    /// let command = Command::SetPresence { session: 1, presence: Presence::Away, lease: None };
    /// if let Some(transition) = directory.decide(Instant::ZERO, 7, command)? {
    ///     assert_eq!(directory.presence(Instant::ZERO, 7), Presence::Offline);
    ///     journal.push((7, transition)); // written first, then applied
    ///     directory.apply(7, &transition)?;
    /// }
    /// assert_eq!(directory.presence(Instant::ZERO, 7), Presence::Away);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn decide(&self, now: Instant, user: U, command: Command<S>) -> Result<Option<Transition<S>>, DecideError> {
        self.decide_under(now, user, command, &self.policy)
    }

    /// Decides a command as [`decide`](Self::decide) does, but under another policy than the directory's.
    ///
    /// See [`execute_under`](Self::execute_under) for what the policy says, and what the directory's.
    ///
    /// # Errors
    ///
    /// As [`decide`](Self::decide).
    pub fn decide_under(
        &self,
        now: Instant,
        user: U,
        command: Command<S>,
        policy: &Policy,
    ) -> Result<Option<Transition<S>>, DecideError> {
        match self.get(user) {
            Some(found) => Ok(decide(found.at(now)?, command, policy)?),
            None => Ok(self.decide_new(now, command, policy)?.map(|(_, transition)| transition)),
        }
    }

    /// Decides a command for a user without a slot, and returns the slot it will have.
    pub(super) fn decide_new(
        &self,
        now: Instant,
        command: Command<S>,
        policy: &Policy,
    ) -> Result<Option<(Vacancy, Transition<S>)>, DecideError> {
        let vacancy = self.vacancy();
        let start: User<S, SESSIONS> = User::with_version(vacancy.map_or(0, |vacancy| self.first_version(vacancy)));
        let Some(transition) = decide(start.at(now)?, command, policy)? else { return Ok(None) };
        match (vacancy, self.next_deadline()) {
            (Some(Vacancy::Free), _) => Ok(Some((Vacancy::Free, transition))),
            // The choice of the user who is evicted must not depend on how late time is advanced (rule M4).
            (_, Some(deadline)) if deadline.is_due(now) => Err(OverdueError { deadline }.into()),
            (Some(vacancy), _) => Ok(Some((vacancy, transition))),
            (None, _) => Err(CommandError::UsersFull.into()),
        }
    }
}

/// The error of [`Directory::decide`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecideError {
    /// Something is due first, or may be: call [`Directory::advance`] until it is idle.
    Overdue(OverdueError),
    /// The command was rejected.
    Rejected(CommandError),
}

impl From<OverdueError> for DecideError {
    fn from(error: OverdueError) -> Self {
        Self::Overdue(error)
    }
}

impl From<CommandError> for DecideError {
    fn from(error: CommandError) -> Self {
        Self::Rejected(error)
    }
}

impl core::fmt::Display for DecideError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Overdue(error) => error.fmt(f),
            Self::Rejected(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DecideError {}
