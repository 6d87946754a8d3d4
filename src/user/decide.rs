//! The pure decisions: what a command, or the passing of time, would do to a user at a moment. They change nothing.

use super::error::{CommandError, NotFound, SetPreferredError, SetPresenceError};
use super::session::{Fading, Preferred, Session};
use super::transition::{Change, Transition};
use super::{User, UserAt, published};
use crate::id::SessionId;
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::{Duration, Instant};

/// `setPresence`: creates the session or replaces it, and restarts its clocks; repeating it is the keep-alive. Without a
/// lease it is the policy's default again. Rules S1 to S3, S9. O(`SESSIONS`).
///
/// # Errors
///
/// What [`Policy::check_session`] refuses, and [`SetPresenceError::Full`] when a new session finds no room. Replacing a
/// session never needs room.
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
pub fn set_presence<S: Copy + Ord, const SESSIONS: usize>(
    user: UserAt<'_, S, SESSIONS>,
    session: S,
    presence: Presence,
    lease: Option<Duration>,
    policy: &Policy,
) -> Result<Transition<S>, SetPresenceError> {
    let lease = policy.check_session(presence, lease)?;
    let UserAt { user: record, now, .. } = user;
    let old = record.session(session);
    if old.is_none() && record.sessions.is_full() {
        return Err(SetPresenceError::Full);
    }
    // A keep-alive, which is most of what happens, says what was said before: nothing to aggregate anew.
    let after = match old {
        Some(old) if old.presence == presence => user.published,
        _ => record.presence_with(old, Some(presence), record.preferred),
    };
    let fades = presence == Presence::Available;
    let change = Change::Set(Session {
        id: session,
        expires_at: now.saturating_add(lease),
        fades_at: if fades { policy.fades.deadline(0, now) } else { Instant::NEVER },
        presence,
        faded: 0,
    });
    Ok(user.transition(after, change))
}

/// `clearPresence`: removes that session and no other, and leaves the preferred presence alone. Rules S5, S6.
/// O(`SESSIONS`).
///
/// # Errors
///
/// [`NotFound`] when there is no such session: never set, expired, or cleared before.
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
pub fn clear_presence<S: Copy + Ord, const SESSIONS: usize>(
    user: UserAt<'_, S, SESSIONS>,
    session: S,
) -> Result<Transition<S>, NotFound> {
    let old = user.user.session(session).ok_or(NotFound)?;
    let after = user.user.presence_with(Some(old), None, user.user.preferred);
    Ok(user.transition(after, Change::Cleared(session)))
}

/// `setUserPreferredPresence`: published over every session, as long as there is one. The last one wins, and its clock
/// restarts. Without a duration it is the policy's default for that presence. Rules A2, U1 to U3. O(`SESSIONS`).
///
/// # Errors
///
/// What [`Policy::check_preferred`] refuses.
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
pub fn set_preferred_presence<S: Copy + Ord, const SESSIONS: usize>(
    user: UserAt<'_, S, SESSIONS>,
    presence: Presence,
    duration: Option<Duration>,
    policy: &Policy,
) -> Result<Transition<S>, SetPreferredError> {
    let duration = policy.check_preferred(presence, duration)?;
    let after = user.user.presence_with(None, None, Some(presence));
    let preferred = Preferred { presence, expires_at: user.now.saturating_add(duration) };
    Ok(user.transition(after, Change::PreferredSet(preferred)))
}

/// `clearUserPreferredPresence`: the sessions decide again. It succeeds also when nothing was set: then there is nothing
/// to apply, `None`. Rule U4. O(`SESSIONS`).
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
pub fn clear_preferred_presence<S: Copy + Ord, const SESSIONS: usize>(
    user: UserAt<'_, S, SESSIONS>,
) -> Option<Transition<S>> {
    user.user.preferred?;
    Some(user.transition(user.user.presence_with(None, None, None), Change::PreferredCleared))
}

