//! The texts of errors, ids, times and names. The words of errors may change at any time, but each has its own.

use core::fmt::Display;
use presence_core::directory::{Cursor, DecideError, InlineDirectory};
use presence_core::snapshot::RestoreError;
use presence_core::{
    Activity, ApplyError, Availability, Cause, CommandError, Duration, DurationRange, Instant, IsoDuration, NotFound,
    OverdueError, Policy, Presence, PresenceSet, SessionId, SetPreferredError, SetPresenceError, UserId,
};

/// Asserts that each has a text, and that no two are the same.
fn all_differ<T: Display>(values: &[T]) {
    let texts: Vec<_> = values.iter().map(T::to_string).collect();
    for (index, text) in texts.iter().enumerate() {
        assert!(!text.trim().is_empty(), "index {index} of {texts:?}");
        assert!(!texts[..index].contains(text), "{text} twice");
    }
}

#[test]
fn every_error_says_what_is_wrong() {
    let parse_errors: [&dyn Display; 3] = [
        &"Levitating".parse::<Presence>().unwrap_err(),
        &"me".parse::<UserId>().unwrap_err(),
        &"an hour".parse::<Duration>().unwrap_err(),
    ];
    let directory = InlineDirectory::<u8, u8, 1, 1>::with_policy(Policy::GRAPH);
    let cursor_error = directory.changes_since(Cursor::from_number(1)).err().unwrap();
    all_differ(&[&parse_errors[..], &[&NotFound, &cursor_error]].concat());
    all_differ(&[ApplyError::Stale, ApplyError::Invalid, ApplyError::Full]);
    all_differ(&[
        CommandError::NotFound,
        CommandError::Lease,
        CommandError::Presence,
        CommandError::PreferredDuration,
        CommandError::PreferredPresence,
        CommandError::SessionsFull,
        CommandError::UsersFull,
    ]);
}

const SET_PRESENCE_ERRORS: [SetPresenceError; 3] = [
    SetPresenceError::Lease { allowed: Policy::GRAPH.leases },
    SetPresenceError::Presence { presence: Presence::InAMeeting, allowed: Policy::GRAPH.sessions },
    SetPresenceError::Full,
];
const SET_PREFERRED_ERRORS: [SetPreferredError; 2] = [
    SetPreferredError::Duration { allowed: Policy::GRAPH.preferred_durations },
    SetPreferredError::Presence { presence: Presence::InACall, allowed: Policy::GRAPH.preferred },
];

