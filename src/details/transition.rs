//! What may happen to a user's details, as a small value that borrows its text.

use super::location::{LocationLayer, LocationLayers, WorkPlace};
use super::message::{OutOfOffice, StatusMessage};
use crate::time::Instant;

/// What happens: cause and resulting record in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DetailsChange<'a> {
    /// The status message is now so. Rule T1.
    MessageSet(StatusMessage<'a>),
    /// The status message was removed. Rule T1.
    MessageCleared,
    /// The status message expired. Rule T1.
    MessageExpired,
    /// Out of office is now so. Rule O1.
    OutOfOfficeSet(OutOfOffice<'a>),
    /// A layer of the work location is now so, until then. Rule W1.
    LocationSet(LocationLayer, WorkPlace<'a>, Instant),
    /// These layers of the work location say nothing any more. Rule W1.
    LocationCleared(LocationLayers),
    /// What a layer said is over. Rule W1.
    LocationEnded(LocationLayer),
}

/// Why something happened to a user's details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DetailsCause {
    /// A status message was set. Rule T1.
    MessageSet,
    /// The status message was removed. Rule T1.
    MessageCleared,
    /// The status message expired. Rule T1.
    MessageExpired,
    /// Out of office was set. Rule O1.
    OutOfOfficeSet,
    /// A location was set. Rule W1.
    LocationSet,
    /// Locations were cleared. Rule W1.
    LocationCleared,
    /// The day that a location was for is over. Rule W1.
    LocationEnded,
}

impl DetailsCause {
    /// A name for logs and events, in the camel case of the wire. O(1).
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
        f.write_str(self.name())
    }
}

/// What a decision about a user's details decided: at which instant, whether anyone can see it, and the resulting record, so
/// that [`Details::apply`](super::Details::apply) needs no clock.
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
    /// The revision of the details it was decided about. Rule V2. O(1).
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// When it happens: the moment of the command, or the deadline itself. O(1).
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// Whether what can be shown changes. Rule V1. O(1).
    #[must_use]
    pub const fn is_visible(&self) -> bool {
        self.is_visible
    }

    /// The resulting record. O(1).
    #[must_use]
    pub const fn change(&self) -> DetailsChange<'a> {
        self.change
    }

    /// Why it happens. O(1).
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
