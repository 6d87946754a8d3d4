//! One user and its policy, with the loop of a device around them.

use crate::id::SessionId;
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Duration, Instant};
use crate::user::{
    Command, CommandError, Explanation, NotFound, OverdueError, SetPreferredError, SetPresenceError, Transition, User,
    UserAt, clear_preferred_presence, clear_presence, decide, next_due, set_preferred_presence, set_presence,
};

/// A single user with its policy, for a device that has one: the loop of a lamp.
///
/// Every method takes `now` first. A command applies what is due before it, then decides and applies; each transition that was
/// applied goes to `on_change`, in order. A [`Directory`](crate::directory::Directory) does the same for many users.
///
/// ```
/// use presence_core::{Instant, Policy, Presence, SingleUser, Transition};
///
/// const CALENDAR: u8 = 1;
/// const CALLS: u8 = 2;
///
/// let mut lamp: SingleUser<u8, 4> = SingleUser::new(Policy::DESK);
/// let mut drawn = Vec::new();
/// # let mut received = [
/// #     (0, Some((CALENDAR, Presence::InAMeeting))),
/// #     (60, Some((CALLS, Presence::InACall))),
/// #     (300, None),
/// #     (360, None),
/// # ]
/// # .into_iter();
/// # let mut sleep_until = |_: Option<Instant>| {
/// #     received.next().map(|(secs, event)| (Instant::from_secs(secs), event))
/// # };
/// // Sleeps until the deadline, or until an application has something to say.
/// while let Some((now, event)) = sleep_until(lamp.next_deadline()) {
///     let mut redraw = |change: &Transition<u8>| {
///         if change.is_visible() {
///             drawn.push((now, change.after())); // a board sets its colour here
///         }
///     };
///     match event {
///         Some((session, presence)) => lamp.set_presence(now, session, presence, None, redraw)?,
///         None => lamp.advance(now, redraw),
///     }
/// }
/// assert_eq!(
///     drawn,
///     [
///         (Instant::from_secs(0), Presence::InAMeeting),
///         (Instant::from_secs(60), Presence::InACall), // stronger than a meeting, whose lease ends first
///         (Instant::from_secs(360), Presence::Offline),
///     ]
/// );
/// # Ok::<(), presence_core::SetPresenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SingleUser<S = SessionId, const SESSIONS: usize = 4> {
    pub(crate) user: User<S, SESSIONS>,
    pub(crate) policy: Policy,
}

