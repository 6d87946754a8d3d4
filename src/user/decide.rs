//! The pure decisions: the transition that a command, or the passing of time, would be. They change nothing.

use super::error::{CommandError, NotFound, SetPreferredError, SetPresenceError};
use super::session::{Fading, Preferred, Session};
use super::transition::{Change, Transition};
use super::{User, UserAt, published};
use crate::id::SessionId;
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Duration, Instant};

/// A user at a moment, as decisions take it: what [`User::at`] returns.
///
/// It has nothing overdue, so no decision is about an outdated user ([S8](crate::rules#s8)). Only [`UserAt`] implements it.
#[diagnostic::on_unimplemented(
    message = "decisions take a user at a moment, which `{Self}` is not",
    label = "expected `user.at(now)?`",
    note = "`user.at(now)?` is the user at the moment `now`, or an error while something is overdue: then apply `next_due` first"
)]
pub trait AtMoment<S>: Decisions<S> {}

impl<S: Copy + Ord, const SESSIONS: usize> AtMoment<S> for UserAt<'_, S, SESSIONS> {}

/// Decides `setPresence`: creates a session or replaces it, and restarts its clocks.
///
/// Repeating it is the keep-alive. Without a lease, the policy's default applies, whatever the lease was before. See
/// [section 3](crate::rules#section-3) of the rules for leases and fades.
///
/// # Errors
///
/// - [`SetPresenceError::Lease`] and [`SetPresenceError::Presence`] as [`Policy::check_session`].
/// - [`SetPresenceError::Full`] if the session is new and the user has `SESSIONS` already. Replacing needs no room.
///
/// ```
/// use presence_core::{Instant, Policy, Presence, SetPresenceError, User, set_presence};
///
/// let user: User<u8, 1> = User::new();
/// let meeting = set_presence(user.at(Instant::ZERO)?, 1, Presence::InAMeeting, None, &Policy::GRAPH);
/// let allowed = Policy::GRAPH.sessions;
/// assert_eq!(meeting, Err(SetPresenceError::Presence { presence: Presence::InAMeeting, allowed }));
/// # Ok::<(), presence_core::OverdueError>(())
/// ```
pub fn set_presence<S: Copy + Ord>(
    user: impl AtMoment<S>,
    session: S,
    presence: Presence,
    lease: Option<Duration>,
    policy: &Policy,
) -> Result<Transition<S>, SetPresenceError> {
    user.set_presence(session, presence, lease, policy)
}

/// Decides `clearPresence`: removes one session, and neither another nor the preferred presence.
///
/// # Errors
///
/// [`NotFound`] if there is no such session: never set, expired, or cleared before.
///
/// ```
/// use presence_core::{Instant, NotFound, Policy, Presence, User, clear_presence, set_presence};
///
/// let mut user: User<u8, 4> = User::new();
/// let set = set_presence(user.at(Instant::ZERO)?, 1, Presence::Presenting, None, &Policy::GRAPH)?;
/// user.apply(&set)?;
/// let cleared = clear_presence(user.at(Instant::from_secs(5))?, 1)?;
/// assert_eq!((cleared.before(), cleared.after()), (Presence::Presenting, Presence::Offline));
/// user.apply(&cleared)?;
/// assert_eq!(clear_presence(user.at(Instant::from_secs(6))?, 1), Err(NotFound));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn clear_presence<S: Copy + Ord>(user: impl AtMoment<S>, session: S) -> Result<Transition<S>, NotFound> {
    user.clear_presence(session)
}

/// Decides `setUserPreferredPresence`: publishes a presence over every session, as long as there is one.
///
/// The latest one wins, and its clock restarts. Without a duration, the policy's default for that presence applies.
///
/// # Errors
///
/// [`SetPreferredError`] as [`Policy::check_preferred`].
///
/// ```
/// use presence_core::{Instant, Policy, Presence, User, set_preferred_presence, set_presence};
///
/// let mut user: User<u8, 4> = User::new();
/// let preferred = set_preferred_presence(user.at(Instant::ZERO)?, Presence::DoNotDisturb, None, &Policy::GRAPH)?;
/// assert!(!preferred.is_visible()); // without a session it shows nothing
/// user.apply(&preferred)?;
/// let set = set_presence(user.at(Instant::ZERO)?, 1, Presence::Available, None, &Policy::GRAPH)?;
/// assert_eq!((set.before(), set.after()), (Presence::Offline, Presence::DoNotDisturb));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn set_preferred_presence<S: Copy + Ord>(
    user: impl AtMoment<S>,
    presence: Presence,
    duration: Option<Duration>,
    policy: &Policy,
) -> Result<Transition<S>, SetPreferredError> {
    user.set_preferred_presence(presence, duration, policy)
}

