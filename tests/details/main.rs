//! Status message, out of office, work location: rules T1, O1, W1, V1, V2, S7, S8, C2, against an independent model.
#![cfg(feature = "details")]

mod model;

use presence_core::details::{
    Details, DetailsCause, DetailsChange, DetailsCommand, DetailsError, DetailsView, LocationLayer, LocationLayers,
    OutOfOffice, WorkLocationType, WorkPlace, clear_locations, decide_details, next_due_details, set_location,
    set_out_of_office, set_status_message,
};
use presence_core::{ApplyError, Duration, Instant, snapshot};

type Small = Details<12>;

fn at(second: u64) -> Instant {
    Instant::from_secs(second)
}

fn tell(details: &mut Small, now: Instant, command: DetailsCommand<'_>) -> Result<bool, DetailsError> {
    let transition = decide_details(details.at(now).unwrap(), command)?;
    if let Some(transition) = &transition {
        details.apply(transition).unwrap();
    }
    Ok(transition.is_some())
}

fn say(details: &mut Small, now: u64, text: &str, expires_at: Instant) -> Result<bool, DetailsError> {
    tell(details, at(now), DetailsCommand::SetStatusMessage { text, expires_at })
}

fn shown(details: &Small) -> Option<&str> {
    details.status_message().map(|message| message.text)
}

/// Carries out what is due, and tells what it was.
fn pass(details: &mut Small, now: u64) -> Vec<(u64, DetailsCause)> {
    let mut causes = Vec::new();
    while let Some(due) = next_due_details(details, at(now)) {
        details.apply(&due).unwrap();
        causes.push((due.at().as_millis() / 1000, due.cause()));
    }
    causes
}

#[test]
fn t1_a_message_stays_without_an_expiry_and_is_replaced() {
    let mut details = Small::new();
    assert_eq!(say(&mut details, 0, "hello ☕", Instant::NEVER), Ok(true));
    assert_eq!((shown(&details), details.next_deadline()), (Some("hello ☕"), None));
    assert_eq!(say(&mut details, 5, "lunch", at(60)), Ok(true));
    let message = details.status_message().unwrap();
    assert_eq!((message.text, message.published_at, message.expires_at), ("lunch", at(5), at(60)));
    assert_eq!(details.version(), 2);
}

#[test]
fn t1_it_is_no_longer_shown_after_its_expiry() {
    let mut details = Small::new();
    say(&mut details, 0, "lunch", at(60)).unwrap();
    assert_eq!(pass(&mut details, 59), []);
    assert_eq!(details.next_deadline(), Some(at(60)));
    assert_eq!(pass(&mut details, 1000), [(60, DetailsCause::MessageExpired)]);
    assert_eq!((shown(&details), details.version(), details.is_empty()), (None, 2, true));
}

#[test]
fn t1_empty_text_removes_it_and_so_does_one_of_the_past() {
    for (text, expires_at) in [("", Instant::NEVER), ("", at(60)), ("late", at(10)), ("late", at(9))] {
        let mut details = Small::new();
        assert_eq!(say(&mut details, 0, text, expires_at.min(at(0))), Ok(false), "nothing to remove");
        assert_eq!(details, Small::new());
        say(&mut details, 0, "lunch", Instant::NEVER).unwrap();
        assert_eq!(say(&mut details, 10, text, expires_at), Ok(true));
        assert_eq!((shown(&details), details.version()), (None, 2));
    }
}

#[test]
fn t1_its_room_is_counted_in_bytes_and_a_refused_one_changes_nothing() {
    let mut details = Small::new();
    say(&mut details, 0, "twelve bytes", Instant::NEVER).unwrap();
    let before = details.clone();
    assert_eq!(say(&mut details, 1, "thirteen bytes", Instant::NEVER), Err(DetailsError::MessageTooLong));
    assert_eq!(say(&mut details, 1, "☕☕☕☕☕", Instant::NEVER), Err(DetailsError::MessageTooLong));
    assert_eq!(details, before);
    assert_eq!(say(&mut details, 1, "☕☕☕☕", Instant::NEVER), Ok(true));
}

