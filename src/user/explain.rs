//! Explanations of the published presence, and reads at a moment.

use super::{Absence, Session, User, published};
use crate::id::SessionId;
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;

/// The layer that decides what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Layer<S = SessionId> {
    /// No session is left; this is how the last one went.
    Nothing(Absence),
    /// The preferred presence is over every session.
    Preferred,
    /// This session decides: the strongest, then the one that lasts longest, then the smallest id.
    Session(S),
}

/// The reason of the published presence, and its next change ([A4](crate::rules#a4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Explanation<S = SessionId> {
    /// The published presence.
    pub presence: Presence,
    /// The layer that decides it.
    pub layer: Layer<S>,
    /// The moment of the latest visible change; `None` if there was none.
    pub since: Option<Instant>,
    /// The next change without another command: when, and to what; `None` if there is none.
    pub next: Option<(Instant, Presence)>,
}

impl<S: Copy + Ord, const SESSIONS: usize> User<S, SESSIONS> {
    /// Explains what is published: which layer decides, since when, and what comes next.
    ///
    /// It looks at one deadline after the other until one is visible: O(`SESSIONS`²).
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
            // In the order of ids: among equals, the smallest id stays.
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

    /// Returns the published presence and the version at `now`.
    ///
    /// What is overdue counts but is not applied, so a read needs neither [`next_due`](super::next_due) nor a copy. It is
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

    /// Returns the first deadline that changes what is published, and to what.
    fn next_change(&self, presence: Presence, policy: &Policy) -> Option<(Instant, Presence)> {
        let mut moment = self.first_deadline();
        // It ends: each round uses up a deadline, fades are finitely many, and each session expires.
        while moment != Instant::NEVER {
            let (seen, next) = self.seen_at(moment, policy);
            if seen != presence {
                return Some((moment, seen));
            }
            moment = next;
        }
        None
    }

    /// Returns what is published after all transitions of a moment, and the first deadline after it.
    ///
    /// Of these transitions one at most is visible, because the weakest comes first, so it leads to the same presence.
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
