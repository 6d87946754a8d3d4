//! What else a presence tells of a user, beside the published presence: a status message, out of office, a work location.
//! Rules T1, O1, W1, V1. Feature `details`.
//!
//! It is kept beside the [`User`](crate::User), not in it: few users have any, and a status message is longer than all else
//! that is known of a user. It has the same shape: pure decisions make transitions, [`Details::apply`] alone carries one out.
//!
//! Reading order: [`StatusMessage`], [`OutOfOffice`] and [`WorkLocation`] are what can be shown; [`DetailsTransition`] is what
//! may happen; the decisions make transitions; [`Details`] holds it all in fixed memory.
//!
//! ```
//! use presence_core::details::{Details, DetailsCommand, LocationLayer, WorkLocationType, WorkPlace, decide_details};
//! use presence_core::{Instant, OverdueError};
//!
//! let mut details: Details<140> = Details::new(); // messages of up to 140 bytes
//! let noon = Instant::from_secs(43_200);
//! let evening = Instant::from_secs(64_800);
//! let office = WorkPlace { kind: WorkLocationType::Office, id: None };
//! for command in [
//!     DetailsCommand::SetStatusMessage { text: "Back at three ☕", expires_at: evening },
//!     DetailsCommand::SetLocation { layer: LocationLayer::Manual, place: office, until: evening },
//! ] {
//!     if let Some(transition) = decide_details(details.at(noon)?, command)? {
//!         details.apply(&transition)?;
//!     }
//! }
//! assert_eq!(details.status_message().map(|message| message.text), Some("Back at three ☕"));
//! assert_eq!(details.work_location().map(|location| location.place), Some(office));
//! assert_eq!(details.version(), 2);
//! assert_eq!(details.next_deadline(), Some(evening));
//! assert_eq!(details.at(evening).unwrap_err(), OverdueError::new(evening));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod apply;
mod decide;
mod location;
mod message;
mod transition;

pub use decide::{DetailsCommand, DetailsError, decide_details, next_due_details};
pub use location::{LocationLayer, LocationLayers, WorkLocation, WorkLocationType, WorkPlace};
pub use message::{OutOfOffice, StatusMessage};
pub use transition::{DetailsCause, DetailsChange, DetailsTransition};

use crate::time::Instant;
use crate::user::OverdueError;
use location::Layers;
use message::StoredMessage;

/// Status message, out of office and work location of one user, in fixed memory: messages of up to `MESSAGE` bytes of UTF-8.
/// Rules T1, O1, W1.
///
/// A plain value: cloned, compared, put in a `static`. Only [`apply`](Self::apply) and [`rebase`](Self::rebase) change it. Its
/// size is about `2 × MESSAGE` + 350 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Details<const MESSAGE: usize = 1120> {
    message: Option<StoredMessage<MESSAGE>>,
    is_out_of_office: bool,
    /// Empty where there is none.
    out_of_office: heapless::String<MESSAGE>,
    places: Layers,
    revision: u64,
    version: u64,
}

impl<const MESSAGE: usize> Details<MESSAGE> {
    /// Of a user who has told nothing. Rule M5. O(1).
    #[must_use]
    pub const fn new() -> Self {
        Self::with_version(0)
    }

    /// The same whose revision and version start at a number, for a wrapping layer that forgets and must not give an old
    /// version, or an old transition, a second meaning. Rules V1, V2. O(1).
    #[must_use]
    pub const fn with_version(number: u64) -> Self {
        Self {
            message: None,
            is_out_of_office: false,
            out_of_office: heapless::String::new(),
            places: Layers::EMPTY,
            revision: number,
            version: number,
        }
    }

