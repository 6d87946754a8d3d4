//! Sets of presences, for policies.

use super::Presence;

/// A set of presences in two bytes, made in `const`: which ones a session may take, say. Rule P2.
///
/// ```
/// use presence_core::{Presence, PresenceSet};
///
/// const CALLS: PresenceSet = PresenceSet::of(&[Presence::InACall, Presence::InAConferenceCall]);
/// assert!(CALLS.contains(Presence::InACall));
/// assert!(!CALLS.contains(Presence::Busy));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PresenceSet(u16);

impl PresenceSet {
    /// No presence at all.
    pub const EMPTY: Self = Self(0);

    /// The set of these presences. O(presences).
    #[must_use]
    pub const fn of(presences: &[Presence]) -> Self {
        let mut set = Self::EMPTY;
        let mut rest = presences;
        while let [first, others @ ..] = rest {
            set = set.with(*first);
            rest = others;
        }
        set
    }

    /// Every presence from this one up to the strongest. O(1).
    #[must_use]
    pub const fn from_up(weakest: Presence) -> Self {
        Self((u16::MAX << weakest.as_byte()) & 0x7FFF)
    }

    /// This set and one presence more. O(1).
    #[must_use]
    pub const fn with(self, presence: Presence) -> Self {
        Self(self.0 | (1 << presence.as_byte()))
    }

    /// Whether the presence is in the set. O(1).
    #[must_use]
    pub const fn contains(self, presence: Presence) -> bool {
        self.0 & (1 << presence.as_byte()) != 0
    }

    /// The presences in the set, weakest first. O(presences) to exhaust.
    pub fn iter(self) -> impl Iterator<Item = Presence> {
        Presence::ALL.into_iter().filter(move |&presence| self.contains(presence))
    }
}

impl FromIterator<Presence> for PresenceSet {
    fn from_iter<I: IntoIterator<Item = Presence>>(presences: I) -> Self {
        presences.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl core::fmt::Debug for PresenceSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
