//! One user: its sessions, its preferred presence, and the presence that follows.
//!
//! Reading order: [`Session`] and [`Preferred`] are the records of a user; [`Transition`] is a change of it; the pure decisions
//! make transitions; [`User::apply`] applies one; [`User::explain`] explains what is published.

mod apply;
mod decide;
mod error;
mod explain;
mod mirror;
mod session;
mod set;
mod transition;
mod validate;

#[cfg(feature = "serde")]
mod serde;

pub use apply::ApplyError;
pub use decide::{
    AtMoment, Command, clear_preferred_presence, clear_presence, decide, next_due, set_preferred_presence, set_presence,
};
pub use error::{CommandError, NotFound, OverdueError, SetPreferredError, SetPresenceError};
pub use explain::{Explanation, Layer};
pub use session::{Preferred, Session};
pub use transition::{Cause, Change, Transition};
pub(crate) use validate::{InvariantError, Untrusted};

use crate::id::SessionId;
use crate::presence::Presence;
use crate::time::Instant;

/// The way the last session of a user went.
///
/// Offline is published in every case, but a lamp shows a user who signed out differently from one whose state is unknown
/// ([A5](crate::rules#a5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(::serde::Serialize, ::serde::Deserialize))]
pub enum Absence {
    /// The user never had a session.
    #[default]
    NeverSeen,
    /// An application cleared the last session: the user has signed out.
    Cleared,
    /// The last session was not renewed: the state is stale.
    Expired,
    /// Sessions were lost in a restart: the state is stale.
    Lost,
}

impl Absence {
    /// Reports whether the user may be there all the same: in every case but [`Absence::Cleared`].
    #[must_use]
    pub const fn is_stale(self) -> bool {
        !matches!(self, Self::Cleared)
    }
}

/// One user: up to `SESSIONS` sessions, one per application, and at most one preferred presence.
///
/// It is a plain value in fixed memory, to clone, compare, or keep in a `static`; only [`apply`](Self::apply) and
/// [`rebase`](Self::rebase) change it. Sessions are in the order of their ids, so the order of arrival leaves no trace.
///
/// Session ids `S` are small `Copy` values: GUIDs, as on the wire, or `u8` on parts with two kilobytes. Write the type where a
/// user is created, because the compiler cannot infer `SESSIONS`: `User<u8, 4>`, or `User` alone for four sessions with GUIDs.
///
/// ```
/// use presence_core::{Duration, Instant, Policy, Presence, User, set_presence};
///
/// let mut user: User<u8, 4> = User::new();
/// let now = Instant::ZERO;
/// let lease = Some(Duration::from_hours(1));
/// let call = set_presence(user.at(now)?, 7, Presence::InACall, lease, &Policy::GRAPH)?;
/// user.apply(&call)?;
/// assert_eq!(user.presence(), Presence::InACall);
/// assert_eq!(user.next_deadline(), Some(Instant::from_secs(3600)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct User<S = SessionId, const SESSIONS: usize = 4> {
    /// In the order of their ids, so that equal contents are equal values.
    sessions: heapless::Vec<Session<S>, SESSIONS, u16>,
    /// The preferred presence. Apart from its end, which saves eight bytes.
    preferred: Option<Presence>,
    /// The end of the preferred presence; `NEVER` while nothing is preferred.
    preferred_until: Instant,
    /// The moment of the latest visible change; `NEVER` before the first.
    since: Instant,
    /// The way the latest session went. Without meaning while there is a session.
    absence: Absence,
    revision: u64,
    version: u64,
}