/// Decides `clearUserPreferredPresence`: lets the sessions decide again.
///
/// Returns `None` if nothing was preferred: that is no error, and there is nothing to apply ([U4](crate::rules#u4)).
///
/// ```
/// use presence_core::{Instant, Policy, Presence, User, clear_preferred_presence, set_preferred_presence, set_presence};
///
/// let mut user: User<u8, 4> = User::new();
/// let now = Instant::ZERO;
/// assert_eq!(clear_preferred_presence(user.at(now)?), None);
/// let set = set_presence(user.at(now)?, 1, Presence::Available, None, &Policy::GRAPH)?;
/// user.apply(&set)?;
/// let preferred = set_preferred_presence(user.at(now)?, Presence::OffWork, None, &Policy::GRAPH)?;
/// user.apply(&preferred)?;
/// let cleared = clear_preferred_presence(user.at(now)?).ok_or("nothing was preferred")?;
/// assert_eq!((cleared.before(), cleared.after()), (Presence::OffWork, Presence::Available));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn clear_preferred_presence<S: Copy + Ord>(user: impl AtMoment<S>) -> Option<Transition<S>> {
    user.clear_preferred_presence()
}

/// Decides any command; `None` if it succeeds without anything to apply ([U4](crate::rules#u4)).
///
/// # Errors
///
/// [`CommandError`] from the error of the command's own decision.
///
/// ```
/// use presence_core::{Command, CommandError, Instant, Policy, Presence, User, decide};
///
/// let mut user: User<u8, 4> = User::new();
/// let commands = [
///     Command::SetPresence { session: 1, presence: Presence::InACall, lease: None },
///     Command::ClearPreferredPresence, // succeeds, with nothing to apply
///     Command::ClearPresence { session: 1 },
/// ];
/// for command in commands {
///     if let Some(transition) = decide(user.at(Instant::ZERO)?, command, &Policy::GRAPH)? {
///         user.apply(&transition)?;
///     }
/// }
/// assert_eq!(user.revision(), 2);
/// let again = decide(user.at(Instant::ZERO)?, Command::ClearPresence { session: 1 }, &Policy::GRAPH);
/// assert_eq!(again, Err(CommandError::NotFound));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn decide<S: Copy + Ord>(
    user: impl AtMoment<S>,
    command: Command<S>,
    policy: &Policy,
) -> Result<Option<Transition<S>>, CommandError> {
    Ok(match command {
        Command::SetPresence { session, presence, lease } => Some(user.set_presence(session, presence, lease, policy)?),
        Command::ClearPresence { session } => Some(user.clear_presence(session)?),
        Command::SetPreferredPresence { presence, duration } => {
            Some(user.set_preferred_presence(presence, duration, policy)?)
        }
        Command::ClearPreferredPresence => user.clear_preferred_presence(),
    })
}

/// Returns the transition that is due first at `now`; `None` if nothing is due.
///
/// It is stamped with its own deadline. Apply it and ask again. Transitions are never merged: how often and how late this is
/// called makes no difference to what happens ([M4](crate::rules#m4)).
///
/// ```
/// use presence_core::{Cause, Instant, Policy, Presence, User, next_due, set_presence};
///
/// let mut user: User<u8, 4> = User::new();
/// let set = set_presence(user.at(Instant::ZERO)?, 1, Presence::Available, None, &Policy::GRAPH)?;
/// user.apply(&set)?;
/// let late = Instant::from_secs(9999);
/// while let Some(transition) = next_due(&user, late, &Policy::GRAPH) {
///     assert_eq!(transition.cause(), Cause::Expired);
///     assert_eq!(transition.at(), Instant::from_secs(300));
///     user.apply(&transition)?;
/// }
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn next_due<S: Copy + Ord, const SESSIONS: usize>(
    user: &User<S, SESSIONS>,
    now: Instant,
    policy: &Policy,
) -> Option<Transition<S>> {
    let deadline = user.first_deadline();
    if !deadline.is_due(now) {
        return None;
    }
    Some(user.due_transition(deadline, user.presence(), policy))
}