#[test]
fn o1_out_of_office_is_the_embedders_word() {
    let mut details = Small::new();
    assert_eq!(details.out_of_office(), OutOfOffice { is_out_of_office: false, message: None });
    let away = OutOfOffice { is_out_of_office: true, message: Some("in May") };
    details.apply(&set_out_of_office(details.clone().at(at(0)).unwrap(), away).unwrap()).unwrap();
    assert_eq!((details.out_of_office(), details.version(), details.is_empty()), (away, 1, false));
    // Saying it again can be seen by nobody.
    let again = set_out_of_office(details.at(at(1)).unwrap(), away).unwrap();
    assert!(!again.is_visible());
    details.apply(&again).unwrap();
    assert_eq!((details.version(), details.revision()), (1, 2));
    let long = OutOfOffice { message: Some("more than twelve"), ..away };
    assert_eq!(set_out_of_office(details.at(at(1)).unwrap(), long), Err(DetailsError::OutOfOfficeTooLong));
    let back = OutOfOffice { is_out_of_office: false, message: Some("") };
    details.apply(&set_out_of_office(details.clone().at(at(2)).unwrap(), back).unwrap()).unwrap();
    assert_eq!((details.out_of_office().message, details.is_empty()), (None, true));
}

const OFFICE: WorkPlace<'_> = WorkPlace { kind: WorkLocationType::Office, id: Some("building 7") };
const REMOTE: WorkPlace<'_> = WorkPlace { kind: WorkLocationType::Remote, id: None };
const OFF: WorkPlace<'_> = WorkPlace { kind: WorkLocationType::TimeOff, id: None };

fn locate(details: &mut Small, layer: LocationLayer, place: WorkPlace<'_>, until: u64) {
    let command = DetailsCommand::SetLocation { layer, place, until: at(until) };
    assert_eq!(tell(details, at(0), command), Ok(true));
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
    assert_eq!(pass(&mut details, 60), [(50, DetailsCause::LocationEnded)]);
    assert_eq!(details.version(), 2);
    // Both fall together: the weaker first, so that what is shown changes once.
    assert_eq!(pass(&mut details, 100), [(100, DetailsCause::LocationEnded); 2]);
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
    for (layers, left) in [
        (LocationLayers::AUTOMATIC, [true, false, true]),
        (LocationLayers::MANUAL_AND_AUTOMATIC, [true, false, false]),
        (LocationLayers::SCHEDULED, [false, true, true]),
    ] {
        let mut details = full();
        assert_eq!(tell(&mut details, at(1), DetailsCommand::ClearLocations(layers)), Ok(true));
        assert_eq!(LocationLayer::ALL.map(|layer| details.place(layer).is_some()), left);
        assert_eq!(tell(&mut details, at(1), DetailsCommand::ClearLocations(layers)), Ok(false), "again");
        assert_eq!(clear_locations(Small::new().at(at(0)).unwrap(), layers), None);
    }
}

/// An empty id is none: to say so once more can be seen by nobody (V1).
#[test]
fn w1_an_empty_id_of_a_place_is_none() {
    let mut details = Small::new();
    for (id, again) in [(Some(""), false), (None, true), (Some(""), true)] {
        let place = WorkPlace { id, ..OFFICE };
        let set = set_location(details.at(at(0)).unwrap(), LocationLayer::Manual, place, at(100)).unwrap().unwrap();
        assert_eq!(set.is_visible(), !again, "{id:?}");
        details.apply(&set).unwrap();
        assert_eq!(details.work_location().unwrap().place, WorkPlace { id: None, ..OFFICE });
    }
    assert_eq!(details.version(), 1);
}

/// The day may end while a request is on its way.
#[test]
fn w1_a_location_whose_day_is_over_says_nothing() {
    let mut details = Small::new();
    assert_eq!(set_location(details.at(at(5)).unwrap(), LocationLayer::Manual, OFFICE, at(5)), Ok(None));
    locate(&mut details, LocationLayer::Automatic, REMOTE, 100);
    locate(&mut details, LocationLayer::Manual, OFFICE, 100);
    let command = DetailsCommand::SetLocation { layer: LocationLayer::Manual, place: OFF, until: at(5) };
    assert_eq!(tell(&mut details, at(5), command), Ok(true));
    assert_eq!(source(&details), Some((WorkLocationType::Remote, LocationLayer::Automatic)));
}

#[test]
fn w1_what_is_refused() {
    let details = Small::new();
    let long = "x".repeat(WorkPlace::MAX_ID_LEN + 1);
    let place = WorkPlace { id: Some(&long), ..OFFICE };
    let now = details.at(at(5)).unwrap();
    assert_eq!(set_location(now, LocationLayer::Manual, place, at(9)), Err(DetailsError::PlaceTooLong));
    let longest = WorkPlace { id: Some(&long[1..]), ..OFFICE };
    assert!(set_location(now, LocationLayer::Manual, longest, at(6)).is_ok());
}

