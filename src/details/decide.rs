//! The pure decisions about a user's details. They change nothing.

use super::location::{LocationLayer, LocationLayers, WorkPlace};
use super::message::{OutOfOffice, StatusMessage};
use super::transition::{DetailsChange, DetailsTransition};
use super::{Details, DetailsAt};
use crate::time::Instant;

/// A command that changes a user's details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DetailsCommand<'a> {
    /// Graph's `setStatusMessage`: replaces the status message.
    ///
    /// Empty text removes the message, and so does an expiry that has passed: the message would never be visible.
    SetStatusMessage {
        /// The text, at most `MESSAGE` bytes long.
        text: &'a str,
        /// The instant from which the message is no longer visible; [`Instant::NEVER`] if it stays.
        expires_at: Instant,
    },
    /// Sets the out-of-office flag and message. Not part of Graph's presence API: the application knows them.
    SetOutOfOffice(OutOfOffice<'a>),
    /// Graph's `setManualLocation` and `setAutomaticLocation`, or a calendar's entry: replaces the location of a layer.
    ///
    /// An end that has passed clears the layer: a request may arrive when its day has just ended.
    SetLocation {
        /// The source of the location.
        layer: LocationLayer,
        /// The location.
        place: WorkPlace<'a>,
        /// The end of the location, usually that of the user's day.
        until: Instant,
    },
    /// Graph's `clearAutomaticLocation` and `clearLocation`, or the end of a calendar's entry: clears these layers.
    ClearLocations(LocationLayers),
}

/// Decides a command. Returns `None` if the command succeeds and nothing changes, such as clearing what is not set.
///
/// O(`MESSAGE`).
///
/// # Errors
///
/// [`DetailsError`] if a text does not fit; a decision never returns [`UsersFull`](DetailsError::UsersFull) or
/// [`Unsupported`](DetailsError::Unsupported).
///
/// ```
/// use presence_core::details::{Details, DetailsCommand, LocationLayers, OutOfOffice, decide_details};
/// use presence_core::{ApplyError, Instant};
///
/// let mut details: Details<40> = Details::new();
/// let away = OutOfOffice { is_out_of_office: true, message: Some("Back in May") };
/// let set = decide_details(details.at(Instant::ZERO)?, DetailsCommand::SetOutOfOffice(away))?.ok_or("no change")?;
/// details.apply(&set)?;
/// assert_eq!(details.out_of_office(), away);
/// assert_eq!(details.apply(&set), Err(ApplyError::Stale));
///
/// let clear = DetailsCommand::ClearLocations(LocationLayers::MANUAL_AND_AUTOMATIC);
/// assert_eq!(decide_details(details.at(Instant::ZERO)?, clear), Ok(None));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn decide_details<'a, const MESSAGE: usize>(
    details: DetailsAt<'_, MESSAGE>,
    command: DetailsCommand<'a>,
) -> Result<Option<DetailsTransition<'a>>, DetailsError> {
    match command {
        DetailsCommand::SetStatusMessage { text, expires_at } => set_status_message(details, text, expires_at),
        DetailsCommand::SetOutOfOffice(out_of_office) => set_out_of_office(details, out_of_office).map(Some),
        DetailsCommand::SetLocation { layer, place, until } => set_location(details, layer, place, until),
        DetailsCommand::ClearLocations(layers) => Ok(clear_locations(details, layers)),
    }
}

fn set_status_message<'a, const MESSAGE: usize>(
    details: DetailsAt<'_, MESSAGE>,
    text: &'a str,
    expires_at: Instant,
) -> Result<Option<DetailsTransition<'a>>, DetailsError> {
    if text.len() > MESSAGE {
        return Err(DetailsError::MessageTooLong);
    }
    if text.is_empty() || expires_at.is_due(details.now) {
        let is_set = details.details.message.is_some();
        return Ok(is_set.then(|| details.transition(DetailsChange::MessageCleared)));
    }
    let message = StatusMessage { text, published_at: details.now, expires_at };
    Ok(Some(details.transition(DetailsChange::MessageSet(message))))
}

