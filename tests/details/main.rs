//! Status message, out of office, work location: rules T1, O1, W1, V1, V2, S7, S8, C2, against an independent model.
#![cfg(feature = "details")]

mod model;

use presence_core::details::{
    Details, DetailsCause, DetailsChange, DetailsCommand, DetailsError, DetailsTransition, DetailsView, LocationLayer,
    LocationLayers, OutOfOffice, WorkLocationType, WorkPlace, decide_details, next_due_details,
};
use presence_core::{ApplyError, Duration, Instant, snapshot};

type Small = Details<12>;

fn at(second: u64) -> Instant {
    Instant::from_secs(second)
}

/// Decides a command that changes something, at a second at which nothing is overdue.
fn decided<'a, const MESSAGE: usize>(
    details: &Details<MESSAGE>,
    now: u64,
    command: DetailsCommand<'a>,
) -> DetailsTransition<'a> {
    decide_details(details.at(at(now)).unwrap(), command).unwrap().unwrap()
}

fn message(text: &str, expires_at: Instant) -> DetailsCommand<'_> {
    DetailsCommand::SetStatusMessage { text, expires_at }
}

fn manual(place: WorkPlace<'_>, until: u64) -> DetailsCommand<'_> {
    DetailsCommand::SetLocation { layer: LocationLayer::Manual, place, until: at(until) }
}

const CLEAR: DetailsCommand<'_> = DetailsCommand::ClearLocations(LocationLayers::MANUAL_AND_AUTOMATIC);

/// Decides and applies a command; whether it changed anything.
fn update(details: &mut Small, now: Instant, command: DetailsCommand<'_>) -> Result<bool, DetailsError> {
    let transition = decide_details(details.at(now).unwrap(), command)?;
    if let Some(transition) = &transition {
        details.apply(transition).unwrap();
    }
    Ok(transition.is_some())
}

fn set_message(details: &mut Small, now: u64, text: &str, expires_at: Instant) -> Result<bool, DetailsError> {
    update(details, at(now), message(text, expires_at))
}

fn message_text(details: &Small) -> Option<&str> {
    details.status_message().map(|message| message.text)
}

/// Applies what is due, and returns the causes.
fn advance(details: &mut Small, now: u64) -> Vec<(u64, DetailsCause)> {
    let mut causes = Vec::new();
    while let Some(due) = next_due_details(details, at(now)) {
        details.apply(&due).unwrap();
        causes.push((due.at().as_millis() / 1000, due.cause()));
        assert!(causes.len() < 10, "there is no end to what is due");
    }
    causes
}

#[test]
fn t1_a_message_stays_without_an_expiry_and_is_replaced() {
    let mut details = Small::new();
    assert_eq!(set_message(&mut details, 0, "hello ☕", Instant::NEVER), Ok(true));
    assert_eq!((message_text(&details), details.next_deadline()), (Some("hello ☕"), None));
    assert_eq!(set_message(&mut details, 5, "lunch", at(60)), Ok(true));
    let message = details.status_message().unwrap();
    assert_eq!((message.text, message.published_at, message.expires_at), ("lunch", at(5), at(60)));
    assert_eq!(details.version(), 2);
}

#[test]
fn t1_a_message_is_not_visible_after_its_expiry() {
    let mut details = Small::new();
    set_message(&mut details, 0, "lunch", at(60)).unwrap();
    assert_eq!(advance(&mut details, 59), []);
    assert_eq!(details.next_deadline(), Some(at(60)));
    assert_eq!(advance(&mut details, 1000), [(60, DetailsCause::MessageExpired)]);
    assert_eq!((message_text(&details), details.version(), details.is_empty()), (None, 2, true));
}

#[test]
fn t1_empty_text_and_a_past_expiry_remove_the_message() {
    for (text, expires_at) in [("", Instant::NEVER), ("", at(60)), ("late", at(10)), ("late", at(9))] {
        let mut details = Small::new();
        assert_eq!(set_message(&mut details, 0, text, expires_at.min(at(0))), Ok(false), "nothing to remove");
        assert_eq!(details, Small::new());
        set_message(&mut details, 0, "lunch", Instant::NEVER).unwrap();
        assert_eq!(set_message(&mut details, 10, text, expires_at), Ok(true));
        assert_eq!((message_text(&details), details.version()), (None, 2));
    }
}

#[test]
fn t1_a_message_of_too_many_bytes_is_rejected_and_changes_nothing() {
    let mut details = Small::new();
    set_message(&mut details, 0, "twelve bytes", Instant::NEVER).unwrap();
    let before = details.clone();
    assert_eq!(set_message(&mut details, 1, "thirteen bytes", Instant::NEVER), Err(DetailsError::MessageTooLong));
    assert_eq!(set_message(&mut details, 1, "☕☕☕☕☕", Instant::NEVER), Err(DetailsError::MessageTooLong));
    assert_eq!(details, before);
    assert_eq!(set_message(&mut details, 1, "☕☕☕☕", Instant::NEVER), Ok(true));
}

#[test]
fn o1_out_of_office_is_set_by_the_application() {
    let mut details = Small::new();
    assert_eq!(details.out_of_office(), OutOfOffice { is_out_of_office: false, message: None });
    let away = OutOfOffice { is_out_of_office: true, message: Some("in May") };
    let out = DetailsCommand::SetOutOfOffice;
    details.apply(&decided(&details, 0, out(away))).unwrap();
    assert_eq!((details.out_of_office(), details.version(), details.is_empty()), (away, 1, false));
    // The same again is not visible.
    let again = decided(&details, 1, out(away));
    assert!(!again.is_visible());
    details.apply(&again).unwrap();
    assert_eq!((details.version(), details.revision()), (1, 2));
    let long = OutOfOffice { message: Some("more than twelve"), ..away };
    assert_eq!(update(&mut details, at(1), out(long)), Err(DetailsError::OutOfOfficeTooLong));
    let back = OutOfOffice { is_out_of_office: false, message: Some("") };
    details.apply(&decided(&details, 2, out(back))).unwrap();
    assert_eq!((details.out_of_office().message, details.is_empty()), (None, true));
}

const OFFICE: WorkPlace<'_> = WorkPlace { kind: WorkLocationType::Office, id: Some("building 7") };
const REMOTE: WorkPlace<'_> = WorkPlace { kind: WorkLocationType::Remote, id: None };
const OFF: WorkPlace<'_> = WorkPlace { kind: WorkLocationType::TimeOff, id: None };

fn locate(details: &mut Small, layer: LocationLayer, place: WorkPlace<'_>, until: u64) {
    let command = DetailsCommand::SetLocation { layer, place, until: at(until) };
    assert_eq!(update(details, at(0), command), Ok(true));
}

fn source(details: &Small) -> Option<(WorkLocationType, LocationLayer)> {
    details.work_location().map(|location| (location.place.kind, location.source))
}

#[test]
fn w1_types_and_sources_have_the_names_of_the_wire() {
    assert_eq!(WorkLocationType::ALL.map(WorkLocationType::name), ["office", "remote", "timeOff"]);
    assert_eq!(LocationLayer::ALL.map(LocationLayer::name), ["scheduled", "automatic", "manual"]);
    for kind in WorkLocationType::ALL {
        assert_eq!(WorkLocationType::from_name(&kind.name().to_uppercase()), Some(kind), "in any case");
    }
    assert_eq!(WorkLocationType::from_name("unspecified"), None);
}

#[test]
fn w1_manual_over_automatic_over_scheduled() {
    use LocationLayer::*;
    use WorkLocationType::*;
    let mut details = Small::new();
    assert_eq!(source(&details), None);
    locate(&mut details, Scheduled, OFF, 100);
    assert_eq!(source(&details), Some((TimeOff, Scheduled)));
    locate(&mut details, Manual, OFFICE, 100);
    locate(&mut details, Automatic, REMOTE, 50);
    assert_eq!(source(&details), Some((Office, Manual)));
    assert_eq!(details.work_location().unwrap().place, OFFICE);
    assert_eq!(details.version(), 2, "the automatic layer is hidden");
    assert_eq!(advance(&mut details, 60), [(50, DetailsCause::LocationEnded)]);
    assert_eq!(details.version(), 2);
    // Both end together: the weaker first, so that the visible location changes once.
    assert_eq!(advance(&mut details, 100), [(100, DetailsCause::LocationEnded); 2]);
    assert_eq!((source(&details), details.version(), details.is_empty()), (None, 3, true));
}

#[test]
fn w1_clearing_drops_the_automatic_layer_or_manual_and_automatic() {
    use LocationLayer::*;
    let full = || {
        let mut details = Small::new();
        locate(&mut details, Scheduled, OFF, 100);
        locate(&mut details, Automatic, REMOTE, 100);
        locate(&mut details, Manual, OFFICE, 100);
        details
    };
    for (layers, remaining) in [
        (LocationLayers::AUTOMATIC, [true, false, true]),
        (LocationLayers::MANUAL_AND_AUTOMATIC, [true, false, false]),
        (LocationLayers::SCHEDULED, [false, true, true]),
    ] {
        let mut details = full();
        assert_eq!(update(&mut details, at(1), DetailsCommand::ClearLocations(layers)), Ok(true));
        assert_eq!(LocationLayer::ALL.map(|layer| details.place(layer).is_some()), remaining);
        assert_eq!(update(&mut details, at(1), DetailsCommand::ClearLocations(layers)), Ok(false), "again");
        assert_eq!(update(&mut Small::new(), at(0), DetailsCommand::ClearLocations(layers)), Ok(false));
    }
}

/// An empty id is no id: setting it again is not visible (V1).
#[test]
fn w1_an_empty_id_of_a_place_is_none() {
    let mut details = Small::new();
    for (id, again) in [(Some(""), false), (None, true), (Some(""), true)] {
        let place = WorkPlace { id, ..OFFICE };
        let set = decided(&details, 0, manual(place, 100));
        assert_eq!(set.is_visible(), !again, "{id:?}");
        details.apply(&set).unwrap();
        assert_eq!(details.work_location().unwrap().place, WorkPlace { id: None, ..OFFICE });
    }
    assert_eq!(details.version(), 1);
}

/// The day may end while a request is on its way.
#[test]
fn w1_a_location_whose_day_is_over_clears_its_layer() {
    let mut details = Small::new();
    assert_eq!(update(&mut details, at(5), manual(OFFICE, 5)), Ok(false));
    locate(&mut details, LocationLayer::Automatic, REMOTE, 100);
    locate(&mut details, LocationLayer::Manual, OFFICE, 100);
    assert_eq!(update(&mut details, at(5), manual(OFF, 5)), Ok(true));
    assert_eq!(source(&details), Some((WorkLocationType::Remote, LocationLayer::Automatic)));
}

#[test]
fn w1_an_id_that_is_too_long_is_rejected() {
    let details = Small::new();
    let long = "x".repeat(WorkPlace::MAX_ID_LEN + 1);
    let place = WorkPlace { id: Some(&long), ..OFFICE };
    let now = details.at(at(5)).unwrap();
    assert_eq!(decide_details(now, manual(place, 9)), Err(DetailsError::PlaceTooLong));
    let longest = WorkPlace { id: Some(&long[1..]), ..OFFICE };
    assert!(decide_details(now, manual(longest, 6)).is_ok());
}

#[test]
fn v2_outdated_and_forged_transitions_change_nothing() {
    let mut details = Small::new();
    locate(&mut details, LocationLayer::Manual, OFFICE, 100);
    let set = decided(&details, 1, message("lunch", at(60)));
    let cleared = decided(&details, 1, CLEAR);
    details.apply(&cleared).unwrap();
    let before = details.clone();
    assert_eq!(details.apply(&set), Err(ApplyError::Stale));
    assert_eq!(details.apply(&cleared), Err(ApplyError::Stale));
    // Of the right revision, but about another user.
    let mut other = Small::with_version(1);
    locate(&mut other, LocationLayer::Manual, OFFICE, 100);
    let foreign = decided(&other, 1, CLEAR);
    assert_eq!(foreign.revision(), details.revision());
    assert_eq!(details.apply(&foreign), Err(ApplyError::Invalid));
    let mut expiring = Small::with_version(1);
    set_message(&mut expiring, 0, "lunch", at(60)).unwrap();
    let expired = next_due_details(&expiring, at(60)).unwrap();
    assert_eq!(details.apply(&expired), Err(ApplyError::Invalid));
    let mut large: Details<99> = Details::with_version(2);
    let long = decided(&large, 1, message("more than twelve bytes", Instant::NEVER));
    assert_eq!(details.apply(&long), Err(ApplyError::Invalid));
    assert_eq!(details, before);
    large.apply(&long).unwrap();
}

/// A command that was decided at a moment at which these details are overdue was decided about others. Rule S8.
#[test]
fn s8_a_command_does_not_overtake_what_is_due() {
    let (mut one, mut other) = (Small::new(), Small::new());
    set_message(&mut one, 0, "lunch", at(60)).unwrap();
    set_message(&mut other, 0, "lunch", Instant::NEVER).unwrap();
    locate(&mut one, LocationLayer::Manual, OFFICE, 100);
    locate(&mut other, LocationLayer::Manual, OFFICE, 100);
    let commands = [
        message("tea", Instant::NEVER),
        message("", Instant::NEVER),
        DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office: true, message: None }),
        DetailsCommand::SetLocation { layer: LocationLayer::Automatic, place: REMOTE, until: at(100) },
        CLEAR,
    ];
    for (seconds, result) in [(59, Ok(())), (60, Err(ApplyError::Invalid))] {
        for command in commands {
            let late = decided(&other, seconds, command);
            assert_eq!(one.clone().apply(&late), result, "{command:?} at {seconds} s");
        }
    }
}