#[test]
fn v2_outdated_and_forged_transitions_change_nothing() {
    let mut details = Small::new();
    locate(&mut details, LocationLayer::Manual, OFFICE, 100);
    let set = set_status_message(details.at(at(1)).unwrap(), "lunch", at(60)).unwrap().unwrap();
    let cleared = clear_locations(details.at(at(1)).unwrap(), LocationLayers::MANUAL_AND_AUTOMATIC).unwrap();
    details.apply(&cleared).unwrap();
    let before = details.clone();
    assert_eq!(details.apply(&set), Err(ApplyError::Stale));
    assert_eq!(details.apply(&cleared), Err(ApplyError::Stale));
    // Of the right revision, but about somebody else.
    let mut other = Small::with_version(1);
    locate(&mut other, LocationLayer::Manual, OFFICE, 100);
    let alien = clear_locations(other.at(at(1)).unwrap(), LocationLayers::MANUAL_AND_AUTOMATIC).unwrap();
    assert_eq!(alien.revision(), details.revision());
    assert_eq!(details.apply(&alien), Err(ApplyError::Invalid));
    let mut expiring = Small::with_version(1);
    say(&mut expiring, 0, "lunch", at(60)).unwrap();
    let expired = next_due_details(&expiring, at(60)).unwrap();
    assert_eq!(details.apply(&expired), Err(ApplyError::Invalid));
    let mut large: Details<99> = Details::with_version(2);
    let long = set_status_message(large.at(at(1)).unwrap(), "more than twelve bytes", Instant::NEVER).unwrap().unwrap();
    assert_eq!(details.apply(&long), Err(ApplyError::Invalid));
    assert_eq!(details, before);
    large.apply(&long).unwrap();
}

/// A command decided at a moment by which something else is due was not decided about these details. Rule S8.
#[test]
fn s8_a_command_does_not_overtake_what_is_due() {
    let (mut one, mut other) = (Small::new(), Small::new());
    say(&mut one, 0, "lunch", at(60)).unwrap();
    say(&mut other, 0, "lunch", Instant::NEVER).unwrap();
    locate(&mut one, LocationLayer::Manual, OFFICE, 100);
    locate(&mut other, LocationLayer::Manual, OFFICE, 100);
    let commands = [
        DetailsCommand::SetStatusMessage { text: "tea", expires_at: Instant::NEVER },
        DetailsCommand::SetStatusMessage { text: "", expires_at: Instant::NEVER },
        DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office: true, message: None }),
        DetailsCommand::SetLocation { layer: LocationLayer::Automatic, place: REMOTE, until: at(100) },
        DetailsCommand::ClearLocations(LocationLayers::MANUAL_AND_AUTOMATIC),
    ];
    for (seconds, answer) in [(59, Ok(())), (60, Err(ApplyError::Invalid))] {
        for command in commands {
            let late = decide_details(other.at(at(seconds)).unwrap(), command).unwrap().unwrap();
            assert_eq!(one.clone().apply(&late), answer, "{command:?} at {seconds} s");
        }
    }
}

