//! One user: its sessions, its preferred presence, and the presence that follows.
//!
//! Reading order: [`Session`] and [`Preferred`] are what a user holds; [`Transition`] is what may happen to it; the pure
//! decisions make transitions; [`User::apply`] alone carries one out; [`User::explain`] says why and what next.

mod apply;
mod decide;
mod error;
mod explain;
mod session;
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

/// How a user without a session came to have none. Rule A5: “gone” and “no news” are different to someone in front of a
/// lamp, though the published presence is Offline in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(::serde::Serialize, ::serde::Deserialize))]
pub enum Absence {
    /// It never had a session.
    #[default]
    NeverSeen,
    /// An application cleared the last session: the user is gone.
    Cleared,
    /// Nobody renewed the last session: no news.
    Expired,
    /// Sessions were lost in a restart: no news.
    Lost,
}

impl Absence {
    /// Whether nobody knows if the user is there: everything but [`Absence::Cleared`]. O(1).
    #[must_use]
    pub const fn is_no_news(self) -> bool {
        !matches!(self, Self::Cleared)
    }
}

/// One user: up to `SESSIONS` sessions, one per application, and at most one preferred presence. Rules M1 to M5.
///
/// A plain value in fixed memory: cloned, compared, put in a `static`. Its session id `S` is small and `Copy`; the default
/// is the GUID of the wire, two-kilobyte parts can use `u8`. Only [`apply`](Self::apply) and [`rebase`](Self::rebase)
/// change it.
///
/// Sessions are kept in the order of their ids: what a user holds does not depend on the order in which it arrived.
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
    /// In the order of their ids, so that a user is one value however its sessions arrived.
    sessions: heapless::Vec<Session<S>, SESSIONS, u16>,
    /// What is preferred. Beside its end instead of with it, the two take eight bytes less.
    preferred: Option<Presence>,
    /// When that ends; never while nothing is preferred.
    preferred_until: Instant,
    /// When the published presence took its present value; never when it has not changed yet.
    since: Instant,
    /// How the latest session to go went. Means nothing while there is one.
    absence: Absence,
    revision: u64,
    version: u64,
}

impl<S, const SESSIONS: usize> User<S, SESSIONS> {
    /// A user never heard of. `const`, so that it can live in a `static`. Rule M5. O(1).
    #[must_use]
    pub const fn new() -> Self {
        Self::with_version(0)
    }

    /// A user whose sessions were lost in a restart: Offline, and no news (rule A5). Its revision and version start at a
    /// number, as in [`with_version`](Self::with_version). O(1).
    #[must_use]
    pub const fn after_restart(number: u64) -> Self {
        let mut user = Self::with_version(number);
        user.absence = Absence::Lost;
        user
    }

    /// A user never heard of whose revision and version start at a number, for a wrapping layer that forgets users and
    /// must not give an old version, or an old transition, a second meaning. Rules V1, V2. O(1).
    #[must_use]
    pub const fn with_version(number: u64) -> Self {
        Self {
            sessions: heapless::Vec::new(),
            preferred: None,
            preferred_until: Instant::NEVER,
            since: Instant::NEVER,
            absence: Absence::NeverSeen,
            revision: number,
            version: number,
        }
    }

    /// The sessions, in the order of their ids. Rule M1. O(1).
    #[must_use]
    pub fn sessions(&self) -> &[Session<S>] {
        &self.sessions
    }

    /// The preferred presence, if one is stored; with no session it shows nothing. Rules U1, U3. O(1).
    #[must_use]
    pub const fn preferred(&self) -> Option<Preferred> {
        match self.preferred {
            Some(presence) => Some(Preferred { presence, expires_at: self.preferred_until }),
            None => None,
        }
    }

    /// Replaces what is preferred.
    const fn prefer(&mut self, preferred: Option<Preferred>) {
        (self.preferred, self.preferred_until) = match preferred {
            Some(Preferred { presence, expires_at }) => (Some(presence), expires_at),
            None => (None, Instant::NEVER),
        };
    }

    /// How the last session ended; `None` while there is one. Rule A5. O(1).
    #[must_use]
    pub fn absence(&self) -> Option<Absence> {
        self.sessions.is_empty().then_some(self.absence)
    }

    /// How the latest session to go went, while there are others too.
    pub(crate) const fn latest_absence(&self) -> Absence {
        self.absence
    }

    /// After a gap of unknown length any lease may have run out: its sessions are lost. What else may have happened to it
    /// is unknown as well, so its numbers leap. Rules A5, V1, V2.
    pub(crate) fn lose_sessions(&mut self, now: Instant, leap: u64) {
        if self.presence() != Presence::Offline {
            self.since = now;
        }
        if !self.sessions.is_empty() {
            self.sessions.clear();
            self.absence = Absence::Lost;
        }
        self.revision = self.revision.saturating_add(leap);
        self.version = self.version.saturating_add(leap);
    }

