//! Applying a transition to a user's details, completely or not at all.

use super::Details;
use super::location::{Layers, LocationLayer, StoredPlace, WorkPlace};
use super::message::StoredMessage;
use super::transition::{DetailsChange, DetailsTransition};
use crate::time::Instant;
use crate::user::ApplyError;

impl<const MESSAGE: usize> Details<MESSAGE> {
    /// Applies a transition. Independent of any clock: the result is the same everywhere and at any time.
    ///
    /// O(`MESSAGE`).
    ///
    /// # Errors
    ///
    /// After an error nothing has changed.
    ///
    /// - [`ApplyError::Stale`] if the details have changed since the decision.
    /// - [`ApplyError::Invalid`] if no decision about these details can have made the transition.
    pub fn apply(&mut self, transition: &DetailsTransition<'_>) -> Result<(), ApplyError> {
        if transition.revision != self.revision {
            return Err(ApplyError::Stale);
        }
        if !self.fits(transition) || transition.is_visible != self.is_visible(&transition.change) {
            return Err(ApplyError::Invalid);
        }
        match transition.change {
            // All of it fits, as `fits` has checked.
            DetailsChange::MessageSet(message) => StoredMessage::put(&mut self.message, message),
            DetailsChange::MessageCleared | DetailsChange::MessageExpired => self.message = None,
            DetailsChange::OutOfOfficeSet(out_of_office) => {
                self.is_out_of_office = out_of_office.is_out_of_office;
                self.out_of_office.clear();
                let _ = self.out_of_office.push_str(out_of_office.message.unwrap_or_default());
            }
            DetailsChange::LocationSet(layer, place, until) => self.places.set(layer, place, until),
            DetailsChange::LocationEnded(layer) => self.places.clear(layer),
            DetailsChange::LocationCleared(layers) => {
                for layer in LocationLayer::ALL {
                    if layers.contains(layer) {
                        self.places.clear(layer);
                    }
                }
            }
        }
        self.revision = self.revision.saturating_add(1);
        if transition.is_visible {
            self.version = self.version.saturating_add(1);
        }
        Ok(())
    }

    /// Reports whether a decision about these details could have made this transition.
    fn fits(&self, transition: &DetailsTransition<'_>) -> bool {
        let (at, deadline) = (transition.at, self.first_deadline());
        match transition.change {
            // What expires is what is due first.
            DetailsChange::MessageExpired | DetailsChange::LocationEnded(_) => {
                at == deadline && at != Instant::NEVER && self.due_at(at) == transition.change
            }
            // A command is decided when nothing is overdue.
            _ if deadline.is_due(at) => false,
            DetailsChange::MessageSet(message) => {
                let has_valid_length = !message.text.is_empty() && message.text.len() <= MESSAGE;
                has_valid_length && message.published_at == at && !message.expires_at.is_due(at)
            }
            DetailsChange::MessageCleared => self.message.is_some(),
            DetailsChange::OutOfOfficeSet(out_of_office) => {
                out_of_office.message.is_none_or(|message| !message.is_empty() && message.len() <= MESSAGE)
            }
            // The decision has checked the id, whose longest length is the same for all details.
            DetailsChange::LocationSet(..) => true,
            DetailsChange::LocationCleared(layers) => self.places.any(layers),
        }
    }

    /// Returns what happens at the first deadline: the message expires first, then the weakest layer ends.
    pub(super) fn due_at(&self, deadline: Instant) -> DetailsChange<'static> {
        let first = LocationLayer::ALL.iter().find(|layer| self.places.until(**layer) == deadline);
        match first {
            Some(layer) if self.message.as_ref().is_none_or(|message| message.expires_at != deadline) => {
                DetailsChange::LocationEnded(*layer)
            }
            _ => DetailsChange::MessageExpired,
        }
    }

    /// Reports whether this change is visible.
    pub(super) fn is_visible(&self, change: &DetailsChange<'_>) -> bool {
        match *change {
            DetailsChange::MessageSet(message) => self.status_message() != Some(message),
            DetailsChange::MessageCleared | DetailsChange::MessageExpired => self.message.is_some(),
            DetailsChange::OutOfOfficeSet(out_of_office) => self.out_of_office() != out_of_office,
            DetailsChange::LocationSet(set, place, _) => self.is_location_visible(|layer| layer == set, Some(place)),
            DetailsChange::LocationCleared(layers) => self.is_location_visible(|layer| layers.contains(layer), None),
            DetailsChange::LocationEnded(ended) => self.is_location_visible(|layer| layer == ended, None),
        }
    }

    /// Reports whether the visible location changes if the selected layers get this place.
    fn is_location_visible(&self, is_selected: impl Fn(LocationLayer) -> bool, place: Option<WorkPlace<'_>>) -> bool {
        let current = |layer| self.places.get(layer).map(StoredPlace::view);
        let after = Layers::strongest_of(|layer| if is_selected(layer) { place } else { current(layer) });
        self.places.strongest() != after
    }
}
