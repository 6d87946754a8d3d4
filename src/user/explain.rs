//! Why a user is shown as it is, since when, and what comes next by itself. Rule A4.

use super::{Absence, Session, User, published};
use crate::id::SessionId;
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;

/// Which layer decides what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Layer<S = SessionId> {
    /// No session, and how that came about. Rules A1, A5.
    Nothing(Absence),
    /// The preferred presence. Rule A2.
    Preferred,
    /// This session: the strongest, then the one that lasts longest, then the smaller id. Rule A3.
    Session(S),
}

/// Why a user is shown as it is. Rule A4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Explanation<S = SessionId> {
    /// What is published.
    pub presence: Presence,
    /// Which layer decides that.
    pub layer: Layer<S>,
    /// Since when it is so; `None` while nothing has ever changed.
    pub since: Option<Instant>,
    /// When it will next change by itself and to what, if nobody does anything; `None` if it will not.
    pub next: Option<(Instant, Presence)>,
}

impl<S: Copy + Ord, const SESSIONS: usize> User<S, SESSIONS> {
    /// Says which layer decides, since when, and what comes next by itself. Rule A4. O(`SESSIONS`²): it looks at one
    /// deadline after the other until something shows.
    ///
    /// ```
    /// use presence_core::{Instant, Layer, Policy, Presence, User, set_presence};
    ///
    /// let mut user: User<u8, 4> = User::new();
    /// let set = set_presence(user.at(Instant::ZERO)?, 1, Presence::Available, None, &Policy::GRAPH)?;
    /// user.apply(&set)?;
    /// let why = user.explain(&Policy::GRAPH);
    /// assert_eq!(why.layer, Layer::Session(1));
    /// assert_eq!(why.next, Some((Instant::from_secs(300), Presence::Offline)));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn explain(&self, policy: &Policy) -> Explanation<S> {
        let mut deciding: Option<&Session<S>> = None;
        for session in &self.sessions {
            // They come in the order of their ids: among equals, the one that came first stays.
            let strength = |session: &Session<S>| (session.presence, session.expires_at);
            if deciding.is_none_or(|deciding| strength(session) > strength(deciding)) {
                deciding = Some(session);
            }
        }
        let presence = self.presence();
        let next = self.next_change(presence, policy);
        let (since, preferred) = (self.since(), self.preferred);
        match deciding {
            None => Explanation { presence, layer: Layer::Nothing(self.absence), since, next },
            Some(_) if preferred.is_some() => Explanation { presence, layer: Layer::Preferred, since, next },
            Some(session) => Explanation { presence, layer: Layer::Session(session.id), since, next },
        }
    }

    /// What is published at a moment, and the version it has then, with everything that is overdue taken into account but
    /// not carried out: a read that needs no [`next_due`](super::next_due) and no copy. Rules M4, V1. O(`SESSIONS`),
    /// O(`SESSIONS`²) if something is overdue.
    ///
    /// ```
    /// use presence_core::{Instant, Policy, Presence, User, set_presence};
    ///
    /// let mut user: User<u8, 4> = User::new();
    /// let set = set_presence(user.at(Instant::ZERO)?, 1, Presence::Available, None, &Policy::GRAPH)?;
    /// user.apply(&set)?;
    /// assert_eq!(user.read_at(Instant::from_secs(299), &Policy::GRAPH), (Presence::Available, 1));
    /// assert_eq!(user.read_at(Instant::from_secs(300), &Policy::GRAPH), (Presence::Offline, 2));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn read_at(&self, now: Instant, policy: &Policy) -> (Presence, u64) {
        let (mut presence, mut version) = (self.presence(), self.version);
        let mut moment = self.first_deadline();
        while moment.is_due(now) {
            let (seen, next) = self.seen_at(moment, policy);
            if seen != presence {
                version = version.saturating_add(1);
            }
            (presence, moment) = (seen, next);
        }
        (presence, version)
    }

    /// The first deadline that changes what is seen, and to what.
    fn next_change(&self, presence: Presence, policy: &Policy) -> Option<(Instant, Presence)> {
        let mut moment = self.first_deadline();
        // Each round uses up a deadline, and there are finitely many: fades are, and each session expires.
        while moment != Instant::NEVER {
            let (seen, next) = self.seen_at(moment, policy);
            if seen != presence {
                return Some((moment, seen));
            }
            moment = next;
        }
        None
    }

    /// What is published when everything due at a moment has happened, and the first deadline after it. Of the transitions
    /// of one moment only one can be visible, for the weakest comes first, so this is what that one shows.
    fn seen_at(&self, moment: Instant, policy: &Policy) -> (Presence, Instant) {
        let (preferred, mut next) = match self.preferred {
            Some(presence) if !self.preferred_until.is_due(moment) => (Some(presence), self.preferred_until),
            _ => (None, Instant::NEVER),
        };
        let (mut has_session, mut strongest) = (false, Presence::Unknown);
        for session in &self.sessions {
            if let Some((presence, deadline)) = session.seen_at(moment, policy) {
                (has_session, strongest) = (true, strongest.max(presence));
                next = next.min(deadline);
            }
        }
        (published(has_session, strongest, preferred), next)
    }
}