/// Any of the commands, as a value for queues, wires and fuzzers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Command<S = SessionId> {
    /// Sets or renews a session; see [`set_presence`].
    SetPresence {
        /// The session of the application.
        session: S,
        /// The presence that it shows.
        presence: Presence,
        /// The time until it expires; the policy's default if `None`.
        lease: Option<Duration>,
    },
    /// Removes a session; see [`clear_presence`].
    ClearPresence {
        /// The session of the application.
        session: S,
    },
    /// Sets the preferred presence; see [`set_preferred_presence`].
    SetPreferredPresence {
        /// The presence to be seen as.
        presence: Presence,
        /// The time until it expires; the policy's default for that presence if `None`.
        duration: Option<Duration>,
    },
    /// Removes the preferred presence; see [`clear_preferred_presence`].
    ClearPreferredPresence,
}

/// The decisions of [`AtMoment`], hidden so that no other type implements it.
pub trait Decisions<S>: Copy {
    fn set_presence(
        self,
        session: S,
        presence: Presence,
        lease: Option<Duration>,
        policy: &Policy,
    ) -> Result<Transition<S>, SetPresenceError>;

    fn clear_presence(self, session: S) -> Result<Transition<S>, NotFound>;

    fn set_preferred_presence(
        self,
        presence: Presence,
        duration: Option<Duration>,
        policy: &Policy,
    ) -> Result<Transition<S>, SetPreferredError>;

    fn clear_preferred_presence(self) -> Option<Transition<S>>;
}

impl<S: Copy + Ord, const SESSIONS: usize> Decisions<S> for UserAt<'_, S, SESSIONS> {
    // Inlined into the free functions and `decide`: called, each would copy its transition once more.
    #[inline(always)]
    fn set_presence(
        self,
        session: S,
        presence: Presence,
        lease: Option<Duration>,
        policy: &Policy,
    ) -> Result<Transition<S>, SetPresenceError> {
        let lease = policy.check_session(presence, lease)?;
        let Self { user: record, now, .. } = self;
        let old = record.session(session);
        if old.is_none() && record.sessions.is_full() {
            return Err(SetPresenceError::Full);
        }
        // A keep-alive, the most frequent command, repeats the presence: there is nothing to aggregate anew.
        let after = match old {
            Some(old) if old.presence == presence => self.published,
            _ => record.presence_with(old, Some(presence), record.preferred),
        };
        let change = Change::Set(Session {
            id: session,
            expires_at: now.saturating_add(lease),
            fades_at: first_fade(presence, now, policy),
            presence,
            faded: 0,
        });
        Ok(self.transition(after, change))
    }

    #[inline(always)]
    fn clear_presence(self, session: S) -> Result<Transition<S>, NotFound> {
        let old = self.user.session(session).ok_or(NotFound)?;
        let after = self.user.presence_with(Some(old), None, self.user.preferred);
        Ok(self.transition(after, Change::Cleared(session)))
    }

    #[inline(always)]
    fn set_preferred_presence(
        self,
        presence: Presence,
        duration: Option<Duration>,
        policy: &Policy,
    ) -> Result<Transition<S>, SetPreferredError> {
        let duration = policy.check_preferred(presence, duration)?;
        let after = self.user.presence_with(None, None, Some(presence));
        let preferred = Preferred { presence, expires_at: self.now.saturating_add(duration) };
        Ok(self.transition(after, Change::PreferredSet(preferred)))
    }

    #[inline(always)]
    fn clear_preferred_presence(self) -> Option<Transition<S>> {
        self.user.preferred?;
        Some(self.transition(self.user.presence_with(None, None, None), Change::PreferredCleared))
    }
}

