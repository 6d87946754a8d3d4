//! The only thing that changes a user's details: carrying out a transition, wholly or not at all.

use super::Details;
use super::location::{Layers, LocationLayer, StoredPlace, WorkPlace};
use super::message::StoredMessage;
use super::transition::{DetailsChange, DetailsTransition};
use crate::time::Instant;
use crate::user::ApplyError;

impl<const MESSAGE: usize> Details<MESSAGE> {
    /// Carries out a transition. It needs no clock, and so does the same everywhere and at any time. Rules S7, V1,
    /// V2. O(`MESSAGE`).
    ///
    /// # Errors
    ///
    /// [`ApplyError::Stale`] when the details have changed since the decision, [`ApplyError::Invalid`] when no decision about
    /// them can have made it. Nothing is changed then.
    pub fn apply(&mut self, transition: &DetailsTransition<'_>) -> Result<(), ApplyError> {
        if transition.revision != self.revision {
            return Err(ApplyError::Stale);
        }
        if !self.fits(transition) || transition.is_visible != self.is_seen(&transition.change) {
            return Err(ApplyError::Invalid);
        }
        match transition.change {
            // All of it fits, as was just made sure.
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

    /// Whether a decision about these details could have made this transition.
    fn fits(&self, transition: &DetailsTransition<'_>) -> bool {
        let (at, deadline) = (transition.at, self.first_deadline());
        match transition.change {
            // Time carries out what is due first.
            DetailsChange::MessageExpired | DetailsChange::LocationEnded(_) => {
                at == deadline && at != Instant::NEVER && self.due_at(at) == transition.change
            }
            // A command is carried out when nothing is overdue.
            _ if deadline.is_due(at) => false,
            DetailsChange::MessageSet(message) => {
                let has_room = !message.text.is_empty() && message.text.len() <= MESSAGE;
                has_room && message.published_at == at && !message.expires_at.is_due(at)
            }
            DetailsChange::MessageCleared => self.message.is_some(),
            DetailsChange::OutOfOfficeSet(out_of_office) => {
                out_of_office.message.is_none_or(|message| !message.is_empty() && message.len() <= MESSAGE)
            }
            // It was checked when it was decided, and there is as much room for an id everywhere.
            DetailsChange::LocationSet(..) => true,
            DetailsChange::LocationCleared(layers) => self.places.any(layers),
        }
    }

    /// What happens at the first deadline: the message's end, then the weakest layer's.
    pub(super) fn due_at(&self, deadline: Instant) -> DetailsChange<'static> {
        let first = LocationLayer::ALL.iter().find(|layer| self.places.until(**layer) == deadline);
        match first {
            Some(layer) if self.message.as_ref().is_none_or(|message| message.expires_at != deadline) => {
                DetailsChange::LocationEnded(*layer)
            }
            _ => DetailsChange::MessageExpired,
        }
    }

    /// Whether what can be shown differs after this change. Rule V1.
    pub(super) fn is_seen(&self, change: &DetailsChange<'_>) -> bool {
        match *change {
            DetailsChange::MessageSet(message) => self.status_message() != Some(message),
            DetailsChange::MessageCleared | DetailsChange::MessageExpired => self.message.is_some(),
            DetailsChange::OutOfOfficeSet(out_of_office) => self.out_of_office() != out_of_office,
            DetailsChange::LocationSet(set, place, _) => self.is_location_seen(|layer| layer == set, Some(place)),
            DetailsChange::LocationCleared(layers) => self.is_location_seen(|layer| layers.contains(layer), None),
            DetailsChange::LocationEnded(ended) => self.is_location_seen(|layer| layer == ended, None),
        }
    }

    /// Whether the location shown differs if these layers say this.
    fn is_location_seen(&self, is_said: impl Fn(LocationLayer) -> bool, place: Option<WorkPlace<'_>>) -> bool {
        let as_it_is = |layer| self.places.get(layer).map(StoredPlace::view);
        let after = Layers::strongest_of(|layer| if is_said(layer) { place } else { as_it_is(layer) });
        self.places.strongest() != after
    }
}
