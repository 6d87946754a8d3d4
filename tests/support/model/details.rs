//! The details of a user, as rules T1, O1 and W1 say.

use presence_core::Instant;
use presence_core::details::{DetailsCommand, LocationLayer, LocationLayers, OutOfOffice, WorkLocationType, WorkPlace};
use proptest::prelude::*;

/// A text, the instant at which it was set, and its expiry.
pub type Message = (String, u64, u64);

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    pub message: Option<Message>,
    pub out_of_office: (bool, String),
    /// The type and the place of each layer, and when they end.
    pub layers: [Option<(WorkLocationType, String, u64)>; 3],
    pub version: u64,
}

/// What others can see: message, out of office, location with its layer.
pub type Visible = (Option<Message>, (bool, String), Option<(WorkLocationType, String, usize)>);

impl Details {
    pub fn visible(&self) -> Visible {
        let location =
            (0..3).rev().find_map(|layer| self.layers[layer].as_ref().map(|(kind, id, _)| (*kind, id.clone(), layer)));
        (self.message.clone(), self.out_of_office.clone(), location)
    }

    pub fn is_empty(&self) -> bool {
        let Self { message, out_of_office, layers, .. } = self;
        message.is_none() && *out_of_office == Default::default() && layers.iter().all(Option::is_none)
    }

    fn change(&mut self, change: impl FnOnce(&mut Self)) {
        let before = self.visible();
        change(self);
        self.version += u64::from(self.visible() != before);
    }

    pub fn advance(&mut self, now: u64) {
        let mut deadlines: Vec<u64> = self.layers.iter().flatten().map(|(_, _, until)| *until).collect();
        deadlines.extend(self.message.iter().map(|(_, _, until)| *until));
        deadlines.sort_unstable();
        for deadline in deadlines.into_iter().filter(|deadline| *deadline <= now && *deadline != u64::MAX) {
            self.change(|details| details.message = details.message.take().filter(|(_, _, until)| *until != deadline));
            self.change(|details| {
                for layer in &mut details.layers {
                    *layer = layer.take().filter(|(_, _, until)| *until != deadline);
                }
            });
        }
    }

    /// Carries out an update of details that are up to date and have room for texts of so many bytes.
    pub fn update(&mut self, now: u64, most: usize, update: &Update) {
        match update {
            Update::Message(text, _) | Update::OutOfOffice(_, text) if text.len() > most => {}
            Update::Message(text, length) => {
                let until = now.saturating_add(*length);
                let message = (!text.is_empty() && until > now).then(|| (text.clone(), now, until));
                self.change(|details| details.message = message);
            }
            Update::OutOfOffice(flag, text) => {
                self.change(|details| details.out_of_office = (*flag, text.clone()));
            }
            Update::Location(layer, kind, id, length) => {
                let until = now.saturating_add(*length);
                let location = (until > now).then(|| (*kind, id.clone(), until));
                self.change(|details| details.layers[*layer] = location);
            }
            Update::Clear(which) => self.change(|details| {
                details.layers[*which] = None;
                if *which == 2 {
                    details.layers[1] = None;
                }
            }),
        }
    }

    /// Erases what there is. Returns whether anything could be seen of it; the version is left to who counts that.
    pub fn erase(&mut self) -> bool {
        let is_visible = !self.is_empty();
        *self = Self { version: self.version, ..Self::default() };
        is_visible
    }
}

/// A command about details, with the milliseconds for which it lasts.
#[derive(Clone, Debug)]
pub enum Update {
    Message(String, u64),
    OutOfOffice(bool, String),
    Location(usize, WorkLocationType, String, u64),
    Clear(usize),
}

impl Update {
    /// Returns the library's command.
    pub fn command(&self, now: u64) -> DetailsCommand<'_> {
        let until = |length: u64| Instant::from_millis(now.saturating_add(length));
        match self {
            Self::Message(text, length) => DetailsCommand::SetStatusMessage { text, expires_at: until(*length) },
            Self::OutOfOffice(flag, text) => {
                DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office: *flag, message: Some(text) })
            }
            Self::Location(layer, kind, id, length) => {
                let place = WorkPlace { kind: *kind, id: Some(id) };
                DetailsCommand::SetLocation { layer: LocationLayer::ALL[*layer], place, until: until(*length) }
            }
            Self::Clear(which) => DetailsCommand::ClearLocations(
                [LocationLayers::SCHEDULED, LocationLayers::AUTOMATIC, LocationLayers::MANUAL_AND_AUTOMATIC][*which],
            ),
        }
    }
}

/// Any update with one of these texts and lengths.
pub fn update(
    texts: &'static [&'static str],
    lengths: impl Strategy<Value = u64> + Clone,
) -> impl Strategy<Value = Update> {
    let text = move || prop::sample::select(texts).prop_map(str::to_owned);
    let kind = prop::sample::select(WorkLocationType::ALL.to_vec());
    prop_oneof![
        (text(), lengths.clone()).prop_map(|(text, length)| Update::Message(text, length)),
        (any::<bool>(), text()).prop_map(|(flag, text)| Update::OutOfOffice(flag, text)),
        (0..3usize, kind, text(), lengths)
            .prop_map(|(layer, kind, id, length)| Update::Location(layer, kind, id, length)),
        (0..3usize).prop_map(Update::Clear),
    ]
}
