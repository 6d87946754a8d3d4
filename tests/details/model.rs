//! Random histories of a user's details, compared with a naive model of rules T1, O1 and W1.

use super::Small;
use presence_core::details::{
    DetailsCommand, LocationLayer, LocationLayers, OutOfOffice, WorkLocationType, WorkPlace, decide_details,
    next_due_details,
};
use presence_core::{ApplyError, Duration, Instant, snapshot};
use proptest::prelude::*;
use support::model::cases;

/// Rules T1, O1 and W1, written down as naively as possible.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    message: Option<(String, u64, u64)>,
    out_of_office: (bool, String),
    layers: [Option<(WorkLocationType, String, u64)>; 3],
    version: u64,
}

/// What others can see: message, out of office, location.
type Visible = (Option<(String, u64, u64)>, (bool, String), Option<(WorkLocationType, String, usize)>);

impl Model {
    fn visible(&self) -> Visible {
        let location =
            (0..3).rev().find_map(|layer| self.layers[layer].as_ref().map(|(kind, id, _)| (*kind, id.clone(), layer)));
        (self.message.clone(), self.out_of_office.clone(), location)
    }

    fn change(&mut self, change: impl FnOnce(&mut Self)) {
        let before = self.visible();
        change(self);
        self.version += u64::from(self.visible() != before);
    }

    fn advance(&mut self, now: u64) {
        let mut deadlines: Vec<u64> = self.layers.iter().flatten().map(|(_, _, until)| *until).collect();
        deadlines.extend(self.message.iter().map(|(_, _, until)| *until));
        deadlines.sort_unstable();
        for deadline in deadlines.into_iter().filter(|deadline| *deadline <= now && *deadline != u64::MAX) {
            self.change(|model| model.message = model.message.take().filter(|(_, _, until)| *until != deadline));
            self.change(|model| {
                for layer in &mut model.layers {
                    *layer = layer.take().filter(|(_, _, until)| *until != deadline);
                }
            });
        }
    }
}

#[derive(Clone, Debug)]
enum Update {
    Message(String, u64),
    OutOfOffice(bool, String),
    Location(usize, WorkLocationType, String, u64),
    Clear(usize),
}

fn update() -> impl Strategy<Value = Update> {
    let text = || prop::sample::select(vec!["", "a", "☕", "twelve bytes", "thirteen byte"]).prop_map(str::to_owned);
    let kind = prop::sample::select(WorkLocationType::ALL.to_vec());
    let length = || prop_oneof![4 => 0..6u64, 1 => Just(u64::MAX)];
    prop_oneof![
        (text(), length()).prop_map(|(text, length)| Update::Message(text, length)),
        (any::<bool>(), text()).prop_map(|(flag, text)| Update::OutOfOffice(flag, text)),
        (0..3usize, kind, text(), length())
            .prop_map(|(layer, kind, id, length)| Update::Location(layer, kind, id, length)),
        (0..3usize).prop_map(Update::Clear),
    ]
}

proptest! {
    #![proptest_config(cases(256))]

    /// After every step: the visible details, the version and the deadlines are the model's, and a snapshot restores all.
    #[test]
    fn every_history_is_as_the_model_says(steps in prop::collection::vec((0..4u64, update()), 0..40)) {
        let (mut details, mut model, mut now) = (Small::new(), Model::default(), 100u64);
        for (ahead, update) in steps {
            now += ahead;
            let late = details.clone();
            while let Some(due) = next_due_details(&details, Instant::from_millis(now)) {
                prop_assert_eq!(Some(due.at()), details.next_deadline());
                details.apply(&due).unwrap();
            }
            // Rule M4: a view before advancing is the same.
            prop_assert_eq!(late.view_at(Instant::from_millis(now)), details.view());
            model.advance(now);
            let instant = Instant::from_millis(now);
            let moment = details.at(instant).unwrap();
            let command = match &update {
                Update::Message(text, length) => {
                    let until = now.saturating_add(*length);
                    if text.len() <= 12 {
                        model.change(|model| {
                            model.message = (!text.is_empty() && until > now).then(|| (text.clone(), now, until));
                        });
                    }
                    DetailsCommand::SetStatusMessage { text, expires_at: Instant::from_millis(until) }
                }
                Update::OutOfOffice(flag, text) => {
                    if text.len() <= 12 {
                        model.change(|model| model.out_of_office = (*flag, text.clone()));
                    }
                    DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office: *flag, message: Some(text) })
                }
                Update::Location(layer, kind, id, length) => {
                    let until = now.saturating_add(*length);
                    let location = (until > now).then(|| (*kind, id.clone(), until));
                    model.change(|model| model.layers[*layer] = location);
                    let place = WorkPlace { kind: *kind, id: Some(id) };
                    let (layer, until) = (LocationLayer::ALL[*layer], Instant::from_millis(until));
                    DetailsCommand::SetLocation { layer, place, until }
                }
                Update::Clear(which) => {
                    let layers = [LocationLayers::SCHEDULED, LocationLayers::AUTOMATIC, LocationLayers::MANUAL_AND_AUTOMATIC];
                    model.change(|model| {
                        model.layers[*which] = None;
                        if *which == 2 {
                            model.layers[1] = None;
                        }
                    });
                    DetailsCommand::ClearLocations(layers[*which])
                }
            };
            if let Ok(Some(transition)) = decide_details(moment, command) {
                let (version, revision) = (details.version(), details.revision());
                details.apply(&transition).unwrap();
                prop_assert_eq!(details.version(), version + u64::from(transition.is_visible()));
                prop_assert_eq!(details.revision(), revision + 1);
                prop_assert_eq!(details.apply(&transition), Err(ApplyError::Stale));
            }
            let message = details.status_message();
            let visible = (
                message.map(|message| (message.text.to_owned(), message.published_at.as_millis(), message.expires_at.as_millis())),
                (details.out_of_office().is_out_of_office, details.out_of_office().message.unwrap_or_default().to_owned()),
                details.work_location().map(|location| {
                    (location.place.kind, location.place.id.unwrap_or_default().to_owned(), location.source as usize)
                }),
            );
            prop_assert_eq!(visible, model.visible());
            prop_assert_eq!(details.version(), model.version);

            let mut buffer = [0; snapshot::max_details_len::<12>()];
            let stored = snapshot::save_details(details.at(instant).unwrap(), &mut buffer).unwrap();
            let restored = snapshot::restore_details::<12>(stored, instant, Some(Duration::ZERO)).unwrap();
            prop_assert_eq!(&restored, &details);
            for length in 0..stored.len() {
                prop_assert!(snapshot::restore_details::<12>(&stored[..length], instant, None).is_err());
            }
            for bit in 0..stored.len() * 8 {
                let mut damaged = stored.to_vec();
                damaged[bit / 8] ^= 1 << (bit % 8);
                prop_assert_eq!(
                    snapshot::restore_details::<12>(&damaged, instant, None),
                    Err(snapshot::RestoreError::Checksum)
                );
            }
            // Neither snapshot is accepted as the other.
            prop_assert!(snapshot::restore::<u8, 4>(stored, instant, None).is_err());
            prop_assert!(snapshot::restore::<[u8; 0], 4>(stored, instant, None).is_err());
        }
    }
}