/// Nothing ends before its deadline: an expiry of another message is rejected.
#[test]
fn s8_an_expiry_is_applied_at_its_own_instant() {
    let ending = |seconds| {
        let mut details = Small::new();
        set_message(&mut details, 0, "lunch", at(seconds)).unwrap();
        details
    };
    let early = next_due_details(&ending(50), at(50)).unwrap();
    let mut details = ending(60);
    assert_eq!((early.revision(), early.is_visible()), (details.revision(), true));
    assert_eq!(details.apply(&early), Err(ApplyError::Invalid));
    assert_eq!(details, ending(60));
    assert_eq!(ending(50).apply(&early), Ok(()));
    // A message that stays never ends.
    let mut staying = Small::new();
    set_message(&mut staying, 0, "lunch", Instant::NEVER).unwrap();
    assert_eq!(staying.apply(&early), Err(ApplyError::Invalid));
}

/// Several at one instant: the message first, then the weakest layer, so that the visible location changes at most once.
#[test]
fn s8_at_one_instant_the_message_ends_first() {
    let mut details = Small::new();
    locate(&mut details, LocationLayer::Manual, OFFICE, 60);
    locate(&mut details, LocationLayer::Scheduled, OFF, 60);
    set_message(&mut details, 0, "lunch", at(60)).unwrap();
    let mut ends = Vec::new();
    while let Some(due) = next_due_details(&details, at(60)) {
        details.apply(&due).unwrap();
        ends.push((due.change(), due.is_visible()));
        assert!(ends.len() < 10, "there is no end to what is due");
    }
    assert_eq!(
        ends,
        [
            (DetailsChange::MessageExpired, true),
            (DetailsChange::LocationEnded(LocationLayer::Scheduled), false),
            (DetailsChange::LocationEnded(LocationLayer::Manual), true),
        ]
    );
}

