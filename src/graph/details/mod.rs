//! The wire of everything else that a presence tells: status message, work location, out of office. Feature `details`.

mod action;
mod date_time;
mod hooks;
mod write;

pub use action::{DetailsAction, MAX_MESSAGE, TextBuffer};
pub use date_time::DateTime;
pub use hooks::Hooks;
pub use write::{Resource, max_presence, write_resource};

use crate::details::LocationLayer;
pub(super) use hooks::World;

/// What a path asks to be done with a user's details. Section 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DetailsOperation {
    /// `POST …/setStatusMessage`
    SetStatusMessage,
    /// `POST …/setManualLocation`, `POST …/setAutomaticLocation`
    SetLocation(LocationLayer),
    /// `POST …/clearAutomaticLocation`
    ClearAutomaticLocation,
    /// `POST …/clearLocation`
    ClearLocation,
}

impl DetailsOperation {
    /// The operations and their names in the path.
    pub(super) const ACTIONS: [(&'static str, Self); 5] = [
        ("setStatusMessage", Self::SetStatusMessage),
        ("setManualLocation", Self::SetLocation(LocationLayer::Manual)),
        ("setAutomaticLocation", Self::SetLocation(LocationLayer::Automatic)),
        ("clearAutomaticLocation", Self::ClearAutomaticLocation),
        ("clearLocation", Self::ClearLocation),
    ];
}
