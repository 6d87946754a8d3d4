//! An independent, naive model of rules T1, O1, W1, V1 and S8.

use presence_core::Instant;
use presence_core::details::{
    Details, DetailsChange, DetailsCommand, DetailsError, DetailsTransition, LocationLayer, LocationLayers,
    OutOfOffice, StatusMessage, WorkLocation, WorkLocationType, WorkPlace,
};
use std::collections::BTreeMap;
pub use support::model::{Millis, NEVER, instant, millis, saturated};

/// The model's counterpart of a transition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Happening<'a> {
    at: Instant,
    is_visible: bool,
    change: DetailsChange<'a>,
}

pub fn happening<'a>(transition: &DetailsTransition<'a>) -> Happening<'a> {
    let (at, is_visible) = (transition.at(), transition.is_visible());
    Happening { at, is_visible, change: transition.change() }
}

#[derive(Clone, Debug, PartialEq)]
struct Message<'a> {
    text: &'a str,
    published: Millis,
    until: Millis,
}

/// The place of a layer.
#[derive(Clone, Debug)]
struct Place<'a> {
    kind: WorkLocationType,
    id: &'a str,
    until: Millis,
}

/// Something due: the message first, then the weakest layer. Rule S8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Message,
    Layer(LocationLayer),
}

/// The model of a user's details.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    /// The length of the longest messages, in bytes.
    longest: usize,
    message: Option<Message<'a>>,
    is_out_of_office: bool,
    out_of_office: &'a str,
    layers: BTreeMap<LocationLayer, Place<'a>>,
    revision: u64,
    version: u64,
}

/// Everything that others can see. Rule V1.
type Visible<'a> = (Option<Message<'a>>, (bool, &'a str), Option<(LocationLayer, WorkLocationType, &'a str)>);

/// Reports whether a deadline has passed. Rules S4, C3.
fn is_over(deadline: Instant, now: Millis) -> bool {
    now >= millis(deadline) && deadline != Instant::NEVER
}

