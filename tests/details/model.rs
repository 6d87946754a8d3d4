//! Every history of what a user tells, against rules T1, O1 and W1 written down as naively as can be.

use super::Small;
use presence_core::details::{
    LocationLayer, LocationLayers, OutOfOffice, WorkLocationType, WorkPlace, clear_locations, next_due_details,
    set_location, set_out_of_office, set_status_message,
};
use presence_core::{ApplyError, Duration, Instant, snapshot};
use proptest::prelude::*;

/// What rules T1, O1 and W1 say, written down as naively as can be.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    message: Option<(String, u64, u64)>,
    out_of_office: (bool, String),
    layers: [Option<(WorkLocationType, String, u64)>; 3],
    version: u64,
}

type Seen = (Option<(String, u64, u64)>, (bool, String), Option<(WorkLocationType, String, usize)>);

impl Model {
    fn seen(&self) -> Seen {
        let location =
            (0..3).rev().find_map(|layer| self.layers[layer].as_ref().map(|(kind, id, _)| (*kind, id.clone(), layer)));
        (self.message.clone(), self.out_of_office.clone(), location)
    }

    fn change(&mut self, change: impl FnOnce(&mut Self)) {
        let before = self.seen();
        change(self);
        self.version += u64::from(self.seen() != before);
    }

    fn pass(&mut self, now: u64) {
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
enum Told {
    Message(String, u64),
    OutOfOffice(bool, String),
    Location(usize, WorkLocationType, String, u64),
    Clear(usize),
}

fn told() -> impl Strategy<Value = Told> {
    let text = || prop::sample::select(vec!["", "a", "☕", "twelve bytes", "thirteen byte"]).prop_map(str::to_owned);
    let kind = prop::sample::select(WorkLocationType::ALL.to_vec());
    let length = || prop_oneof![4 => 0..6u64, 1 => Just(u64::MAX)];
    prop_oneof![
        (text(), length()).prop_map(|(text, length)| Told::Message(text, length)),
        (any::<bool>(), text()).prop_map(|(flag, text)| Told::OutOfOffice(flag, text)),
        (0..3usize, kind, text(), length())
            .prop_map(|(layer, kind, id, length)| Told::Location(layer, kind, id, length)),
        (0..3usize).prop_map(Told::Clear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every history against the model: what is shown, the version, deadlines; and the stored form after every step.
    #[test]
    fn every_history_is_as_the_model_says(steps in prop::collection::vec((0..4u64, told()), 0..40)) {
        let (mut details, mut model, mut now) = (Small::new(), Model::default(), 100u64);
        for (ahead, told) in steps {
            now += ahead;
            let late = details.clone();
            while let Some(due) = next_due_details(&details, Instant::from_millis(now)) {
                prop_assert_eq!(Some(due.at()), details.next_deadline());
                details.apply(&due).unwrap();
            }
            // Rule M4: who has not advanced sees the same.
            prop_assert_eq!(late.view_at(Instant::from_millis(now)), details.view());
            model.pass(now);
            let instant = Instant::from_millis(now);
            let moment = details.at(instant).unwrap();
            let decided = match &told {
                Told::Message(text, length) => {
                    let until = now.saturating_add(*length);
                    if text.len() <= 12 {
                        model.change(|model| {
                            model.message = (!text.is_empty() && until > now).then(|| (text.clone(), now, until));
                        });
                    }
                    set_status_message(moment, text, Instant::from_millis(until))
                }
                Told::OutOfOffice(flag, text) => {
                    if text.len() <= 12 {
                        model.change(|model| model.out_of_office = (*flag, text.clone()));
                    }
                    set_out_of_office(moment, OutOfOffice { is_out_of_office: *flag, message: Some(text) }).map(Some)
                }
                Told::Location(layer, kind, id, length) => {
                    let until = now.saturating_add(*length);
                    let said = (until > now).then(|| (*kind, id.clone(), until));
                    model.change(|model| model.layers[*layer] = said);
                    let place = WorkPlace { kind: *kind, id: Some(id) };
                    set_location(moment, LocationLayer::ALL[*layer], place, Instant::from_millis(until))
                }
                Told::Clear(which) => {
                    let layers = [LocationLayers::SCHEDULED, LocationLayers::AUTOMATIC, LocationLayers::MANUAL_AND_AUTOMATIC];
                    model.change(|model| {
                        model.layers[*which] = None;
                        if *which == 2 {
                            model.layers[1] = None;
                        }
                    });
                    Ok(clear_locations(moment, layers[*which]))
                }
            };
            if let Ok(Some(transition)) = decided {
                let (version, revision) = (details.version(), details.revision());
                details.apply(&transition).unwrap();
                prop_assert_eq!(details.version(), version + u64::from(transition.is_visible()));
                prop_assert_eq!(details.revision(), revision + 1);
                prop_assert_eq!(details.apply(&transition), Err(ApplyError::Stale));
            }
            let message = details.status_message();
            let seen = (
                message.map(|message| (message.text.to_owned(), message.published_at.as_millis(), message.expires_at.as_millis())),
                (details.out_of_office().is_out_of_office, details.out_of_office().message.unwrap_or_default().to_owned()),
                details.work_location().map(|location| {
                    (location.place.kind, location.place.id.unwrap_or_default().to_owned(), location.source as usize)
                }),
            );
            prop_assert_eq!(seen, model.seen());
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
            // A user's form and this one are never taken for each other.
            prop_assert!(snapshot::restore::<u8, 4>(stored, instant, None).is_err());
            prop_assert!(snapshot::restore::<[u8; 0], 4>(stored, instant, None).is_err());
        }
    }
}
