//! Random histories of a user's details, compared with a naive model of rules T1, O1 and W1.

use super::Small;
use presence_core::details::{decide_details, next_due_details};
use presence_core::{ApplyError, Duration, Instant, snapshot};
use proptest::prelude::*;
use support::model::cases;
use support::model::details::{Details as Model, Update, update};

/// Updates with texts that fit and one that does not, for short times and for ever.
fn updates() -> impl Strategy<Value = Update> {
    let length = std::rc::Rc::new(prop_oneof![4 => 0..6u64, 1 => Just(u64::MAX)]);
    update(&["", "a", "☕", "twelve bytes", "thirteen byte"], length)
}

proptest! {
    #![proptest_config(cases(256))]

    /// After every step: the visible details, the version and the deadlines are the model's, and a snapshot restores all.
    #[test]
    fn every_history_is_as_the_model_says(steps in prop::collection::vec((0..4u64, updates()), 0..40)) {
        let (mut details, mut model, mut now) = (Small::new(), Model::default(), 100u64);
        for (ahead, update) in steps {
            now += ahead;
            let late = details.clone();
            let mut rounds = 0;
            while let Some(due) = next_due_details(&details, Instant::from_millis(now)) {
                rounds += 1;
                prop_assert!(rounds < 10, "there is no end to what is due");
                prop_assert_eq!(Some(due.at()), details.next_deadline());
                details.apply(&due).unwrap();
            }
            // Rule M4: a view before advancing is the same.
            prop_assert_eq!(late.view_at(Instant::from_millis(now)), details.view());
            model.advance(now);
            let instant = Instant::from_millis(now);
            let moment = details.at(instant).unwrap();
            let command = update.command(now);
            model.update(now, 12, &update);
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