/// Nor does anything end before its time: the end of another's message, at a moment at which nothing of one's own ends.
#[test]
fn s8_time_is_applied_at_its_own_instant() {
    let ending = |seconds| {
        let mut details = Small::new();
        say(&mut details, 0, "lunch", at(seconds)).unwrap();
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
    say(&mut staying, 0, "lunch", Instant::NEVER).unwrap();
    assert_eq!(staying.apply(&early), Err(ApplyError::Invalid));
}

/// Several at one instant: the message first, then the weakest layer, so that the location shown changes at most once.
#[test]
fn s8_at_one_instant_the_message_ends_first() {
    let mut details = Small::new();
    locate(&mut details, LocationLayer::Manual, OFFICE, 60);
    locate(&mut details, LocationLayer::Scheduled, OFF, 60);
    say(&mut details, 0, "lunch", at(60)).unwrap();
    let mut ends = Vec::new();
    while let Some(due) = next_due_details(&details, at(60)) {
        details.apply(&due).unwrap();
        ends.push((due.change(), due.is_visible()));
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

/// An out-of-office message that fits a larger record is refused by a smaller, never cut. Rule S9.
#[test]
fn s9_a_smaller_record_takes_what_fits() {
    let (mut small, large) = (Small::new(), Details::<99>::new());
    let said = |message| {
        set_out_of_office(large.at(at(0)).unwrap(), OutOfOffice { is_out_of_office: true, message: Some(message) })
    };
    assert_eq!(small.apply(&said("thirteen byte").unwrap()), Err(ApplyError::Invalid));
    assert_eq!(small, Small::new());
    assert_eq!(small.apply(&said("twelve bytes").unwrap()), Ok(()));
}

/// Rule M5: whoever has told anything is not empty, and all of it is shown together.
#[test]
fn m5_nothing_is_stored_of_who_has_told_nothing() {
    let told = |command| {
        let mut details = Small::new();
        tell(&mut details, at(0), command).unwrap();
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
        let details = told(command);
        assert!(!details.is_empty(), "{command:?}");
        let shown = details.view();
        assert_eq!(shown.status_message, details.status_message());
        assert_eq!((shown.out_of_office, shown.work_location), (details.out_of_office(), details.work_location()));
        assert_eq!((shown.version, shown == DetailsView::default()), (1, false));
    }
    assert!(Small::new().is_empty() && Small::with_version(7).is_empty());
    assert_eq!(Small::new().view(), DetailsView::default());
}

#[test]
fn c2_a_shifted_clock_keeps_what_is_left() {
    let mut details = Small::new();
    say(&mut details, 1000, "lunch", at(1060)).unwrap();
    let set = set_location(details.at(at(1000)).unwrap(), LocationLayer::Manual, OFFICE, at(1100)).unwrap().unwrap();
    details.apply(&set).unwrap();
    let outdated = set_status_message(details.at(at(1000)).unwrap(), "", Instant::NEVER).unwrap().unwrap();
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
fn after_a_gap_of_unknown_length_messages_stay_and_locations_go() {
    let mut details = Small::new();
    say(&mut details, 0, "lunch", at(60)).unwrap();
    locate(&mut details, LocationLayer::Manual, OFFICE, 100);
    let mut buffer = [0; snapshot::max_details_len::<12>()];
    let stored = snapshot::save_details(details.at(at(20)).unwrap(), &mut buffer).unwrap();
    let restored = snapshot::restore_details::<12>(stored, at(0), None).unwrap();
    assert_eq!(restored.status_message().map(|message| message.expires_at), Some(at(40)));
    assert_eq!(restored.work_location(), None);
    assert_eq!(restored.version(), details.version() + snapshot::VERSION_GAP);
    // With a known length everything is as it was, overdue or not.
    let later = snapshot::restore_details::<12>(stored, at(1000), Some(Duration::from_secs(50))).unwrap();
    assert_eq!(
        next_due_details(&later, at(1000)).map(|due| (due.at(), due.change())),
        Some((at(990), DetailsChange::MessageExpired))
    );
    // Nor does a larger one fit a smaller.
    assert_eq!(snapshot::restore_details::<4>(stored, at(0), None), Err(snapshot::RestoreError::Full));
    let user = presence_core::User::<u8, 1>::new();
    let mut buffer = [0; snapshot::max_len::<u8, 1>()];
    let other = snapshot::save(user.at(at(0)).unwrap(), &mut buffer).unwrap();
    let refused = snapshot::restore_details::<4>(other, at(0), None);
    assert_eq!(refused, Err(snapshot::RestoreError::IdLength));
}

/// Rule S8: a transition says why it happens.
#[test]
fn s8_every_command_has_its_cause() {
    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
    let out = OutOfOffice { is_out_of_office: true, message: None };
    let layer = LocationLayer::Manual;
    let mut details = Small::new();
    for (command, cause) in [
        (DetailsCommand::SetStatusMessage { text: "x", expires_at: Instant::NEVER }, DetailsCause::MessageSet),
        (DetailsCommand::SetStatusMessage { text: "", expires_at: Instant::NEVER }, DetailsCause::MessageCleared),
        (DetailsCommand::SetOutOfOffice(out), DetailsCause::OutOfOfficeSet),
        (DetailsCommand::SetLocation { layer, place, until: at(9) }, DetailsCause::LocationSet),
        (DetailsCommand::ClearLocations(LocationLayers::MANUAL_AND_AUTOMATIC), DetailsCause::LocationCleared),
    ] {
        let transition = decide_details(details.at(at(1)).unwrap(), command).unwrap().unwrap();
        assert_eq!(transition.cause(), cause);
        details.apply(&transition).unwrap();
    }
}