impl<S, const SESSIONS: usize> User<S, SESSIONS> {
    /// Creates a user without sessions and without a preferred presence.
    ///
    /// `SESSIONS`, the most sessions at a time, cannot be inferred: give it with the type.
    ///
    /// ```
    /// use presence_core::User;
    ///
    /// let lamp: User<u8, 8> = User::new(); // eight sessions, ids of one byte
    /// let desk: User = User::new(); // the defaults: four sessions, ids are GUIDs
    /// static KEPT: User<u8, 2> = User::new();
    /// assert!(lamp.is_empty() && desk.is_empty() && KEPT.is_empty());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self::with_version(0)
    }

    /// Creates a user whose sessions were lost in a restart: Offline, and stale ([A5](crate::rules#a5)).
    ///
    /// Its revision and version start at `version`, as in [`with_version`](Self::with_version).
    #[must_use]
    pub const fn after_restart(version: u64) -> Self {
        let mut user = Self::with_version(version);
        user.absence = Absence::Lost;
        user
    }

    /// Creates an empty user whose revision and version start at `version`.
    ///
    /// A layer that evicts users starts them above every version they had, so that no version or transition is used twice.
    #[must_use]
    pub const fn with_version(version: u64) -> Self {
        Self {
            sessions: heapless::Vec::new(),
            preferred: None,
            preferred_until: Instant::NEVER,
            since: Instant::NEVER,
            absence: Absence::NeverSeen,
            revision: version,
            version,
        }
    }

    /// Returns the sessions, in the order of their ids.
    #[must_use]
    pub fn sessions(&self) -> &[Session<S>] {
        &self.sessions
    }

    /// Returns the preferred presence, if one is set. Without a session it is not published ([U3](crate::rules#u3)).
    #[must_use]
    pub const fn preferred(&self) -> Option<Preferred> {
        match self.preferred {
            Some(presence) => Some(Preferred { presence, expires_at: self.preferred_until }),
            None => None,
        }
    }

    /// Replaces the preferred presence.
    const fn prefer(&mut self, preferred: Option<Preferred>) {
        (self.preferred, self.preferred_until) = match preferred {
            Some(Preferred { presence, expires_at }) => (Some(presence), expires_at),
            None => (None, Instant::NEVER),
        };
    }

    /// Returns the way the last session went; `None` while there is a session.
    #[must_use]
    pub fn absence(&self) -> Option<Absence> {
        self.sessions.is_empty().then_some(self.absence)
    }

    /// Returns the way the latest session went, even while there are others.
    pub(crate) const fn latest_absence(&self) -> Absence {
        self.absence
    }

    /// Removes the sessions after a gap of unknown length, in which any lease may have ended.
    ///
    /// Other changes may be lost as well, so revision and version skip `version_gap` numbers.
    pub(crate) fn lose_sessions(&mut self, now: Instant, version_gap: u64) {
        if self.presence() != Presence::Offline {
            self.since = now;
        }
        if !self.sessions.is_empty() {
            self.sessions.clear();
            self.absence = Absence::Lost;
        }
        self.revision = self.revision.saturating_add(version_gap);
        self.version = self.version.saturating_add(version_gap);
    }

    /// Returns the moment of the latest visible change; `None` before the first. Keep-alives do not move it.
    #[must_use]
    pub fn since(&self) -> Option<Instant> {
        (self.since != Instant::NEVER).then_some(self.since)
    }

    /// Returns the revision, which grows with every applied transition and every [`rebase`](Self::rebase).
    ///
    /// By it, an outdated [`Transition`] is stale. It saturates at `u64::MAX`, as the version does.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the version, which grows exactly when the published presence changes.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Adds visible changes that were counted elsewhere until now.
    pub(crate) const fn add_changes(&mut self, changes: u64) {
        self.version = self.version.saturating_add(changes);
        // A transition that was decided before tells an outdated version.
        self.revision = self.revision.saturating_add(changes);
    }

    /// Removes everything but revision and version, which count this as a change, visible or not.
    pub(crate) fn erase(&mut self, is_visible: bool) {
        let (revision, version) = (self.revision.saturating_add(1), self.version.saturating_add(is_visible.into()));
        *self = Self { revision, ..Self::with_version(version) };
    }

    /// Reports whether the user has neither sessions nor a preferred presence: it may be evicted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.preferred.is_none()
    }

    /// Returns the published presence as of the latest applied transition ([section 4](crate::rules#section-4)).
    #[must_use]
    pub fn presence(&self) -> Presence {
        let strongest =
            self.sessions.iter().fold(Presence::Unknown, |strongest, session| strongest.max(session.presence));
        published(!self.sessions.is_empty(), strongest, self.preferred)
    }
}

/// Aggregates: returns what is published, from the strongest session, if there is one, and the preferred presence.
const fn published(has_session: bool, strongest: Presence, preferred: Option<Presence>) -> Presence {
    match preferred {
        _ if !has_session => Presence::Offline,
        Some(preferred) => preferred,
        None => strongest,
    }
}