fn set_out_of_office<'a, const MESSAGE: usize>(
    details: DetailsAt<'_, MESSAGE>,
    out_of_office: OutOfOffice<'a>,
) -> Result<DetailsTransition<'a>, DetailsError> {
    if out_of_office.message.is_some_and(|message| message.len() > MESSAGE) {
        return Err(DetailsError::OutOfOfficeTooLong);
    }
    let message = out_of_office.message.filter(|message| !message.is_empty());
    Ok(details.transition(DetailsChange::OutOfOfficeSet(OutOfOffice { message, ..out_of_office })))
}

fn set_location<'a, const MESSAGE: usize>(
    details: DetailsAt<'_, MESSAGE>,
    layer: LocationLayer,
    place: WorkPlace<'a>,
    until: Instant,
) -> Result<Option<DetailsTransition<'a>>, DetailsError> {
    if place.id.is_some_and(|id| id.len() > WorkPlace::MAX_ID_LEN) {
        return Err(DetailsError::PlaceTooLong);
    }
    if until.is_due(details.now) {
        return Ok(clear_locations(details, LocationLayers::only(layer)));
    }
    let place = WorkPlace { id: place.id.filter(|id| !id.is_empty()), ..place };
    Ok(Some(details.transition(DetailsChange::LocationSet(layer, place, until))))
}

fn clear_locations<const MESSAGE: usize>(
    details: DetailsAt<'_, MESSAGE>,
    layers: LocationLayers,
) -> Option<DetailsTransition<'static>> {
    let is_set = details.details.places.any(layers);
    is_set.then(|| details.transition(DetailsChange::LocationCleared(layers)))
}

/// Returns the first transition due at `now`, stamped with its own deadline, or `None`. Apply it and call again.
///
/// At one instant the message expires first, then the locations, the weakest layer first: so the visible location changes at
/// most once.
///
/// ```
/// use presence_core::Instant;
/// use presence_core::details::{Details, DetailsCause, DetailsCommand, next_due_details, decide_details};
///
/// let mut details: Details<40> = Details::new();
/// let expires_at = Instant::from_secs(3600);
/// let command = DetailsCommand::SetStatusMessage { text: "at lunch", expires_at };
/// if let Some(set) = decide_details(details.at(Instant::ZERO)?, command)? {
///     details.apply(&set)?;
/// }
/// let late = Instant::from_secs(9999);
/// while let Some(due) = next_due_details(&details, late) {
///     assert_eq!((due.at(), due.cause()), (expires_at, DetailsCause::MessageExpired));
///     details.apply(&due)?;
/// }
/// assert_eq!(details.status_message(), None);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn next_due_details<const MESSAGE: usize>(
    details: &Details<MESSAGE>,
    now: Instant,
) -> Option<DetailsTransition<'static>> {
    let deadline = details.first_deadline();
    if !deadline.is_due(now) {
        return None;
    }
    let at = DetailsAt { details, now: deadline };
    Some(at.transition(details.due_at(deadline)))
}

/// The reason why a [`DetailsCommand`] failed. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DetailsError {
    /// The status message is longer than `MESSAGE` bytes.
    MessageTooLong,
    /// The out-of-office message is longer than `MESSAGE` bytes.
    OutOfOfficeTooLong,
    /// The id of the place is longer than [`WorkPlace::MAX_ID_LEN`] bytes.
    PlaceTooLong,
    /// The store holds as many users' details as it can.
    UsersFull,
    /// The store does not support this command.
    Unsupported,
}

impl core::fmt::Display for DetailsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::MessageTooLong => "the status message is too long",
            Self::OutOfOfficeTooLong => "the out-of-office message is too long",
            Self::PlaceTooLong => "the id of the place is too long",
            Self::UsersFull => "no room for the details of another user",
            Self::Unsupported => "this store does not support details",
        })
    }
}

impl core::error::Error for DetailsError {}

impl<const MESSAGE: usize> DetailsAt<'_, MESSAGE> {
    /// Returns the transition that makes this change now.
    fn transition<'a>(&self, change: DetailsChange<'a>) -> DetailsTransition<'a> {
        let is_visible = self.details.is_visible(&change);
        DetailsTransition { revision: self.details.revision, at: self.now, is_visible, change }
    }
}