impl Policy {
    /// Checks what a session is set to, and returns its lease: the default if `None`.
    ///
    /// # Errors
    ///
    /// - [`SetPresenceError::Lease`] if the lease is outside [`leases`](Self::leases). It is checked first
    ///   ([H2](crate::rules#h2)).
    /// - [`SetPresenceError::Presence`] if the presence is not in [`sessions`](Self::sessions).
    // Inlined, what an error carries is not written where it is not read.
    #[inline(always)]
    pub const fn check_session(
        &self,
        presence: Presence,
        lease: Option<Duration>,
    ) -> Result<Duration, SetPresenceError> {
        let lease = match lease {
            Some(lease) if !self.leases.contains(lease) => {
                return Err(SetPresenceError::Lease { allowed: self.leases });
            }
            Some(lease) => lease,
            None => self.default_lease,
        };
        let allowed = self.sessions;
        if allowed.contains(presence) { Ok(lease) } else { Err(SetPresenceError::Presence { presence, allowed }) }
    }

    /// Checks what is preferred, and returns its duration: the default for that presence if `None`.
    ///
    /// # Errors
    ///
    /// - [`SetPreferredError::Duration`] if the duration is outside [`preferred_durations`](Self::preferred_durations). It is
    ///   checked first ([H2](crate::rules#h2)).
    /// - [`SetPreferredError::Presence`] if the presence is not in [`preferred`](Self::preferred).
    // Inlined for the same reason as `check_session`.
    #[inline(always)]
    pub const fn check_preferred(
        &self,
        presence: Presence,
        duration: Option<Duration>,
    ) -> Result<Duration, SetPreferredError> {
        let duration = match duration {
            Some(duration) if !self.preferred_durations.contains(duration) => {
                return Err(SetPreferredError::Duration { allowed: self.preferred_durations });
            }
            Some(duration) => duration,
            None => self.default_preferred_duration(presence),
        };
        let allowed = self.preferred;
        if allowed.contains(presence) { Ok(duration) } else { Err(SetPreferredError::Presence { presence, allowed }) }
    }
}

impl<S: Copy + Ord, const SESSIONS: usize> UserAt<'_, S, SESSIONS> {
    /// Creates the transition of a change at this moment.
    // Inlined, the change is written where it stays; a call would copy it.
    #[inline(always)]
    const fn transition(self, after: Presence, change: Change<S>) -> Transition<S> {
        Transition { revision: self.user.revision, at: self.now, before: self.published, after, change }
    }
}

impl<S: Copy + Ord, const SESSIONS: usize> User<S, SESSIONS> {
    /// Returns the transition that is due first at the first deadline, of a user who publishes this.
    #[inline(always)]
    pub(crate) fn due_transition(&self, deadline: Instant, published: Presence, policy: &Policy) -> Transition<S> {
        let at = UserAt { user: self, now: deadline, published };
        match self.due_at(deadline) {
            None => at.transition(self.presence_with(None, None, None), Change::PreferredExpired),
            Some(session) if session.expires_at == deadline => {
                let after = self.presence_with(Some(session), None, self.preferred);
                at.transition(after, Change::Expired(session.id))
            }
            Some(session) => {
                let Fading { at: fades_at, presence, faded } = session.fading().next(policy);
                let after = self.presence_with(Some(session), Some(presence), self.preferred);
                at.transition(after, Change::Faded(Session { fades_at, presence, faded, ..*session }))
            }
        }
    }

    /// Returns what would be published with one of these sessions replaced or removed, and this preferred presence.
    pub(super) fn presence_with(
        &self,
        replaced: Option<&Session<S>>,
        present: Option<Presence>,
        preferred: Option<Presence>,
    ) -> Presence {
        let (mut has_session, mut strongest) = (present.is_some(), present.unwrap_or(Presence::Unknown));
        for session in &self.sessions {
            if !is_same(replaced, session) {
                (has_session, strongest) = (true, strongest.max(session.presence));
            }
        }
        published(has_session, strongest, preferred)
    }
}

/// Returns when a session that is set now fades for the first time; `NEVER` if it does not.
#[inline(always)]
pub(super) fn first_fade(presence: Presence, now: Instant, policy: &Policy) -> Instant {
    if presence == Presence::Available { policy.fades.deadline(0, now) } else { Instant::NEVER }
}

/// Reports whether the session that was found is this one, by its address.
pub(super) fn is_same<S>(found: Option<&Session<S>>, session: &Session<S>) -> bool {
    found.is_some_and(|found| core::ptr::eq(found, session))
}