impl<S: Copy + Ord, const SESSIONS: usize> User<S, SESSIONS> {
    /// Returns the first deadline, exact; `None` if nothing will change without a command.
    ///
    /// Call [`next_due`] then. Calling it earlier wastes energy; calling it later changes nothing but the delay.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let first = self.first_deadline();
        (first != Instant::NEVER).then_some(first)
    }

    /// Returns the first deadline; `NEVER` if there is none.
    fn first_deadline(&self) -> Instant {
        self.sessions.iter().map(Session::deadline).fold(self.preferred_until, Instant::min)
    }

    /// Returns this user at a moment, as decisions take it.
    ///
    /// Nothing is overdue then, so no decision is about an outdated user ([S8](crate::rules#s8)).
    ///
    /// # Errors
    ///
    /// [`OverdueError`] if something was due at or before `now`: apply [`next_due`] first.
    ///
    /// ```
    /// use presence_core::{Instant, Policy, Presence, User, next_due, set_presence};
    ///
    /// let mut user: User<u8, 4> = User::new();
    /// let set = set_presence(user.at(Instant::ZERO)?, 1, Presence::Away, None, &Policy::GRAPH)?;
    /// user.apply(&set)?;
    /// let (deadline, now) = (Instant::from_secs(300), Instant::from_secs(1000));
    /// assert_eq!(user.at(now).err().map(|overdue| overdue.deadline), Some(deadline));
    /// while let Some(due) = next_due(&user, now, &Policy::GRAPH) {
    ///     user.apply(&due)?;
    /// }
    /// assert!(user.at(now).is_ok());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn at(&self, now: Instant) -> Result<UserAt<'_, S, SESSIONS>, OverdueError> {
        let deadline = self.first_deadline();
        if deadline.is_due(now) {
            Err(OverdueError { deadline })
        } else {
            Ok(UserAt { user: self, now, published: self.presence() })
        }
    }

    /// Moves every stored instant to a clock that calls the moment `from` by the name `to` ([C2](crate::rules#c2)).
    ///
    /// The rest of every lease stays exact to the millisecond. Transitions that were decided before are stale.
    ///
    /// # Errors
    ///
    /// [`OverdueError`] while something is due at `from`: apply [`next_due`] first. Nothing is changed.
    ///
    /// ```
    /// use presence_core::{Instant, Policy, Presence, User, set_presence};
    ///
    /// let mut user: User<u8, 4> = User::new();
    /// let set = set_presence(user.at(Instant::from_secs(1000))?, 1, Presence::Away, None, &Policy::GRAPH)?;
    /// user.apply(&set)?;
    /// // A minute later the clock starts anew: four minutes are left.
    /// user.rebase(Instant::from_secs(1060), Instant::ZERO)?;
    /// assert_eq!(user.next_deadline(), Some(Instant::from_secs(240)));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn rebase(&mut self, from: Instant, to: Instant) -> Result<(), OverdueError> {
        self.at(from)?;
        for session in &mut self.sessions {
            session.expires_at = session.expires_at.rebased(from, to);
            session.fades_at = session.fades_at.rebased(from, to);
        }
        self.preferred_until = self.preferred_until.rebased(from, to);
        self.since = self.since.rebased(from, to);
        // A transition that was decided on the old clock must not be applied on the new one.
        self.revision = self.revision.saturating_add(1);
        Ok(())
    }

    /// Returns the session with this id.
    #[must_use]
    pub fn session(&self, id: S) -> Option<&Session<S>> {
        self.sessions.iter().find(|session| session.id == id)
    }

    /// Reports whether there is room at a moment for this session, when those in `reserved` need room as well.
    #[cfg(feature = "lines")]
    pub(crate) fn has_room(&self, now: Instant, id: S, reserved: &[S]) -> bool {
        let mut others = self.sessions.iter().filter(|session| !session.expires_at().is_due(now)).map(Session::id);
        let taken = others.clone().filter(|other| !reserved.contains(other)).count();
        reserved.contains(&id) || others.any(|other| other == id) || taken.saturating_add(reserved.len()) < SESSIONS
    }

    /// Returns the session that is due first at the first deadline; `None` for the preferred presence.
    ///
    /// In the order of [S8](crate::rules#s8): sessions before the preferred presence, the weakest first, then the smallest id.
    fn due_at(&self, first_deadline: Instant) -> Option<&Session<S>> {
        let mut first: Option<&Session<S>> = None;
        for session in &self.sessions {
            // In the order of ids: among equals, the smallest id stays.
            let is_weaker = first.is_none_or(|first| session.presence < first.presence);
            if is_weaker && session.deadline() == first_deadline {
                first = Some(session);
            }
        }
        first
    }
}

impl<S, const SESSIONS: usize> Default for User<S, SESSIONS> {
    fn default() -> Self {
        Self::new()
    }
}

/// A user at a moment at which nothing is overdue, from [`User::at`]: the argument of every decision.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UserAt<'a, S = SessionId, const SESSIONS: usize = 4> {
    user: &'a User<S, SESSIONS>,
    now: Instant,
    /// The published presence, from which every decision starts.
    published: Presence,
}

impl<'a, S, const SESSIONS: usize> UserAt<'a, S, SESSIONS> {
    /// Creates a user at a moment without a check.
    ///
    /// Nothing may be overdue, and `published` is what the user publishes.
    pub(crate) const fn new_unchecked(user: &'a User<S, SESSIONS>, now: Instant, published: Presence) -> Self {
        Self { user, now, published }
    }

    /// Returns the user itself.
    #[must_use]
    pub const fn user(self) -> &'a User<S, SESSIONS> {
        self.user
    }

    /// Returns the moment of the decision.
    #[must_use]
    pub const fn now(self) -> Instant {
        self.now
    }
}

// Derived, these would ask the same of `S`.
impl<S, const SESSIONS: usize> Clone for UserAt<'_, S, SESSIONS> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, const SESSIONS: usize> Copy for UserAt<'_, S, SESSIONS> {}