/// Which part of the policy rejects a command, and what that part allows.
#[test]
fn errors_of_a_policy_name_its_fields_and_ranges() {
    let words = |error: &dyn Display, words: &[&str]| {
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    let [lease, presence, _] = SET_PRESENCE_ERRORS;
    words(&lease, &["lease", "Policy::leases", "PT5M to PT4H"]);
    let set = "Away, Available, InACall, InAConferenceCall, Presenting";
    words(&presence, &["Policy::sessions:", "InAMeeting is none of", set]);
    let [duration, presence] = SET_PREFERRED_ERRORS;
    words(&duration, &["Policy::preferred_durations", "PT0.001S to P366D"]);
    words(&presence, &["Policy::preferred:", "InACall is none of", "OffWork, Away, BeRightBack"]);
    all_differ(&SET_PRESENCE_ERRORS);
    all_differ(&SET_PREFERRED_ERRORS);
}

#[test]
fn every_error_of_a_snapshot_says_what_is_wrong() {
    #[cfg_attr(not(feature = "details"), allow(unused_mut))]
    let mut errors = vec![
        RestoreError::Length,
        RestoreError::Checksum,
        RestoreError::NewerVersion(7),
        RestoreError::Full,
        RestoreError::BeforeEpoch,
        RestoreError::FormatVersion,
        RestoreError::IdLength,
        RestoreError::Flags,
        RestoreError::Number,
        RestoreError::Presence,
        RestoreError::SessionIds,
        RestoreError::Fades,
        RestoreError::VersionAhead,
    ];
    #[cfg(feature = "details")]
    errors.extend([RestoreError::Text, RestoreError::WorkLocationType]);
    all_differ(&errors);
    all_differ(&[presence_core::BufferFull]);
}

/// An error that wraps another begins with its text.
#[test]
fn a_wrapped_error_keeps_its_text() {
    let overdue = OverdueError::new(Instant::from_secs(300));
    assert!(overdue.to_string().contains("300.000 s"), "when it was due: {overdue}");
    assert!(overdue.to_string().contains("next_due"), "what to do: {overdue}");
    assert_eq!(DecideError::from(overdue).to_string(), overdue.to_string());
    assert_eq!(DecideError::from(CommandError::NotFound).to_string(), CommandError::NotFound.to_string());
    assert_eq!(CommandError::from(NotFound).to_string(), NotFound.to_string());
    // A command's error names the field; what it allows comes after that.
    for error in SET_PRESENCE_ERRORS {
        assert!(error.to_string().starts_with(&CommandError::from(error).to_string()));
    }
    for error in SET_PREFERRED_ERRORS {
        assert!(error.to_string().starts_with(&CommandError::from(error).to_string()));
    }
}

/// In logs an id is the text that everybody knows it by, in columns if need be.
#[test]
fn ids_are_shown_as_they_are_written() {
    let text = "22553876-f5ab-4529-bffb-cfe50aa89f87";
    let (session, user): (SessionId, UserId) = (text.parse().unwrap(), text.parse().unwrap());
    assert_eq!((session.to_string().as_str(), format!("{session:?}").as_str()), (text, text));
    assert_eq!((user.to_string().as_str(), format!("{user:?}").as_str()), (text, text));
    assert_eq!(format!("{user:>38}"), format!("  {text}"));
}

#[test]
fn ids_are_read_as_they_are_written() {
    let bytes = *b"sixteen bytes id";
    let (session, user) = (SessionId::from(bytes), UserId::from(bytes));
    assert_eq!((session.to_string().parse(), user.to_string().parse()), (Ok(session), Ok(user)));
    assert_eq!((<[u8; 16]>::from(session), <[u8; 16]>::from(user)), (bytes, bytes));
    assert_eq!((SessionId::TEXT_LEN, UserId::TEXT_LEN), (session.to_text().len(), user.to_string().len()));
}

#[test]
fn instants_are_shown_in_seconds() {
    for (millis, text) in [(0, "0.000 s"), (1, "0.001 s"), (300_000, "300.000 s"), (1_234_567, "1234.567 s")] {
        assert_eq!(Instant::from_millis(millis).to_string(), text);
    }
    assert_eq!(Instant::from_millis(u64::MAX - 1).to_string(), "18446744073709551.614 s");
    assert_eq!(Instant::NEVER.to_string(), "never");
}

#[test]
fn h4_durations_are_read_as_they_are_written() {
    for duration in [0, 1, 300_000, 5_400_000, u64::MAX].map(Duration::from_millis) {
        assert_eq!(duration.to_string().parse(), Ok(duration));
        assert_eq!(duration.to_string().parse().map(IsoDuration::magnitude), Ok(duration));
    }
    assert_eq!("1:30:00".parse(), Ok(Duration::from_mins(90)));
    assert_eq!("PT0.0019S".parse(), Ok(Duration::from_millis(1)), "cut off");
    for text in ["-PT1S", "P999999999999D", "PT18446744073709551.6159S", "1h", ""] {
        assert!(text.parse::<Duration>().is_err(), "{text}");
    }
    let leases = DurationRange { shortest: Duration::from_mins(5), longest: Duration::from_hours(4) };
    assert_eq!(leases.to_string(), "PT5M to PT4H");
}

#[test]
fn p3_presences_are_read_as_they_are_written() {
    for presence in Presence::ALL {
        assert_eq!(presence.to_string().parse(), Ok(presence));
        assert_eq!(presence.to_string().to_ascii_lowercase().parse(), Ok(presence));
        assert_eq!(presence.activity().to_string().to_ascii_uppercase().parse(), Ok(presence));
        assert_eq!(presence.activity().to_string().parse(), Ok(presence.activity()));
        assert_eq!(presence.availability().to_string().parse(), Ok(presence.availability()));
    }
    for text in ["", "/", "Busy/", "/Busy", "Away/BeRightBack", "Busy/InACall/", "Busy InACall", "AvailableIdle"] {
        assert!(text.parse::<Presence>().is_err(), "{text}");
    }
    assert!("InACall".parse::<Availability>().is_err() && "Idle".parse::<Activity>().is_err());
}

#[test]
fn sets_of_presences_name_their_members() {
    assert_eq!(PresenceSet::EMPTY.to_string(), "none");
    assert_eq!(PresenceSet::of(&[Presence::InACall]).to_string(), "InACall");
    assert_eq!(PresenceSet::from_up(Presence::Focusing).to_string(), "Focusing, UrgentInterruptionsOnly, Presenting");
}

/// Causes are named in logs and events, which are read by programs.
#[test]
fn causes_have_the_names_of_the_wire() {
    let causes = [
        (Cause::Set, "set"),
        (Cause::Cleared, "cleared"),
        (Cause::Faded, "faded"),
        (Cause::Expired, "expired"),
        (Cause::PreferredSet, "preferredSet"),
        (Cause::PreferredCleared, "preferredCleared"),
        (Cause::PreferredExpired, "preferredExpired"),
    ];
    for (cause, name) in causes {
        assert_eq!((cause.to_string().as_str(), cause.name()), (name, name));
    }
}

#[cfg(feature = "graph")]
#[test]
fn errors_of_the_wire_say_what_is_wrong() {
    use presence_core::graph::Error;
    use presence_core::graph::json::JsonError;
    all_differ(&[JsonError::NotUtf8, JsonError::Syntax, JsonError::TooDeep, JsonError::DuplicateMember]);
    all_differ(&[
        Error::TooLarge,
        Error::UnknownPath,
        Error::MethodNotAllowed,
        Error::UnsupportedMediaType,
        Error::Json(JsonError::NotUtf8),
        Error::Json(JsonError::Syntax),
        Error::Json(JsonError::TooDeep),
        Error::Json(JsonError::DuplicateMember),
        Error::NotAnObject,
        Error::Pair,
        Error::Unauthenticated,
        Error::Throttled { retry_after: 1 },
        Error::OtherUser,
        Error::MissingPermission,
        Error::OtherSession,
        Error::SessionNotFound,
        Error::SessionsFull,
        Error::UsersFull,
        Error::ResponseTooLarge,
    ]);
}

#[cfg(feature = "details")]
#[test]
fn errors_and_causes_of_details_say_what_is_meant() {
    use presence_core::details::{DetailsCause, DetailsError};
    all_differ(&[
        DetailsError::MessageTooLong,
        DetailsError::OutOfOfficeTooLong,
        DetailsError::PlaceTooLong,
        DetailsError::UsersFull,
        DetailsError::Unsupported,
    ]);
    let causes = [
        (DetailsCause::MessageSet, "messageSet"),
        (DetailsCause::MessageCleared, "messageCleared"),
        (DetailsCause::MessageExpired, "messageExpired"),
        (DetailsCause::OutOfOfficeSet, "outOfOfficeSet"),
        (DetailsCause::LocationSet, "locationSet"),
        (DetailsCause::LocationCleared, "locationCleared"),
        (DetailsCause::LocationEnded, "locationEnded"),
    ];
    for (cause, name) in causes {
        assert_eq!((cause.to_string().as_str(), cause.name()), (name, name));
    }
}

/// Rule H1: a message names a member as Graph capitalises it.
#[cfg(feature = "graph")]
#[test]
fn h1_fields_have_the_names_of_their_members() {
    use presence_core::graph::Field;
    let fields = [
        (Field::SessionId, "sessionId"),
        (Field::Availability, "availability"),
        (Field::Activity, "activity"),
        (Field::ExpirationDuration, "expirationDuration"),
        (Field::Ids, "ids"),
        (Field::Requests, "requests"),
        (Field::Id, "id"),
        (Field::Method, "method"),
        (Field::Url, "url"),
        (Field::Headers, "headers"),
        (Field::Body, "body"),
        (Field::DependsOn, "dependsOn"),
        (Field::User, "user"),
        (Field::At, "at"),
    ];
    for (field, member) in fields {
        assert_eq!((field.member(), field.name()), (member, capitalised(member).as_str()));
    }
}

#[cfg(all(feature = "graph", feature = "details"))]
#[test]
fn h1_fields_of_details_have_the_names_of_their_members() {
    use presence_core::graph::Field;
    let fields = [
        (Field::StatusMessage, "statusMessage"),
        (Field::Message, "message"),
        (Field::Content, "content"),
        (Field::ContentType, "contentType"),
        (Field::ExpiryDateTime, "expiryDateTime"),
        (Field::DateTime, "dateTime"),
        (Field::TimeZone, "timeZone"),
        (Field::WorkLocationType, "workLocationType"),
        (Field::PlaceId, "placeId"),
        (Field::Select, "$select"),
    ];
    for (field, member) in fields {
        let name = capitalised(member.trim_start_matches('$'));
        assert_eq!((field.member(), field.name()), (member, name.as_str()));
    }
}

#[cfg(feature = "graph")]
fn capitalised(member: &str) -> String {
    let (first, rest) = member.split_at(1);
    first.to_uppercase() + rest
}

/// A log of a request shows who asked and when, not the functions that came with it.
#[cfg(feature = "graph")]
#[test]
fn a_context_says_who_asks_and_when() {
    use presence_core::graph::{Caller, Context};
    let context = Context::new(Instant::from_millis(1234), Caller::Trusted { me: None });
    let text = format!("{context:?}");
    assert!(text.contains("1234") && text.contains("Trusted"), "{text}");
}

/// Values in a table: width, fill and alignment count, as for any text.
#[test]
fn texts_of_values_are_padded() {
    fn assert_padded<T: Display>(value: T) {
        let text = value.to_string();
        assert_eq!(format!("{value:*>70}"), format!("{text:*>70}"));
        assert_eq!(format!("{value:<70}|"), format!("{text:<70}|"));
        assert_eq!(format!("{value:-^71}"), format!("{text:-^71}"));
        assert_eq!(format!("{value:1}"), text, "never cut");
    }
    for millis in [0, 1, 300_000, 90_061_010, u64::MAX - 1, u64::MAX] {
        assert_padded(Instant::from_millis(millis));
        assert_padded(Duration::from_millis(millis));
        let longest = Duration::from_millis(millis);
        assert_padded(DurationRange { shortest: longest, longest });
    }
    for presence in Presence::ALL {
        assert_padded(presence);
        assert_padded(presence.availability());
        assert_padded(presence.activity());
    }
    assert_padded(Cause::PreferredExpired);
    assert_padded(UserId::from_bytes([7; 16]));
}
