//! Presence objects on the line: rules L4 and P4.

use super::{Light, ME, SAID, answer, light, outcome, serve, serve_at};
use presence_core::Presence::{self, *};
use presence_core::directory::InlineDirectory;
use presence_core::graph::{Buffer, Caller, Context, Error, Line, Resource, Store, Trace};
use presence_core::lines::{Input, MIRROR_SESSION, Mirror};
use presence_core::{Absence, Duration, Instant, Policy, SessionId, UserId};

fn object(availability: &str, activity: &str) -> String {
    format!(r#"{{"availability":"{availability}","activity":"{activity}"}}"#)
}

fn read(line: &str) -> Mirror {
    match Input::parse(line.as_bytes()) {
        Input::Mirror(mirror) => mirror,
        other => panic!("{line}: {other:?}"),
    }
}

/// What Graph answers, and what this library does.
#[test]
fn l4_a_presence_object_is_mirrored() {
    let answered = r##"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users('me')/presence/$entity","id":"fa8bf3dc-eca7-46b7-bad1-db199b62afc3","availability":"Busy","activity":"InAMeeting","outOfOfficeSettings":{"message":null,"isOutOfOffice":true},"statusMessage":{"message":{"content":"status light from to","contentType":"text"}},"sequenceNumber":"A0129311063","workLocation":null}"##;
    let mirror = read(answered);
    assert_eq!((mirror.presence, mirror.is_out_of_office, mirror.lease), (InAMeeting, true, None));
    let mut light = light();
    assert_eq!(answer(&mut light, answered), SAID);
    let session = light.user.user().session(MIRROR_SESSION).unwrap();
    assert_eq!((session.presence(), session.expires_at()), (InAMeeting, Instant::from_secs(300)));
    for presence in Presence::ALL {
        let mut bytes = [0; 512];
        let mut written = Buffer::new(&mut bytes);
        Resource::new(UserId::from_bytes([7; 16]), presence, 1).write(&mut written).unwrap();
        assert_eq!(read(core::str::from_utf8(written.written()).unwrap()).presence, presence);
    }
    assert_eq!(MIRROR_SESSION.to_string(), "6d697272-6f72-4000-8000-000000000000");
}

/// Fault of feeders that speak only on change: nothing fades, for as long as the object says.
#[test]
fn p4_what_is_mirrored_does_not_fade() {
    let for_a_day = |presence: Presence| {
        let (availability, activity) = (presence.availability().name(), presence.activity().name());
        format!(r#"{{"expirationDuration":"PT24H","availability":"{availability}","activity":"{activity}"}}"#)
    };
    for presence in Presence::ALL.into_iter().filter(|presence| !matches!(presence, Unknown | Offline)) {
        let mut light = light();
        assert_eq!(answer(&mut light, &for_a_day(presence)), SAID, "{presence}");
        let end = Instant::ZERO + Duration::from_days(1);
        assert_eq!(light.user.next_deadline(), Some(end), "{presence}");
        assert_eq!(read(&for_a_day(presence)).ends_at(Instant::ZERO), Some(end));
        assert_eq!(read(&for_a_day(presence).replace("24H", "25H")).ends_at(Instant::ZERO), None);
        assert_eq!(light.user.presence(Instant::from_secs(86_399)), presence);
        assert_eq!(light.user.presence(end), Offline);
    }
}

/// Whatever store is behind the line, and under whatever policy: a mirror is decided under its own.
#[test]
fn p4_what_is_mirrored_does_not_fade_in_any_store() {
    fn fades_to(store: &mut impl Store, presence: Presence) -> (u16, Presence) {
        let (availability, activity) = (presence.availability().name(), presence.activity().name());
        let line = object(availability, activity).replacen('{', r#"{"expirationDuration":"PT1H","#, 1);
        let context = Context::new(Instant::ZERO, Caller::Trusted { me: Some(ME) });
        let mut bytes = [0; 512];
        let mut response = Buffer::new(&mut bytes);
        Input::parse(line.as_bytes()).serve(&context, store, &mut response, &mut |_, _| {}).unwrap();
        let status = outcome(core::str::from_utf8(response.written()).unwrap()).0;
        (status as u16, store.read(Instant::from_secs(3599), ME).0)
    }
    type Crowd = InlineDirectory<UserId, SessionId, 4, 2>;
    for presence in [Available, OffWork, InAMeeting] {
        for policy in [Policy::GRAPH, Policy::DESK] {
            let mut many = Crowd::with_policy(policy);
            assert_eq!(fades_to(&mut many, presence), (200, presence), "a directory");
            assert_eq!(fades_to(&mut &mut Crowd::with_policy(policy), presence), (200, presence), "behind a reference");
            for other in [Policy::GRAPH, Policy::DESK] {
                let mut under = (Crowd::with_policy(policy), &other);
                assert_eq!(fades_to(&mut under, presence), (200, presence), "under another policy");
            }
            assert_eq!(fades_to(&mut Light::new(ME, policy), presence), (200, presence), "one user");
        }
    }
}

#[test]
fn p4_offline_is_gone_and_unknown_is_no_news() {
    let mut light = light();
    assert_eq!(serve(&mut light, &object("PresenceUnknown", "PresenceUnknown")), [SAID]);
    assert_eq!(serve(&mut light, &object("Levitating", "Levitating")), [SAID]);
    assert_eq!(serve(&mut light, &object("Offline", "Offline")), [SAID], "it is gone already");
    assert_eq!(light.user.user().revision(), 0);
    assert_eq!(serve(&mut light, &object("Available", "Available")).len(), 2);
    assert_eq!(serve_at(Instant::from_secs(299), &mut light, object("PresenceUnknown", "x").as_bytes()), [SAID]);
    assert_eq!(light.user.presence(Instant::from_secs(300)), Offline, "no news renews nothing");
    assert_eq!(serve(&mut light, &object("Offline", "OutOfOffice")).len(), 2);
    assert_eq!(light.user.user().absence(), Some(Absence::Cleared));
}

#[test]
fn l4_the_mirror_and_the_short_forms_are_two_sessions() {
    let mut light = light();
    answer(&mut light, "Busy");
    answer(&mut light, &object("DoNotDisturb", "Presenting"));
    assert_eq!(light.user.presence(Instant::ZERO), Presenting);
    answer(&mut light, &object("Offline", "Offline"));
    assert_eq!(light.user.presence(Instant::ZERO), Busy);
    answer(&mut light, "Offline");
    assert_eq!(light.user.presence(Instant::ZERO), Offline);
}

#[test]
fn l4_what_is_wrong_in_an_object_is_answered_without_an_id() {
    let with = |members: &str| format!(r#"{{"id":"1","availability":"Busy","activity":"Busy",{members}}}"#);
    for (line, message) in [
        (r#"{"availability":"Busy"}"#.to_owned(), "[Activity]: The Activity field is required."),
        (r#"{"id":"1","activity":"Busy"}"#.to_owned(), "[Availability]: The Availability field is required."),
        (r#"{"availability":7,"activity":"Busy"}"#.to_owned(), "The provided [Availability] is not valid."),
        (with(r#""activity":"Away""#), "[Activity]: The field is given twice."),
        (with(r#""outOfOfficeSettings":{"isOutOfOffice":1}"#), "The provided [Body] is not valid."),
        (with(r#""expirationDuration":"soon""#), "The provided [ExpirationDuration] is not valid."),
        (with(r#""expirationDuration":7"#), "The provided [ExpirationDuration] is not valid."),
        (with(r#""expirationDuration":"PT25H""#), "The provided [ExpirationDuration] is out of range."),
        (with(r#""expirationDuration":"PT0.5S""#), "The provided [ExpirationDuration] is out of range."),
        (
            with(r#""expirationDuration":"PT1H","expirationDuration":"PT1H""#),
            "[ExpirationDuration]: The field is given twice.",
        ),
    ] {
        let mut light = light();
        let response = answer(&mut light, &line);
        assert!(response.starts_with(r#"{"id":null,"#), "{response}");
        assert_eq!(outcome(&response), (400, message.to_owned()), "{line}");
        assert_eq!(light.user.user().revision(), 0);
    }
}

/// A presence object and nothing else: what is a request too is a request, and what comes back is not answered.
#[test]
fn l4_a_request_is_no_presence_object() {
    let with = |members: &str| format!(r#"{{"id":"1",{members},"availability":"Busy","activity":"Busy"}}"#);
    let mut light = light();
    let get = serve(&mut light, &with(r#""method":"GET","url":"/me/presence""#));
    assert!(get.len() == 1 && get[0].starts_with(r#"{"id":"1","status":200,"body":{"#), "{get:?}");
    assert_eq!(outcome(&answer(&mut light, &with(r#""method":"GET""#))).1, "[Url]: The Url field is required.");
    assert_eq!(
        outcome(&answer(&mut light, &with(r#""url":"/me/presence""#))).1,
        "[Method]: The Method field is required."
    );
    for members in [r#""status":200"#, r#""light":1"#, r#""from":1,"to":2"#] {
        assert_eq!(serve(&mut light, &with(members)), [""; 0], "{members}");
    }
    assert_eq!(light.user.user().revision(), 0);
    assert_eq!(answer(&mut light, &with(r#""statusMessage":{"status":1,"light":2},"from":1,"x":[{}]"#)), SAID);
}

/// Out of office is told apart from the presence, for whoever shows it.
#[test]
fn p4_out_of_office_is_beside_the_presence() {
    for (line, expected) in [
        (object("Away", "OutOfOffice"), (Away, true)),
        (object("Offline", "OutOfOffice"), (Offline, true)),
        (object("Away", "Away"), (Away, false)),
    ] {
        let mirror = read(&line);
        assert_eq!((mirror.presence, mirror.is_out_of_office), expected, "{line}");
        assert_eq!(mirror.ends_at(Instant::from_secs(7)), Some(Instant::from_secs(307)));
        assert_eq!(outcome(&answer(&mut Light::new(super::ME, presence_core::Policy::GRAPH), &line)).0, 200);
    }
}

/// The longest line is as long as the longest line of requests.
#[test]
fn l4_an_object_may_be_as_long_as_a_line() {
    let plain = object("Busy", "Busy");
    for (len, is_read) in [(Line::MAX_LEN - 1, true), (Line::MAX_LEN, true), (Line::MAX_LEN + 1, false)] {
        let line = format!("{plain}{}", " ".repeat(len - plain.len()));
        let input = Input::parse(line.as_bytes());
        assert!(
            if is_read { matches!(input, Input::Mirror(_)) } else { input == Input::Line(Line::TOO_LONG) },
            "{len}"
        );
    }
}

/// An error of the application's own is told under the id of a request, and under none where there is none.
#[test]
fn l4_an_error_of_the_application_is_answered() {
    let written = |line: &str| {
        let mut bytes = [0; 512];
        let mut response = Buffer::new(&mut bytes);
        Input::parse(line.as_bytes()).write_error(Error::OutOfOrder, &Trace::default(), &mut response).unwrap();
        String::from_utf8(response.written().to_vec()).unwrap()
    };
    for line in ["Busy", &object("Busy", "Busy"), r#"{"id":"1","availability":"Busy","activity":"Busy"}"#, "not json"] {
        assert!(written(line).starts_with(r#"{"id":null,"status":400,"#), "{line}");
    }
    assert!(written(r#"{"id":"1","method":"GET","url":"/"}"#).starts_with(r#"{"id":"1","status":400,"#));
}
