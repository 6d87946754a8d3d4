//! Sets of presences: what a policy allows.

use super::Presence;

/// A set of presences in two bytes, built in `const`.
///
/// `Display` lists its members: `Available, Away`.
///
/// ```
/// use presence_core::{Presence, PresenceSet};
///
/// const CALLS: PresenceSet = PresenceSet::of(&[Presence::InACall, Presence::InAConferenceCall]);
/// assert!(CALLS.contains(Presence::InACall));
/// assert!(!CALLS.contains(Presence::Busy));
/// assert_eq!(CALLS.to_string(), "InACall, InAConferenceCall");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PresenceSet(u16);

impl PresenceSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// Creates the set of these presences.
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

    /// Creates the set of every presence from this one up to the strongest.
    #[must_use]
    pub const fn from_up(weakest: Presence) -> Self {
        Self((u16::MAX << weakest.as_byte()) & 0x7FFF)
    }

    /// Returns this set with one more presence.
    #[must_use]
    pub const fn with(self, presence: Presence) -> Self {
        Self(self.0 | (1 << presence.as_byte()))
    }

    /// Reports whether the presence is in the set.
    #[must_use]
    pub const fn contains(self, presence: Presence) -> bool {
        self.0 & (1 << presence.as_byte()) != 0
    }

    /// Returns the presences in the set, weakest first.
    pub fn iter(self) -> impl Iterator<Item = Presence> {
        Presence::ALL.into_iter().filter(move |&presence| self.contains(presence))
    }
}

impl FromIterator<Presence> for PresenceSet {
    fn from_iter<I: IntoIterator<Item = Presence>>(presences: I) -> Self {
        presences.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl core::fmt::Display for PresenceSet {
    /// Lists the activities, which differ for every presence, weakest first; `none` for the empty set.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut separator = "";
        for presence in self.iter() {
            write!(f, "{separator}{}", presence.activity().name())?;
            separator = ", ";
        }
        if *self == Self::EMPTY { f.write_str("none") } else { Ok(()) }
    }
}

impl core::fmt::Debug for PresenceSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