    /// When the published presence took its present value; `None` while it has not changed yet. Keep-alives do not move
    /// it. Rule A4. O(1).
    #[must_use]
    pub fn since(&self) -> Option<Instant> {
        (self.since != Instant::NEVER).then_some(self.since)
    }

    /// Grows with every applied transition, and with every [`rebase`](Self::rebase); what makes an outdated
    /// [`Transition`] stale. At the end of numbers, which nobody reaches by counting, it stays, as the version does: so no
    /// stored form of a user that was taken in leads to one that would not be. Rule V2. O(1).
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Grows exactly when the published presence changes. Rule V1. O(1).
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Counts visible changes that were counted elsewhere until now. Rule V1.
    pub(crate) const fn add_changes(&mut self, changes: u64) {
        self.version = self.version.saturating_add(changes);
        // Whatever was decided before tells a version that has passed.
        self.revision = self.revision.saturating_add(changes);
    }

    /// Whether nothing is stored, so that a wrapping layer may forget this user: no session, no preferred presence. Rule
    /// M5. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.preferred.is_none()
    }

    /// What is published. Rules M4, A1 to A3. O(`SESSIONS`).
    #[must_use]
    pub fn presence(&self) -> Presence {
        let strongest =
            self.sessions.iter().fold(Presence::Unknown, |strongest, session| strongest.max(session.presence));
        published(!self.sessions.is_empty(), strongest, self.preferred)
    }
}

/// The published presence, of the strongest session, if there is any, and the preferred presence: the whole of
/// aggregation. Rules A1 to A3.
const fn published(has_session: bool, strongest: Presence, preferred: Option<Presence>) -> Presence {
    match preferred {
        _ if !has_session => Presence::Offline,
        Some(preferred) => preferred,
        None => strongest,
    }
}

impl<S: Copy + Ord, const SESSIONS: usize> User<S, SESSIONS> {
    /// When to come back: the first deadline, exact; `None` when nothing will change by itself.
    ///
    /// It is harmless, but wastes energy, to call [`next_due`] before it, and only late to call it after. Rule M4.
    /// O(`SESSIONS`).
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let first = self.first_deadline();
        (first != Instant::NEVER).then_some(first)
    }

    /// The same; never when nothing will change by itself.
    fn first_deadline(&self) -> Instant {
        self.sessions.iter().map(Session::deadline).fold(self.preferred_until, Instant::min)
    }

    /// This user at a moment, as decisions take it; refused while something is overdue, so that nobody decides about an
    /// outdated user. Rule S8. O(`SESSIONS`).
    ///
    /// # Errors
    ///
    /// [`OverdueError`] names the first deadline that has happened: [`next_due`] first.
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

    /// Shifts every stored instant: the moment the clock called `from` is now called `to`, and what is left of every
    /// lease is kept to the millisecond. Rule C2. O(`SESSIONS`).
    ///
    /// Transitions that were decided before are stale after it.
    ///
    /// # Errors
    ///
    /// [`OverdueError`] while something is due at `from`: [`next_due`] first. Nothing is changed.
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
        // What was decided under the old names of the moments must not be applied under the new ones.
        self.revision = self.revision.saturating_add(1);
        Ok(())
    }

    /// The session with this id. Rule M2. O(`SESSIONS`).
    #[must_use]
    pub fn session(&self, id: S) -> Option<&Session<S>> {
        self.sessions.iter().find(|session| session.id == id)
    }

    /// What happens at the first deadline, in the order of rule S8: sessions before the preferred presence, which is
    /// `None`, the weakest present presence first, then the smaller id.
    fn due_at(&self, first_deadline: Instant) -> Option<&Session<S>> {
        let mut first: Option<&Session<S>> = None;
        for session in &self.sessions {
            // They come in the order of their ids: among equals, the one that came first stays.
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

/// A user at a moment at which nothing is overdue: what a decision is about. Made by [`User::at`].
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UserAt<'a, S = SessionId, const SESSIONS: usize = 4> {
    user: &'a User<S, SESSIONS>,
    now: Instant,
    /// What the user publishes: every decision starts from it.
    published: Presence,
}

impl<'a, S, const SESSIONS: usize> UserAt<'a, S, SESSIONS> {
    /// A user of whom somebody knows that nothing is overdue, and what it publishes.
    pub(crate) const fn new_unchecked(user: &'a User<S, SESSIONS>, now: Instant, published: Presence) -> Self {
        Self { user, now, published }
    }

    /// The user. O(1).
    #[must_use]
    pub const fn user(self) -> &'a User<S, SESSIONS> {
        self.user
    }

    /// The moment. O(1).
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
