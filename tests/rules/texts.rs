//! What errors and causes say to people. The words may change at any time; that there are some, and different ones, may not.

use core::fmt::Display;
use presence_core::directory::{CursorError, DecideError};
use presence_core::snapshot::RestoreError;
use presence_core::{
    ApplyError, Cause, CommandError, Instant, NotFound, OverdueError, ParseDurationError, ParseIdError,
    ParsePresenceError, SessionId, SetPreferredError, SetPresenceError, UserId,
};

/// Each says something, and none says what another says.
fn all_differ<T: Display>(values: &[T]) {
    let texts: Vec<_> = values.iter().map(T::to_string).collect();
    for (place, text) in texts.iter().enumerate() {
        assert!(!text.trim().is_empty(), "number {place} of {texts:?}");
        assert!(!texts[..place].contains(text), "{text} twice");
    }
}

#[test]
fn every_error_says_what_is_wrong() {
    all_differ::<&dyn Display>(&[&ParsePresenceError, &ParseIdError, &ParseDurationError, &NotFound, &CursorError]);
    all_differ(&[ApplyError::Stale, ApplyError::Invalid, ApplyError::Full]);
    all_differ(&[
        CommandError::NotFound,
        CommandError::Duration,
        CommandError::Presence,
        CommandError::SessionsFull,
        CommandError::UsersFull,
    ]);
    all_differ(&[SetPresenceError::Lease, SetPresenceError::Presence, SetPresenceError::Full]);
    all_differ(&[SetPreferredError::Duration, SetPreferredError::Presence]);
}

#[test]
fn every_refused_snapshot_says_what_is_wrong() {
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
        RestoreError::Revision,
    ];
    #[cfg(feature = "details")]
    errors.extend([RestoreError::Text, RestoreError::WorkLocationType]);
    all_differ(&errors);
    all_differ(&[presence_core::BufferFull]);
}

/// An error that stands for another says what that says.
#[test]
fn an_error_within_another_says_the_same() {
    let overdue = OverdueError { deadline: Instant::from_secs(300) };
    assert!(overdue.to_string().contains("300000"), "when it was due: {overdue}");
    assert_eq!(DecideError::from(overdue).to_string(), overdue.to_string());
    assert_eq!(DecideError::from(CommandError::NotFound).to_string(), CommandError::NotFound.to_string());
    assert_eq!(CommandError::from(NotFound).to_string(), NotFound.to_string());
    for error in [SetPresenceError::Lease, SetPresenceError::Presence, SetPresenceError::Full] {
        assert_eq!(CommandError::from(error).to_string(), error.to_string());
    }
    for error in [SetPreferredError::Duration, SetPreferredError::Presence] {
        assert_eq!(CommandError::from(error).to_string(), error.to_string());
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
    use presence_core::BufferFull;
    use presence_core::graph::Error;
    use presence_core::graph::json::{DuplicateMemberError, JsonError};
    all_differ::<&dyn Display>(&[&DuplicateMemberError, &BufferFull]);
    all_differ(&[JsonError::NotUtf8, JsonError::Syntax, JsonError::TooDeep]);
    all_differ(&[
        Error::TooLarge,
        Error::UnknownPath,
        Error::MethodNotAllowed,
        Error::UnsupportedMediaType,
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
        Error::AnswerTooLarge,
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
        DetailsError::NotKept,
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
    use presence_core::graph::{DetailsField, Field};
    let fields = [
        (DetailsField::StatusMessage, "statusMessage"),
        (DetailsField::Message, "message"),
        (DetailsField::Content, "content"),
        (DetailsField::ContentType, "contentType"),
        (DetailsField::ExpiryDateTime, "expiryDateTime"),
        (DetailsField::DateTime, "dateTime"),
        (DetailsField::TimeZone, "timeZone"),
        (DetailsField::WorkLocationType, "workLocationType"),
        (DetailsField::PlaceId, "placeId"),
        (DetailsField::Select, "$select"),
    ];
    for (field, member) in fields {
        let name = capitalised(member.trim_start_matches('$'));
        assert_eq!((field.member(), field.name()), (member, name.as_str()));
        let field = Field::Details(field);
        assert_eq!((field.member(), field.name()), (member, name.as_str()));
    }
}

#[cfg(feature = "graph")]
fn capitalised(member: &str) -> String {
    let (first, rest) = member.split_at(1);
    first.to_uppercase() + rest
}

/// What a log tells of a request: who asked and when, not the functions it came with.
#[cfg(feature = "graph")]
#[test]
fn an_exchange_says_who_asks_and_when() {
    use presence_core::graph::{Caller, Context};
    let exchange = Context::new(Instant::from_millis(1234), Caller::Trusted { me: None });
    let text = format!("{exchange:?}");
    assert!(text.contains("1234") && text.contains("Trusted"), "{text}");
}
