//! Rules P3, P4: what is read out of an answer, and a mirror that shows what another system publishes.

use core::hash::BuildHasherDefault;
use presence_core::Presence::{self, *};
use presence_core::directory::DefaultHasher;
use presence_core::graph::json::{JsonError, Value};
use presence_core::graph::{Buffer, Error, Field, Resource};
use presence_core::{Command, CommandError, Duration, Instant, Policy, SingleUser, UserId};
use proptest::prelude::*;
use support::model::both::Both;
use support::model::random::{actions, clock, history};
use support::model::{cases, millis, policies};

const USER: UserId = UserId::from_bytes([0x11; 16]);

fn read(answer: &str) -> Result<(Presence, bool), Error> {
    Resource::read(Value::parse(answer.as_bytes()).unwrap())
}

fn written(presence: Presence) -> Vec<u8> {
    let mut bytes = [0; 1024];
    let mut buffer = Buffer::new(&mut bytes);
    Resource::new(USER, presence, 7).write(&mut buffer).unwrap();
    buffer.written().to_vec()
}

#[test]
fn p4_an_answer_of_graph_is_read_whatever_else_is_in_it() {
    let answer = r##"{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users('fa8bf3dc')/presence/$entity",
        "id": "fa8bf3dc-eca7-46b7-bad1-db199b62afc3", "availability": "Busy", "activity": "InAMeeting",
        "outOfOfficeSettings": {"@odata.type": "#x", "message": "\u00dcber alle Berge \ud83d\ude00", "isOutOfOffice": false},
        "statusMessage": {"message": {"content": "availability", "contentType": "text"}, "publishedDateTime": null},
        "workLocation": null, "sequenceNumber": "A0129311063", "new": [{"activity": 1}, 2.5e3]}"##;
    assert_eq!(read(answer), Ok((InAMeeting, false)));
    assert_eq!(read(&answer.replace("false}", "true}")), Ok((InAMeeting, true)));
    assert_eq!(read(&answer.replace("\"InAMeeting\"", "\"OutOfOffice\"")), Ok((Busy, true)));
}

