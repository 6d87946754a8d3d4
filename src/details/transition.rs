//! Transitions of a user's details: small values that borrow their texts.

use super::location::{LocationLayer, LocationLayers, WorkPlace};
use super::message::{OutOfOffice, StatusMessage};
use crate::time::Instant;

/// A change of a user's details: its cause and the resulting state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DetailsChange<'a> {
    /// The status message was set to this.
    MessageSet(StatusMessage<'a>),
    /// The status message was removed.
    MessageCleared,
    /// The status message expired.
    MessageExpired,
    /// The out-of-office state was set to this.
    OutOfOfficeSet(OutOfOffice<'a>),
    /// A layer was set to this place, until this instant.
    LocationSet(LocationLayer, WorkPlace<'a>, Instant),
    /// These layers were cleared.
    LocationCleared(LocationLayers),
    /// The place of this layer reached its end.
    LocationEnded(LocationLayer),
}

/// The cause of a change of a user's details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DetailsCause {
    /// A command set the status message.
    MessageSet,
    /// A command removed the status message.
    MessageCleared,
    /// The status message expired.
    MessageExpired,
    /// A command set the out-of-office state.
    OutOfOfficeSet,
    /// A command set the location of a layer.
    LocationSet,
    /// A command cleared the locations of some layers.
    LocationCleared,
    /// The location of a layer reached its end.
    LocationEnded,
}

impl DetailsCause {
    /// Returns the name for logs and events, in the camel case of the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessageSet => "messageSet",
            Self::MessageCleared => "messageCleared",
            Self::MessageExpired => "messageExpired",
            Self::OutOfOfficeSet => "outOfOfficeSet",
            Self::LocationSet => "locationSet",
            Self::LocationCleared => "locationCleared",
            Self::LocationEnded => "locationEnded",
        }
    }
}

impl core::fmt::Display for DetailsCause {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// A decided change of a user's details, for [`Details::apply`](super::Details::apply).
///
/// It carries its instant and the resulting state, so that applying it needs no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "a decision changes nothing until it is applied"]
pub struct DetailsTransition<'a> {
    pub(super) revision: u64,
    pub(super) at: Instant,
    pub(super) is_visible: bool,
    pub(super) change: DetailsChange<'a>,
}

impl<'a> DetailsTransition<'a> {
    /// Returns the revision of the details it was decided about.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the instant of the change: that of the command, or the deadline.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// Reports whether the change is visible, so that the version grows.
    #[must_use]
    pub const fn is_visible(&self) -> bool {
        self.is_visible
    }

    /// Returns the change.
    #[must_use]
    pub const fn change(&self) -> DetailsChange<'a> {
        self.change
    }

    /// Returns the cause of the change.
    #[must_use]
    pub const fn cause(&self) -> DetailsCause {
        match self.change {
            DetailsChange::MessageSet(_) => DetailsCause::MessageSet,
            DetailsChange::MessageCleared => DetailsCause::MessageCleared,
            DetailsChange::MessageExpired => DetailsCause::MessageExpired,
            DetailsChange::OutOfOfficeSet(_) => DetailsCause::OutOfOfficeSet,
            DetailsChange::LocationSet(..) => DetailsCause::LocationSet,
            DetailsChange::LocationCleared(_) => DetailsCause::LocationCleared,
            DetailsChange::LocationEnded(_) => DetailsCause::LocationEnded,
        }
    }
}