    /// The status message, if there is one. Rule T1. O(1).
    #[must_use]
    pub fn status_message(&self) -> Option<StatusMessage<'_>> {
        self.message.as_ref().map(StoredMessage::view)
    }

    /// Whether the user is out of office, and what it lets say. Rule O1. O(1).
    #[must_use]
    pub fn out_of_office(&self) -> OutOfOffice<'_> {
        let message = Some(self.out_of_office.as_str()).filter(|message| !message.is_empty());
        OutOfOffice { is_out_of_office: self.is_out_of_office, message }
    }

    /// Where the user works: the strongest layer that says something; `None` if none does. Rule W1. O(1).
    #[must_use]
    pub fn work_location(&self) -> Option<WorkLocation<'_>> {
        self.places.strongest()
    }

    /// What a layer says, and until when. Rule W1. O(1).
    #[must_use]
    pub fn place(&self, layer: LocationLayer) -> Option<(WorkPlace<'_>, Instant)> {
        self.places.get(layer).map(|place| (place.view(), place.until))
    }

    /// All that can be shown, for whoever writes it down. Rules T1, O1, W1. O(1).
    #[must_use]
    pub fn view(&self) -> DetailsView<'_> {
        DetailsView {
            status_message: self.status_message(),
            out_of_office: self.out_of_office(),
            work_location: self.work_location(),
            version: self.version,
        }
    }

    /// What can be shown at a moment, and the version it has then, with everything that is overdue taken into account but not
    /// carried out: a read that needs no [`next_due_details`] and no copy. Rules T1, W1, V1. O(1).
    ///
    /// ```
    /// use presence_core::details::{Details, DetailsCommand, decide_details};
    /// use presence_core::Instant;
    ///
    /// let mut details: Details<40> = Details::new();
    /// let lunch = DetailsCommand::SetStatusMessage { text: "lunch", expires_at: Instant::from_secs(60) };
    /// if let Some(set) = decide_details(details.at(Instant::ZERO)?, lunch)? {
    ///     details.apply(&set)?;
    /// }
    /// let (before, after) = (details.view_at(Instant::from_secs(59)), details.view_at(Instant::from_secs(60)));
    /// assert_eq!((before.status_message, before.version), (details.status_message(), 1));
    /// assert_eq!((after.status_message, after.version), (None, 2));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn view_at(&self, now: Instant) -> DetailsView<'_> {
        let status_message = self.status_message().filter(|message| !message.expires_at.is_due(now));
        let (work_location, ended) = self.places.strongest_at(now);
        let expired = self.message.is_some() && status_message.is_none();
        DetailsView {
            status_message,
            out_of_office: self.out_of_office(),
            work_location,
            version: self.version.saturating_add(ended).saturating_add(expired.into()),
        }
    }

    /// Grows with every applied transition, and with every [`rebase`](Self::rebase). Rule V2. O(1).
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Grows exactly when what can be shown changes. A user's version on the wire is this and
    /// [`User::version`](crate::User::version) together. Rule V1. O(1).
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether nothing is stored, so that a wrapping layer may forget it. Rule M5. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.message.is_none() && !self.is_out_of_office && self.out_of_office.is_empty() && self.places.is_empty()
    }

    /// When to come back: the first deadline, exact; `None` when nothing will change by itself. O(1).
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let first = self.first_deadline();
        (first != Instant::NEVER).then_some(first)
    }

    fn first_deadline(&self) -> Instant {
        let message = self.message.as_ref().map_or(Instant::NEVER, |message| message.expires_at);
        LocationLayer::ALL.iter().fold(message, |first, layer| first.min(self.places.until(*layer)))
    }

    /// This at a moment, as decisions take it; refused while something is overdue. Rule S8. O(1).
    ///
    /// # Errors
    ///
    /// [`OverdueError`] names the first deadline that has happened: [`next_due_details`] first.
    pub fn at(&self, now: Instant) -> Result<DetailsAt<'_, MESSAGE>, OverdueError> {
        let deadline = self.first_deadline();
        if deadline.is_due(now) { Err(OverdueError { deadline }) } else { Ok(DetailsAt { details: self, now }) }
    }

    /// Shifts every stored instant: the moment the clock called `from` is now called `to`. Rule C2. O(1).
    ///
    /// Transitions that were decided before are stale after it.
    ///
    /// # Errors
    ///
    /// [`OverdueError`] while something is due at `from`: [`next_due_details`] first. Nothing is changed.
    pub fn rebase(&mut self, from: Instant, to: Instant) -> Result<(), OverdueError> {
        self.at(from)?;
        if let Some(message) = &mut self.message {
            message.published_at = message.published_at.rebased(from, to);
            message.expires_at = message.expires_at.rebased(from, to);
        }
        self.places.rebase(from, to);
        self.revision = self.revision.saturating_add(1);
        Ok(())
    }
}

impl<const MESSAGE: usize> Default for Details<MESSAGE> {
    fn default() -> Self {
        Self::new()
    }
}

/// All of a user's details that can be shown, borrowed from wherever they are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DetailsView<'a> {
    /// The status message, if there is one.
    pub status_message: Option<StatusMessage<'a>>,
    /// Whether the user is out of office.
    pub out_of_office: OutOfOffice<'a>,
    /// Where the user works, if anybody says.
    pub work_location: Option<WorkLocation<'a>>,
    /// How often this changed: see [`Details::version`].
    pub version: u64,
}

/// A user's details at a moment at which nothing is overdue: what a decision is about. Made by [`Details::at`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DetailsAt<'a, const MESSAGE: usize = 1120> {
    details: &'a Details<MESSAGE>,
    now: Instant,
}

impl<'a, const MESSAGE: usize> DetailsAt<'a, MESSAGE> {
    /// The details. O(1).
    #[must_use]
    pub const fn details(self) -> &'a Details<MESSAGE> {
        self.details
    }

    /// The moment. O(1).
    #[must_use]
    pub const fn now(self) -> Instant {
        self.now
    }
}

/// Details from foreign hands, built up and taken in whole.
pub(crate) struct Builder<const MESSAGE: usize>(Details<MESSAGE>);

impl<const MESSAGE: usize> Builder<MESSAGE> {
    pub(crate) const fn new() -> Self {
        Self(Details::new())
    }

    /// How often they have changed.
    pub(crate) const fn count(&mut self, revision: u64, version: u64) {
        (self.0.revision, self.0.version) = (revision, version);
    }

    /// Whether there was room.
    pub(crate) fn message(&mut self, text: &str, published_at: Instant, expires_at: Instant) -> bool {
        StoredMessage::put(&mut self.0.message, StatusMessage { text, published_at, expires_at });
        self.0.message.is_some()
    }

    /// Whether there was room.
    pub(crate) fn out_of_office(&mut self, is_out_of_office: bool, message: &str) -> bool {
        self.0.is_out_of_office = is_out_of_office;
        self.0.out_of_office.push_str(message).is_ok()
    }

    /// Whether there was room.
    pub(crate) fn place(&mut self, layer: LocationLayer, place: WorkPlace<'_>, until: Instant) -> bool {
        self.0.places.set(layer, place, until);
        self.0.places.get(layer).is_some()
    }

    /// What is left of it after a gap of unknown length: what is true for a day may be of another day.
    pub(crate) fn after_unknown_gap(&mut self, leap: u64) {
        self.0.places = Layers::EMPTY;
        self.0.revision = self.0.revision.saturating_add(leap);
        self.0.version = self.0.version.saturating_add(leap);
    }

    pub(crate) fn finish(self) -> Details<MESSAGE> {
        self.0
    }
}
