//! The details of a user: status message, out of office and work location. Feature `details`.
//!
//! [Section 6 of the rules](crate::rules#section-6) defines them. They are stored beside the [`User`](crate::User), not in it:
//! few users have any, and a status message is longer than everything else in a user. They work in the same way: pure
//! decisions return transitions, and [`Details::apply`] applies one.
//!
//! Reading order: [`StatusMessage`], [`OutOfOffice`] and [`WorkLocation`] are what others see; [`DetailsCommand`] is what an
//! application can change; [`DetailsTransition`] is a decided change; [`Details`] stores everything in fixed memory.
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

/// The status message, out-of-office state and work location of one user, in fixed memory.
///
/// Each of the two messages has at most `MESSAGE` bytes of UTF-8; the value takes about `2 × MESSAGE` + 350 bytes. It can be
/// cloned, compared and stored in a `static`. Only [`apply`](Self::apply) and [`rebase`](Self::rebase) change it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Details<const MESSAGE: usize = 1120> {
    message: Option<StoredMessage<MESSAGE>>,
    is_out_of_office: bool,
    /// Empty if there is none.
    out_of_office: heapless::String<MESSAGE>,
    places: Layers,
    revision: u64,
    version: u64,
}

impl<const MESSAGE: usize> Details<MESSAGE> {
    /// Creates the details of a user with none set.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_version(0)
    }

    /// Creates empty details whose revision and version start at `number`.
    ///
    /// For stores that drop empty details: with a number above the last ones, no version is used twice and no old transition
    /// applies.
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

    /// Returns the status message, if there is one.
    #[must_use]
    pub fn status_message(&self) -> Option<StatusMessage<'_>> {
        self.message.as_ref().map(StoredMessage::view)
    }

    /// Returns the out-of-office state.
    #[must_use]
    pub fn out_of_office(&self) -> OutOfOffice<'_> {
        let message = Some(self.out_of_office.as_str()).filter(|message| !message.is_empty());
        OutOfOffice { is_out_of_office: self.is_out_of_office, message }
    }

    /// Returns the work location: that of the strongest layer that has a place.
    #[must_use]
    pub fn work_location(&self) -> Option<WorkLocation<'_>> {
        self.places.strongest()
    }

    /// Returns the place of a layer and the instant of its end.
    #[must_use]
    pub fn place(&self, layer: LocationLayer) -> Option<(WorkPlace<'_>, Instant)> {
        self.places.get(layer).map(|place| (place.view(), place.until))
    }

    /// Returns everything that others can see.
    #[must_use]
    pub fn view(&self) -> DetailsView<'_> {
        DetailsView {
            status_message: self.status_message(),
            out_of_office: self.out_of_office(),
            work_location: self.work_location(),
            version: self.version,
        }
    }

    /// Returns what others can see at `now`, and the version at that instant, as if everything due were applied.
    ///
    /// It needs neither [`next_due_details`] nor a copy.
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

    /// Returns the revision, which grows with every applied transition and every [`rebase`](Self::rebase).
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the version, which grows exactly when others see a change.
    ///
    /// The version on the wire is the sum of this and [`User::version`](crate::User::version): rule [V1](crate::rules#v1).
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Reports whether nothing is set, so that a store may drop these details.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.message.is_none() && !self.is_out_of_office && self.out_of_office.is_empty() && self.places.is_empty()
    }

    /// Returns the first deadline, at which to call [`next_due_details`]; `None` if nothing changes by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let first = self.first_deadline();
        (first != Instant::NEVER).then_some(first)
    }

    /// Returns the first deadline, or never.
    fn first_deadline(&self) -> Instant {
        let message = self.message.as_ref().map_or(Instant::NEVER, |message| message.expires_at);
        LocationLayer::ALL.iter().fold(message, |first, layer| first.min(self.places.until(*layer)))
    }

    /// Returns these details at `now`, the argument of [`decide_details`].
    ///
    /// # Errors
    ///
    /// [`OverdueError`] if something is due at `now`: apply [`next_due_details`] first.
    pub fn at(&self, now: Instant) -> Result<DetailsAt<'_, MESSAGE>, OverdueError> {
        let deadline = self.first_deadline();
        if deadline.is_due(now) { Err(OverdueError { deadline }) } else { Ok(DetailsAt { details: self, now }) }
    }

    /// Makes empty details those of a new user: something else has counted their changes.
    #[cfg(feature = "graph")]
    pub(crate) const fn forget_changes(&mut self) {
        self.revision = 0;
        self.version = 0;
    }

    /// Moves every stored instant from a clock that reads `from` to one that reads `to` at the same moment.
    ///
    /// Transitions decided before are stale afterwards.
    ///
    /// # Errors
    ///
    /// [`OverdueError`] if something is due at `from`: apply [`next_due_details`] first. Nothing has changed.
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

/// Everything that others can see of a user's details, borrowed from the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DetailsView<'a> {
    /// The status message, if there is one.
    pub status_message: Option<StatusMessage<'a>>,
    /// The out-of-office state.
    pub out_of_office: OutOfOffice<'a>,
    /// The work location, if a layer has a place.
    pub work_location: Option<WorkLocation<'a>>,
    /// The number of visible changes: see [`Details::version`].
    pub version: u64,
}

/// A user's details at an instant at which nothing is overdue, made by [`Details::at`].
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DetailsAt<'a, const MESSAGE: usize = 1120> {
    details: &'a Details<MESSAGE>,
    now: Instant,
}

impl<'a, const MESSAGE: usize> DetailsAt<'a, MESSAGE> {
    /// Returns the details.
    #[must_use]
    pub const fn details(self) -> &'a Details<MESSAGE> {
        self.details
    }

    /// Returns the instant.
    #[must_use]
    pub const fn now(self) -> Instant {
        self.now
    }
}

/// A builder of details from untrusted bytes.
pub(crate) struct Builder<const MESSAGE: usize>(Details<MESSAGE>);

impl<const MESSAGE: usize> Builder<MESSAGE> {
    pub(crate) const fn new() -> Self {
        Self(Details::new())
    }

    /// Sets revision and version.
    pub(crate) const fn numbers(&mut self, revision: u64, version: u64) {
        (self.0.revision, self.0.version) = (revision, version);
    }

    /// Sets the status message, and reports whether it fits.
    pub(crate) fn message(&mut self, text: &str, published_at: Instant, expires_at: Instant) -> bool {
        StoredMessage::put(&mut self.0.message, StatusMessage { text, published_at, expires_at });
        self.0.message.is_some()
    }

    /// Sets the out-of-office state, and reports whether the message fits.
    pub(crate) fn out_of_office(&mut self, is_out_of_office: bool, message: &str) -> bool {
        self.0.is_out_of_office = is_out_of_office;
        self.0.out_of_office.push_str(message).is_ok()
    }

    /// Sets the place of a layer, and reports whether the id fits.
    pub(crate) fn place(&mut self, layer: LocationLayer, place: WorkPlace<'_>, until: Instant) -> bool {
        self.0.places.set(layer, place, until);
        self.0.places.get(layer).is_some()
    }

    /// Drops what may have ended during a gap of unknown length, the locations, and adds the gap to revision and version.
    pub(crate) fn after_unknown_gap(&mut self, version_gap: u64) {
        self.0.places = Layers::EMPTY;
        self.0.revision = self.0.revision.saturating_add(version_gap);
        self.0.version = self.0.version.saturating_add(version_gap);
    }

    pub(crate) fn finish(self) -> Details<MESSAGE> {
        self.0
    }
}