/// An out-of-office message that fits a larger record is rejected by a smaller, never cut. Rule S9.
#[test]
fn s9_a_smaller_record_accepts_what_fits() {
    let (mut small, large) = (Small::new(), Details::<99>::new());
    let out = |message| DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office: true, message: Some(message) });
    assert_eq!(small.apply(&decided(&large, 0, out("thirteen byte"))), Err(ApplyError::Invalid));
    assert_eq!(small, Small::new());
    assert_eq!(small.apply(&decided(&large, 0, out("twelve bytes"))), Ok(()));
}

/// Rule M5: details in which anything is set are not empty, and a view has all of it.
#[test]
fn m5_details_are_empty_until_something_is_set() {
    let with = |command| {
        let mut details = Small::new();
        update(&mut details, at(0), command).unwrap();
        details
    };
    let out = |is_out_of_office, message| DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office, message });
    let place = |layer| DetailsCommand::SetLocation { layer, place: OFFICE, until: at(60) };
    for command in [
        DetailsCommand::SetStatusMessage { text: "lunch", expires_at: Instant::NEVER },
        out(true, None),
        out(false, Some("in May")),
        place(LocationLayer::Scheduled),
        place(LocationLayer::Automatic),
        place(LocationLayer::Manual),
    ] {
        let details = with(command);
        assert!(!details.is_empty(), "{command:?}");
        let view = details.view();
        assert_eq!(view.status_message, details.status_message());
        assert_eq!((view.out_of_office, view.work_location), (details.out_of_office(), details.work_location()));
        assert_eq!((view.version, view == DetailsView::default()), (1, false));
    }
    assert!(Small::new().is_empty() && Small::with_version(7).is_empty());
    assert_eq!(Small::new().view(), DetailsView::default());
}

