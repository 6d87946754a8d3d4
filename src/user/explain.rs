//! Why a user is shown as it is, since when, and what comes next by itself. Rule A4.

use super::{Absence, User, advance};
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
    /// Says which layer decides, since when, and what comes next by itself. O(`SESSIONS`²): it advances a copy until
    /// something shows.
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
        let deciding = self
            .sessions
            .iter()
            .max_by_key(|session| (session.presence, session.expires_at, core::cmp::Reverse(session.id)));
        let layer = match deciding {
            None => Layer::Nothing(self.absence),
            Some(_) if self.preferred.is_some() => Layer::Preferred,
            Some(session) => Layer::Session(session.id),
        };
        Explanation { presence: self.presence(), layer, since: self.since(), next: self.next_change(policy) }
    }

    /// The first deadline that changes what is seen, and to what.
    fn next_change(&self, policy: &Policy) -> Option<(Instant, Presence)> {
        let mut future = self.clone();
        // Each round uses up a deadline, and there are finitely many: fades are, and each session expires.
        while let Some(transition) = advance(&future, Instant::NEVER, policy) {
            if transition.is_visible() {
                return Some((transition.at, transition.after));
            }
            future.carry_out(&transition);
        }
        None
    }
}