/// Time has passed: the first thing that is due at `now`, stamped with its own deadline, or `None`. Apply it and ask
/// again; nothing is folded, and how often or how late this is called makes no difference. Rules M4, S2 to S4, S8, U5.
/// O(`SESSIONS`).
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
    let published = user.presence();
    let at = UserAt { user, now: deadline, published };
    Some(match user.due_at(deadline) {
        None => at.transition(user.presence_with(None, None, None), Change::PreferredExpired),
        Some(session) if session.expires_at == deadline => {
            let after = user.presence_with(Some(session), None, user.preferred);
            at.transition(after, Change::Expired(session.id))
        }
        Some(session) => {
            let Fading { at: fades_at, presence, faded } = session.fading().next(policy);
            let after = user.presence_with(Some(session), Some(presence), user.preferred);
            at.transition(after, Change::Faded(Session { fades_at, presence, faded, ..*session }))
        }
    })
}

/// Any of the commands, as a value: what a queue, a fuzzer or a wire carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Command<S = SessionId> {
    /// See [`set_presence`].
    SetPresence {
        /// The application's session.
        session: S,
        /// What it says.
        presence: Presence,
        /// For how long; the policy's default if `None`.
        lease: Option<Duration>,
    },
    /// See [`clear_presence`].
    ClearPresence {
        /// The application's session.
        session: S,
    },
    /// See [`set_preferred_presence`].
    SetPreferredPresence {
        /// What to be seen as.
        presence: Presence,
        /// For how long; the policy's default if `None`.
        duration: Option<Duration>,
    },
    /// See [`clear_preferred_presence`].
    ClearPreferredPresence,
}

/// Decides any command; `None` when it succeeds without anything to apply (rule U4). Rule S7. O(`SESSIONS`).
///
/// # Errors
///
/// Those of the command's own decision.
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
/// let refused = decide(user.at(Instant::ZERO)?, Command::ClearPresence { session: 1 }, &Policy::GRAPH);
/// assert_eq!(refused, Err(CommandError::NotFound));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn decide<S: Copy + Ord, const SESSIONS: usize>(
    user: UserAt<'_, S, SESSIONS>,
    command: Command<S>,
    policy: &Policy,
) -> Result<Option<Transition<S>>, CommandError> {
    Ok(match command {
        Command::SetPresence { session, presence, lease } => {
            Some(set_presence(user, session, presence, lease, policy)?)
        }
        Command::ClearPresence { session } => Some(clear_presence(user, session)?),
        Command::SetPreferredPresence { presence, duration } => {
            Some(set_preferred_presence(user, presence, duration, policy)?)
        }
        Command::ClearPreferredPresence => clear_preferred_presence(user),
    })
}

impl Policy {
    /// Whether a session may be set to this for so long, and how long that is. Rules P1, S2. O(1).
    ///
    /// # Errors
    ///
    /// [`SetPresenceError::Lease`] for a lease out of range, before [`SetPresenceError::Presence`] for a presence that no
    /// session may be set to: the order of rule H2.
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

    /// Whether this may be preferred for so long, and how long that is. Rules P1, U2. O(1).
    ///
    /// # Errors
    ///
    /// [`SetPreferredError::Duration`] for a duration out of range, before [`SetPreferredError::Presence`] for a presence
    /// that may not be preferred: the order of rule H2.
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
    /// The transition that this change is, at this moment.
    // Inlined, the change is made where it stays; called, it would be copied.
    #[inline(always)]
    const fn transition(self, after: Presence, change: Change<S>) -> Transition<S> {
        Transition { revision: self.user.revision, at: self.now, before: self.published, after, change }
    }
}

impl<S: Copy + Ord, const SESSIONS: usize> User<S, SESSIONS> {
    /// What would be published with one of these sessions replaced, or gone, and this preferred presence.
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

/// Whether this very session of the user is the one that was found.
pub(super) fn is_same<S>(found: Option<&Session<S>>, session: &Session<S>) -> bool {
    found.is_some_and(|found| core::ptr::eq(found, session))
}