#[test]
fn c2_rebasing_keeps_the_time_that_remains() {
    let mut details = Small::new();
    set_message(&mut details, 1000, "lunch", at(1060)).unwrap();
    let set = decided(&details, 1000, manual(OFFICE, 1100));
    details.apply(&set).unwrap();
    let outdated = decided(&details, 1000, message("", Instant::NEVER));
    assert_eq!(details.clone().rebase(at(1060), at(0)).unwrap_err().deadline, at(1060));
    details.rebase(at(1010), at(10)).unwrap();
    assert_eq!(
        details.status_message().map(|message| (message.published_at, message.expires_at)),
        Some((at(0), at(60)))
    );
    assert_eq!(details.place(LocationLayer::Manual).map(|(_, until)| until), Some(at(100)));
    assert_eq!(details.apply(&outdated), Err(ApplyError::Stale));
}

#[test]
fn after_a_gap_of_unknown_length_messages_stay_and_locations_are_dropped() {
    let mut details = Small::new();
    set_message(&mut details, 0, "lunch", at(60)).unwrap();
    locate(&mut details, LocationLayer::Manual, OFFICE, 100);
    let mut buffer = [0; snapshot::max_details_len::<12>()];
    let stored = snapshot::save_details(details.at(at(20)).unwrap(), &mut buffer).unwrap();
    let restored = snapshot::restore_details::<12>(stored, at(0), None).unwrap();
    assert_eq!(restored.status_message().map(|message| message.expires_at), Some(at(40)));
    assert_eq!(restored.work_location(), None);
    assert_eq!(restored.version(), details.version() + 65_536);
    // With a known length everything is the same, overdue or not.
    let later = snapshot::restore_details::<12>(stored, at(1000), Some(Duration::from_secs(50))).unwrap();
    assert_eq!(
        next_due_details(&later, at(1000)).map(|due| (due.at(), due.change())),
        Some((at(990), DetailsChange::MessageExpired))
    );
    // A message that is too long for the record is rejected.
    assert_eq!(snapshot::restore_details::<4>(stored, at(0), None), Err(snapshot::RestoreError::Full));
    let user = presence_core::User::<u8, 1>::new();
    let mut buffer = [0; snapshot::max_len::<u8, 1>()];
    let other = snapshot::save(user.at(at(0)).unwrap(), &mut buffer).unwrap();
    let restored = snapshot::restore_details::<4>(other, at(0), None);
    assert_eq!(restored, Err(snapshot::RestoreError::IdLength));
}

/// Rule S8: a transition names its cause.
#[test]
fn s8_every_command_has_its_cause() {
    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
    let out = OutOfOffice { is_out_of_office: true, message: None };
    let layer = LocationLayer::Manual;
    let mut details = Small::new();
    for (command, cause) in [
        (message("x", Instant::NEVER), DetailsCause::MessageSet),
        (message("", Instant::NEVER), DetailsCause::MessageCleared),
        (DetailsCommand::SetOutOfOffice(out), DetailsCause::OutOfOfficeSet),
        (DetailsCommand::SetLocation { layer, place, until: at(9) }, DetailsCause::LocationSet),
        (CLEAR, DetailsCause::LocationCleared),
    ] {
        let transition = decided(&details, 1, command);
        assert_eq!(transition.cause(), cause);
        details.apply(&transition).unwrap();
    }
}
