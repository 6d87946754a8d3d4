//! The pure decisions about a user's details. They change nothing.

use super::location::{LocationLayer, LocationLayers, WorkPlace};
use super::message::{OutOfOffice, StatusMessage};
use super::transition::{DetailsChange, DetailsTransition};
use super::{Details, DetailsAt};
use crate::time::Instant;

/// `setStatusMessage`: plain text, shown until `expires_at`, [`Instant::NEVER`] if it stays. Setting it again replaces it;
/// empty text removes it, and so does one whose time has already passed, for it would not be shown. `None` when there is
/// nothing to remove. Rule T1. O(`MESSAGE`).
///
/// # Errors
///
/// [`DetailsError::MessageTooLong`] for a text of more than `MESSAGE` bytes.
pub fn set_status_message<'a, const MESSAGE: usize>(
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

/// Out of office, a flag and a message of the embedder's. Rule O1. O(`MESSAGE`).
///
/// # Errors
///
/// [`DetailsError::OutOfOfficeTooLong`] for a message of more than `MESSAGE` bytes.
///
/// ```
/// use presence_core::details::{Details, OutOfOffice, set_out_of_office};
/// use presence_core::{ApplyError, Instant};
///
/// let mut details: Details<40> = Details::new();
/// let away = OutOfOffice { is_out_of_office: true, message: Some("Back in May") };
/// let set = set_out_of_office(details.at(Instant::ZERO)?, away)?;
/// details.apply(&set)?;
/// assert_eq!(details.out_of_office(), away);
/// assert_eq!(details.apply(&set), Err(ApplyError::Stale));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn set_out_of_office<'a, const MESSAGE: usize>(
    details: DetailsAt<'_, MESSAGE>,
    out_of_office: OutOfOffice<'a>,
) -> Result<DetailsTransition<'a>, DetailsError> {
    if out_of_office.message.is_some_and(|message| message.len() > MESSAGE) {
        return Err(DetailsError::OutOfOfficeTooLong);
    }
    let message = out_of_office.message.filter(|message| !message.is_empty());
    Ok(details.transition(DetailsChange::OutOfOfficeSet(OutOfOffice { message, ..out_of_office })))
}

/// `setManualLocation`, `setAutomaticLocation`, or what a calendar says: what a layer says until the day ends, or
/// whatever it is true for, is over. If it is over already, for a request may arrive when its day has just ended, the layer
/// says nothing; `None` when it said nothing before. Rule W1. O(1).
///
/// # Errors
///
/// [`DetailsError::PlaceTooLong`] for an id of more than [`WorkPlace::MAX_ID_LEN`] bytes.
pub fn set_location<'a, const MESSAGE: usize>(
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

/// `clearAutomaticLocation`, `clearLocation`, or a calendar that has nothing to say: these layers are dropped. `None` when
/// none of them says anything. Rule W1. O(1).
///
/// ```
/// use presence_core::details::{Details, LocationLayer, LocationLayers, WorkLocationType, WorkPlace};
/// use presence_core::details::{clear_locations, set_location};
/// use presence_core::Instant;
///
/// let mut details: Details<40> = Details::new();
/// let home = WorkPlace { kind: WorkLocationType::Remote, id: None };
/// let set = set_location(details.at(Instant::ZERO)?, LocationLayer::Manual, home, Instant::from_secs(3600))?;
/// details.apply(&set.ok_or("nothing to do")?)?;
/// assert_eq!(clear_locations(details.at(Instant::ZERO)?, LocationLayers::AUTOMATIC), None);
/// let cleared = clear_locations(details.at(Instant::ZERO)?, LocationLayers::MANUAL_AND_AUTOMATIC);
/// details.apply(&cleared.ok_or("nothing to do")?)?;
/// assert_eq!(details.work_location(), None);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn clear_locations<const MESSAGE: usize>(
    details: DetailsAt<'_, MESSAGE>,
    layers: LocationLayers,
) -> Option<DetailsTransition<'static>> {
    let is_set = details.details.places.any(layers);
    is_set.then(|| details.transition(DetailsChange::LocationCleared(layers)))
}

/// Time has passed: the first thing that is due at `now`, stamped with its own deadline, or `None`. Apply it and ask again.
/// Several at one instant: the message first, then the weakest layer, so that the location shown changes at most once.
/// Rules T1, W1, S8. O(1).
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

/// Any of the commands, as a value: what a queue or a wire carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DetailsCommand<'a> {
    /// See [`set_status_message`].
    SetStatusMessage {
        /// The text; empty removes it.
        text: &'a str,
        /// When it is no longer shown.
        expires_at: Instant,
    },
    /// See [`set_out_of_office`].
    SetOutOfOffice(OutOfOffice<'a>),
    /// See [`set_location`].
    SetLocation {
        /// Who says so.
        layer: LocationLayer,
        /// Where.
        place: WorkPlace<'a>,
        /// When it is over.
        until: Instant,
    },
    /// See [`clear_locations`].
    ClearLocations(LocationLayers),
}

/// Decides any command; `None` when it succeeds without anything to apply. O(`MESSAGE`).
///
/// # Errors
///
/// Those of the command's own decision.
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

/// Why a command about details was refused. Nothing has changed. Rule S7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DetailsError {
    /// The status message is longer than there is room for. Rule T1.
    MessageTooLong,
    /// The out-of-office message is longer than there is room for. Rule O1.
    OutOfOfficeTooLong,
    /// The id of the place is longer than there is room for. Rule W1.
    PlaceTooLong,
    /// There is no room for the details of another user. Rule S9.
    UsersFull,
    /// Nothing of this kind is kept here.
    Unsupported,
}

impl core::fmt::Display for DetailsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::MessageTooLong => "the status message is too long",
            Self::OutOfOfficeTooLong => "the out-of-office message is too long",
            Self::PlaceTooLong => "the id of the place is too long",
            Self::UsersFull => "no room for the details of another user",
            Self::Unsupported => "no details are kept here",
        })
    }
}

impl core::error::Error for DetailsError {}

impl<const MESSAGE: usize> DetailsAt<'_, MESSAGE> {
    /// The transition that this change is, at this moment.
    fn transition<'a>(&self, change: DetailsChange<'a>) -> DetailsTransition<'a> {
        let is_visible = self.details.is_seen(&change);
        DetailsTransition { revision: self.details.revision, at: self.now, is_visible, change }
    }
}