#[test]
fn p4_out_of_office_is_the_flag_or_the_activity() {
    let with = |availability: &str, activity: &str, settings: &str| {
        read(&format!(r#"{{"availability":"{availability}","activity":"{activity}"{settings}}}"#))
    };
    for (activity, by_activity) in [("Away", false), ("OutOfOffice", true), ("outofoffice", true), ("OutOf", false)] {
        for (settings, by_flag) in [
            ("", false),
            (r#","outOfOfficeSettings":null"#, false),
            (r#","outOfOfficeSettings":{}"#, false),
            (r#","outOfOfficeSettings":{"isOutOfOffice":null}"#, false),
            (r#","outOfOfficeSettings":{"isOutOfOffice":false,"message":null}"#, false),
            (r#","outOfOfficeSettings":{"message":"x","isOutOfOffice":true}"#, true),
            (r#","\u006futOfOfficeSettings":{"isOutOf\u004fffice":true}"#, true),
        ] {
            assert_eq!(with("Away", activity, settings), Ok((Away, by_activity || by_flag)), "{activity} {settings}");
        }
    }
    assert_eq!(with("Offline", "OutOfOffice", ""), Ok((Offline, true)), "gone, and out of office");
    assert_eq!(with("Offline", "OffWork", ""), Ok((OffWork, false)));
}

/// Names in every spelling, and names that nobody knows, also such as are longer than any buffer.
#[test]
fn p3_names_in_an_answer_are_read_as_anywhere() {
    let long = "x".repeat(100);
    let escaped_long = format!("{}\\u0041", "x".repeat(100));
    for (availability, activity, presence) in [
        ("b\\u0075sy", "\\u0049naCall", InACall),
        ("InACall", "Juggling", InACall),
        ("AvailableIdle", "Inactive", AvailableInactive),
        ("Busy", long.as_str(), Busy),
        ("Busy", &escaped_long, Busy),
        (&long, "Busy", Unknown),
        (&escaped_long, "Busy", Unknown),
        ("", "", Unknown),
        ("Levitating", "OutOfOffice", Unknown),
    ] {
        let answer = format!(r#"{{"activity":"{activity}","availability":"{availability}"}}"#);
        assert_eq!(read(&answer).map(|(presence, _)| presence), Ok(presence), "{answer}");
    }
}

#[test]
fn p4_what_is_not_understood_is_an_error_and_never_a_presence() {
    let settings = |text: &str| format!(r#"{{"availability":"Busy","activity":"Busy","outOfOfficeSettings":{text}}}"#);
    for (answer, error) in [
        ("[]".to_owned(), Error::NotAnObject),
        (r#""Busy""#.to_owned(), Error::NotAnObject),
        ("null".to_owned(), Error::NotAnObject),
        ("{}".to_owned(), Error::Missing(Field::Availability)),
        (r#"{"error":{"code":"Unauthorized","message":"Busy"}}"#.to_owned(), Error::Missing(Field::Availability)),
        (r#"{"value":[{"availability":"Busy"}]}"#.to_owned(), Error::Missing(Field::Availability)),
        (r#"{"availability":null,"activity":"Busy"}"#.to_owned(), Error::Missing(Field::Availability)),
        (r#"{"Availability":"Busy","activity":"Busy"}"#.to_owned(), Error::Missing(Field::Availability)),
        (r#"{"availability":"Busy"}"#.to_owned(), Error::Missing(Field::Activity)),
        (r#"{"availability":["Busy"],"activity":"Busy"}"#.to_owned(), Error::Malformed(Field::Availability)),
        (r#"{"availability":"Busy","activity":7}"#.to_owned(), Error::Malformed(Field::Activity)),
        (r#"{"availability":"Busy","activity":"\ud83d"}"#.to_owned(), Error::Malformed(Field::Activity)),
        (r#"{"availability":"Busy","availability":"Busy"}"#.to_owned(), Error::Duplicate(Field::Availability)),
        (r#"{"availability":"Busy","activity":"x","activit\u0079":"y"}"#.to_owned(), Error::Duplicate(Field::Activity)),
        (settings("true"), Error::Malformed(Field::Body)),
        (settings(r#"{"isOutOfOffice":"true"}"#), Error::Malformed(Field::Body)),
        (settings(r#"{"isOutOfOffice":1}"#), Error::Malformed(Field::Body)),
        (settings(r#"{"isOutOfOffice":false,"isOutOfOffice":true}"#), Error::Json(JsonError::DuplicateMember)),
        (settings(r#"null,"outOfOfficeSettings":null"#), Error::Json(JsonError::DuplicateMember)),
    ] {
        assert_eq!(read(&answer), Err(error), "{answer}");
    }
}

#[test]
fn f4_what_is_written_is_read() {
    for presence in Presence::ALL {
        assert_eq!(Resource::read(Value::parse(&written(presence)).unwrap()), Ok((presence, false)));
    }
}

#[cfg(feature = "details")]
#[test]
fn f4_out_of_office_is_read_as_it_is_written() {
    use presence_core::details::{Details, DetailsCommand, OutOfOffice, decide_details};
    for is_out_of_office in [true, false] {
        let mut details: Details<40> = Details::new();
        let command =
            DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office, message: Some("\"isOutOfOffice\":false") });
        let transition = decide_details(details.at(Instant::ZERO).unwrap(), command).unwrap().unwrap();
        details.apply(&transition).unwrap();
        let mut bytes = [0; Resource::max_len(40)];
        let mut buffer = Buffer::new(&mut bytes);
        Resource::new(USER, Focusing, 7).with_details(details.view()).write(&mut buffer).unwrap();
        assert_eq!(Resource::read(Value::parse(buffer.written()).unwrap()), Ok((Focusing, is_out_of_office)));
    }
}

proptest! {
    #![proptest_config(cases(64))]

    /// Published, written, read and mirrored, a presence is published anew, whatever happened to the user before. The model
    /// says what is published.
    #[test]
    fn p4_a_mirror_publishes_what_is_published_elsewhere(
        steps in history(40, clock(), actions(2, 4)),
        policy in 0usize..policies().len(),
    ) {
        let (policy, rules) = policies()[policy].clone();
        let mut there: Both<1, 3, _> = Both::new(policy, rules.clone(), BuildHasherDefault::<DefaultHasher>::new());
        let mut here: SingleUser<u8, 1> = SingleUser::new(Policy::MIRROR);
        let (mut now, mut shown) = (Instant::ZERO, Offline);
        for step in steps {
            there.step(&step);
            now += Duration::from_mins(1);
            let (presence, _) = Resource::read(Value::parse(&written(there.real.presence(there.now, 0))).unwrap()).unwrap();
            let published = there.model.read(0, millis(there.now)).presence(&rules);
            prop_assert_eq!(presence, published);
            let command = Command::mirror(1, presence, Some(Duration::from_hours(24)));
            let result = command.map(|command| here.execute(now, command, |_| {}));
            match published {
                Unknown => prop_assert_eq!(result, None, "no news"),
                Offline if shown == Offline => prop_assert_eq!(result, Some(Err(CommandError::NotFound))),
                _ => prop_assert_eq!(result, Some(Ok(()))),
            }
            shown = if published == Unknown { shown } else { published };
            prop_assert_eq!(here.presence(now), shown);
            prop_assert_eq!(here.presence(now + Duration::from_mins(59)), shown, "nothing fades");
        }
    }
}