/// Returns a text unless it is empty.
fn some(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

impl<'a> Model<'a> {
    pub fn with_version(number: u64, longest: usize) -> Self {
        Self {
            longest,
            message: None,
            is_out_of_office: false,
            out_of_office: "",
            layers: BTreeMap::new(),
            revision: number,
            version: number,
        }
    }

    fn visible(&self) -> Visible<'a> {
        // The strongest is the last.
        let location = self.layers.iter().next_back().map(|(layer, place)| (*layer, place.kind, place.id));
        (self.message.clone(), (self.is_out_of_office, self.out_of_office), location)
    }

    /// Makes a change, and counts it. Rules V1, V2.
    fn record(&mut self, at: Millis, change: DetailsChange<'a>, make: impl FnOnce(&mut Self)) -> Happening<'a> {
        let before = self.visible();
        make(self);
        let is_visible = self.visible() != before;
        self.revision += 1;
        if is_visible {
            self.version += 1;
        }
        Happening { at: instant(at), is_visible, change }
    }

    /// Executes a command when nothing is overdue. `None` if it succeeds and nothing changes.
    pub fn command(&mut self, now: Millis, command: DetailsCommand<'a>) -> Result<Option<Happening<'a>>, DetailsError> {
        Ok(match command {
            DetailsCommand::SetStatusMessage { text, .. } if text.len() > self.longest => {
                return Err(DetailsError::MessageTooLong);
            }
            // Rule T1: empty text and a passed expiry remove it.
            DetailsCommand::SetStatusMessage { text, expires_at } if text.is_empty() || is_over(expires_at, now) => {
                if self.message.is_none() {
                    return Ok(None);
                }
                Some(self.record(now, DetailsChange::MessageCleared, |model| model.message = None))
            }
            DetailsCommand::SetStatusMessage { text, expires_at } => {
                let change = DetailsChange::MessageSet(StatusMessage { text, published_at: instant(now), expires_at });
                let stored = Message { text, published: now, until: millis(expires_at) };
                Some(self.record(now, change, |model| model.message = Some(stored)))
            }
            DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office, message }) => {
                let text = message.unwrap_or("");
                if text.len() > self.longest {
                    return Err(DetailsError::OutOfOfficeTooLong);
                }
                let change = DetailsChange::OutOfOfficeSet(OutOfOffice { is_out_of_office, message: some(text) });
                Some(self.record(now, change, |model| {
                    (model.is_out_of_office, model.out_of_office) = (is_out_of_office, text);
                }))
            }
            DetailsCommand::SetLocation { place, .. }
                if place.id.is_some_and(|id| id.len() > WorkPlace::MAX_ID_LEN) =>
            {
                return Err(DetailsError::PlaceTooLong);
            }
            // Rule W1: its day is over.
            DetailsCommand::SetLocation { layer, until, .. } if is_over(until, now) => {
                self.clear(now, LocationLayers::only(layer))
            }
            DetailsCommand::SetLocation { layer, place: WorkPlace { kind, id }, until } => {
                let stored = Place { kind, id: id.unwrap_or(""), until: millis(until) };
                let place = WorkPlace { kind, id: some(stored.id) };
                let change = DetailsChange::LocationSet(layer, place, until);
                Some(self.record(now, change, |model| _ = model.layers.insert(layer, stored)))
            }
            DetailsCommand::ClearLocations(layers) => self.clear(now, layers),
        })
    }

    /// Clears layers; `None` if none of them has a place. Rule W1.
    fn clear(&mut self, now: Millis, layers: LocationLayers) -> Option<Happening<'a>> {
        if !self.layers.keys().any(|layer| layers.contains(*layer)) {
            return None;
        }
        let change = DetailsChange::LocationCleared(layers);
        Some(self.record(now, change, |model| model.layers.retain(|layer, _| !layers.contains(*layer))))
    }

    /// Returns everything that will be due, in order. Rules S8, C3.
    fn agenda(&self) -> Vec<(Millis, Due)> {
        let message = self.message.iter().map(|message| (message.until, Due::Message));
        let layers = self.layers.iter().map(|(layer, place)| (place.until, Due::Layer(*layer)));
        let mut agenda: Vec<_> = message.chain(layers).filter(|(at, _)| *at != NEVER).collect();
        agenda.sort();
        agenda
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.agenda().first().map(|(at, _)| instant(*at))
    }

    /// Executes the first thing due at `now`.
    pub fn advance_once(&mut self, now: Millis) -> Option<Happening<'a>> {
        let (at, due) = *self.agenda().first().filter(|(at, _)| now >= *at)?;
        Some(match due {
            Due::Message => self.record(at, DetailsChange::MessageExpired, |model| model.message = None),
            Due::Layer(layer) => {
                self.record(at, DetailsChange::LocationEnded(layer), |model| _ = model.layers.remove(&layer))
            }
        })
    }

    /// Reports whether a command, or the passing of time, leads to this transition.
    pub fn may_decide(&self, happening: &Happening<'a>) -> bool {
        let (mut model, at) = (self.clone(), millis(happening.at));
        let command = match happening.change {
            DetailsChange::MessageExpired | DetailsChange::LocationEnded(_) => {
                return model.advance_once(at) == Some(*happening);
            }
            DetailsChange::MessageSet(message) => {
                DetailsCommand::SetStatusMessage { text: message.text, expires_at: message.expires_at }
            }
            DetailsChange::MessageCleared => DetailsCommand::SetStatusMessage { text: "", expires_at: Instant::NEVER },
            DetailsChange::OutOfOfficeSet(stored) => DetailsCommand::SetOutOfOffice(stored),
            DetailsChange::LocationSet(layer, place, until) => DetailsCommand::SetLocation { layer, place, until },
            DetailsChange::LocationCleared(layers) => DetailsCommand::ClearLocations(layers),
        };
        let is_overdue = self.agenda().first().is_some_and(|(first, _)| at >= *first);
        !is_overdue && model.command(at, command) == Ok(Some(*happening))
    }

    /// Sets the clock. Rules C2, C3.
    pub fn shift(&mut self, by: Millis) {
        let shifted = |at: Millis| if at == NEVER { NEVER } else { saturated(at + by) };
        if let Some(message) = &mut self.message {
            (message.published, message.until) = (shifted(message.published), shifted(message.until));
        }
        for place in self.layers.values_mut() {
            place.until = shifted(place.until);
        }
        // What was decided on the old clock is outdated (V2).
        self.revision += 1;
    }

    pub fn assert_is<const MESSAGE: usize>(&self, real: &Details<MESSAGE>) {
        let message = self.message.as_ref().map(|message| StatusMessage {
            text: message.text,
            published_at: instant(message.published),
            expires_at: instant(message.until),
        });
        let out_of_office = OutOfOffice { is_out_of_office: self.is_out_of_office, message: some(self.out_of_office) };
        let mut location = None;
        for layer in LocationLayer::ALL {
            let stored = self.layers.get(&layer);
            let place =
                stored.map(|stored| (WorkPlace { kind: stored.kind, id: some(stored.id) }, instant(stored.until)));
            assert_eq!(real.place(layer), place, "{layer:?} (W1)");
            location = place.map(|(place, _)| WorkLocation { place, source: layer }).or(location);
        }
        assert_eq!(real.status_message(), message, "status message (T1)");
        assert_eq!(real.out_of_office(), out_of_office, "out of office (O1)");
        assert_eq!(real.work_location(), location, "work location (W1)");
        assert_eq!((real.version(), real.revision()), (self.version, self.revision), "version (V1), revision (V2)");
        let view = real.view();
        assert_eq!((view.status_message, view.out_of_office), (message, out_of_office));
        assert_eq!((view.work_location, view.version), (location, self.version));
        let is_empty = message.is_none() && out_of_office == OutOfOffice::default() && self.layers.is_empty();
        assert_eq!(real.is_empty(), is_empty, "nothing stored (M5)");
        assert_eq!(real.next_deadline(), self.next_deadline(), "next deadline");
    }
}