impl<S, const SESSIONS: usize> SingleUser<S, SESSIONS> {
    /// Creates a user without sessions. `const`, so that it can live in a `static`.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self::with_user(User::new(), policy)
    }

    /// Continues with a user from elsewhere, such as a restored [`snapshot`](crate::snapshot).
    #[must_use]
    pub const fn with_user(user: User<S, SESSIONS>, policy: Policy) -> Self {
        Self { user, policy }
    }

    /// Returns the user as of the latest moment it was advanced to.
    #[must_use]
    pub const fn user(&self) -> &User<S, SESSIONS> {
        &self.user
    }

    /// Returns the policy that commands are checked against.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl<S: Copy + Ord, const SESSIONS: usize> SingleUser<S, SESSIONS> {
    /// Returns what is published at `now`, exact even if time was not advanced. O(`SESSIONS`²) if something is overdue.
    #[must_use]
    pub fn presence(&self, now: Instant) -> Presence {
        self.user.read_at(now, &self.policy).0
    }

    /// Explains what is published at `now`: which layer decides, since when, and what comes next. O(`SESSIONS`²), on a copy
    /// of the user if something is overdue.
    #[must_use]
    pub fn explain(&self, now: Instant) -> Explanation<S> {
        if self.user.at(now).is_ok() {
            return self.user.explain(&self.policy);
        }
        let mut copy = self.clone();
        copy.advance(now, |_| {});
        copy.user.explain(&copy.policy)
    }

    /// Returns when to call [`advance`](Self::advance) next; `None` if nothing will change by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.user.next_deadline()
    }

    /// Applies everything that is due at `now`, in order, each with its own time. O(`SESSIONS`) for each transition, of which
    /// a session causes three at most and the preferred presence one.
    pub fn advance(&mut self, now: Instant, mut on_change: impl FnMut(&Transition<S>)) {
        while let Some(ref due) = next_due(&self.user, now, &self.policy) {
            self.apply(due, &mut on_change);
        }
    }

    /// Executes any command; see the methods named after the commands.
    ///
    /// # Errors
    ///
    /// [`CommandError`] if the command is rejected: it has changed nothing, but what was due is applied.
    pub fn execute(
        &mut self,
        now: Instant,
        command: Command<S>,
        on_change: impl FnMut(&Transition<S>),
    ) -> Result<(), CommandError> {
        self.execute_decided(now, command, None, on_change)
    }

    /// Executes a command, decided under another policy than the user's.
    ///
    /// So a lamp that mirrors another system does so under [`Policy::MIRROR`], beside applications that it serves under its
    /// own policy. See [`Directory::execute_under`] for what each of the two says.
    ///
    /// [`Directory::execute_under`]: crate::directory::Directory::execute_under
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    ///
    /// ```
    /// use presence_core::{Command, Instant, Policy, Presence, SingleUser};
    ///
    /// let mut lamp: SingleUser<u8, 4> = SingleUser::new(Policy::DESK);
    /// if let Some(command) = Command::mirror(1, Presence::read("Offline", "OffWork"), None) {
    ///     lamp.execute_under(Instant::ZERO, command, &Policy::MIRROR, |_| {})?;
    /// }
    /// assert_eq!(lamp.presence(Instant::ZERO), Presence::OffWork); // which no session may set under `Policy::DESK`
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn execute_under(
        &mut self,
        now: Instant,
        command: Command<S>,
        policy: &Policy,
        on_change: impl FnMut(&Transition<S>),
    ) -> Result<(), CommandError> {
        self.execute_decided(now, command, Some(policy), on_change)
    }

    /// Executes a command; under the user's own policy if there is no other.
    fn execute_decided(
        &mut self,
        now: Instant,
        command: Command<S>,
        policy: Option<&Policy>,
        mut on_change: impl FnMut(&Transition<S>),
    ) -> Result<(), CommandError> {
        self.advance(now, &mut on_change);
        if let Some(ref transition) = decide(self.at(now), command, policy.unwrap_or(&self.policy))? {
            self.apply(transition, &mut on_change);
        }
        Ok(())
    }

    /// Sets a session, or renews it, for the policy's default lease if `lease` is `None`; see [`set_presence`].
    ///
    /// # Errors
    ///
    /// [`SetPresenceError`] if the command is rejected: it has changed nothing, but what was due is applied.
    pub fn set_presence(
        &mut self,
        now: Instant,
        session: S,
        presence: Presence,
        lease: Option<Duration>,
        mut on_change: impl FnMut(&Transition<S>),
    ) -> Result<(), SetPresenceError> {
        self.advance(now, &mut on_change);
        let transition = &set_presence(self.at(now), session, presence, lease, &self.policy)?;
        self.apply(transition, &mut on_change);
        Ok(())
    }

    /// Removes a session; see [`clear_presence`].
    ///
    /// # Errors
    ///
    /// [`NotFound`] if there is no such session, or none any more at `now`.
    pub fn clear_presence(
        &mut self,
        now: Instant,
        session: S,
        mut on_change: impl FnMut(&Transition<S>),
    ) -> Result<(), NotFound> {
        self.advance(now, &mut on_change);
        let transition = &clear_presence(self.at(now), session)?;
        self.apply(transition, &mut on_change);
        Ok(())
    }

    /// Sets the preferred presence, for the policy's default if `duration` is `None`; see [`set_preferred_presence`].
    ///
    /// # Errors
    ///
    /// [`SetPreferredError`] if the command is rejected: it has changed nothing, but what was due is applied.
    pub fn set_preferred_presence(
        &mut self,
        now: Instant,
        presence: Presence,
        duration: Option<Duration>,
        mut on_change: impl FnMut(&Transition<S>),
    ) -> Result<(), SetPreferredError> {
        self.advance(now, &mut on_change);
        let transition = &set_preferred_presence(self.at(now), presence, duration, &self.policy)?;
        self.apply(transition, &mut on_change);
        Ok(())
    }

    /// Removes the preferred presence, if there is one; see [`clear_preferred_presence`].
    pub fn clear_preferred_presence(&mut self, now: Instant, mut on_change: impl FnMut(&Transition<S>)) {
        self.advance(now, &mut on_change);
        if let Some(ref transition) = clear_preferred_presence(self.at(now)) {
            self.apply(transition, &mut on_change);
        }
    }

    /// Moves every stored instant to another clock; see [`User::rebase`].
    ///
    /// # Errors
    ///
    /// [`OverdueError`] while something is due at `from`: [`advance`](Self::advance) first. Nothing is changed.
    pub fn rebase(&mut self, from: Instant, to: Instant) -> Result<(), OverdueError> {
        self.user.rebase(from, to)
    }

    /// Returns the user at a moment that it was advanced to.
    fn at(&self, now: Instant) -> UserAt<'_, S, SESSIONS> {
        UserAt::new_unchecked(&self.user, now, self.user.presence())
    }

    /// Applies what was just decided about this user, which needs no second check.
    fn apply(&mut self, transition: &Transition<S>, on_change: &mut impl FnMut(&Transition<S>)) {
        self.user.apply_unchecked(transition);
        on_change(transition);
    }
}
