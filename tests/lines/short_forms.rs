//! Short forms: rule L4.

use super::{Light, ME, SAID, answer, light, outcome, serve_at};
use presence_core::Presence::{self, *};
use presence_core::graph::{Buffer, Caller, Context, Error, Field, Permissions};
use presence_core::lines::{Input, OWN_SESSION, ShortForm};
use presence_core::{Activity, Availability, Command, Duration, Instant, IsoDuration, Policy, SessionId};
use proptest::prelude::*;
use support::model::{cases, policies};

/// Presences by their names, as section 2 lists them.
const TABLE: [(&str, &str, Presence); 15] = [
    ("PresenceUnknown", "PresenceUnknown", Unknown),
    ("Offline", "Offline", Offline),
    ("Offline", "OffWork", OffWork),
    ("Away", "Away", Away),
    ("BeRightBack", "BeRightBack", BeRightBack),
    ("Available", "AvailableInactive", AvailableInactive),
    ("Available", "Available", Available),
    ("Busy", "Busy", Busy),
    ("Busy", "InAMeeting", InAMeeting),
    ("Busy", "InACall", InACall),
    ("Busy", "InAConferenceCall", InAConferenceCall),
    ("DoNotDisturb", "DoNotDisturb", DoNotDisturb),
    ("DoNotDisturb", "Focusing", Focusing),
    ("DoNotDisturb", "UrgentInterruptionsOnly", UrgentInterruptionsOnly),
    ("DoNotDisturb", "Presenting", Presenting),
];

fn any_case(text: &str, seed: u64) -> String {
    let flip = |(index, letter): (usize, char)| {
        if seed >> (index % 64) & 1 == 1 { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
    };
    text.char_indices().map(flip).collect()
}

/// A name of both columns means the plain presence, and one of one column the only pair that has it.
#[test]
fn l4_a_name_alone_means_one_pair() {
    for name in Availability::ALL.iter().map(|name| name.name()).chain(Activity::ALL.iter().map(|name| name.name())) {
        let pairs = TABLE.iter().filter(|(availability, activity, _)| *availability == name || *activity == name);
        let plain = pairs.clone().find(|(availability, activity, _)| availability == activity).copied();
        let (.., expected) = plain.unwrap_or_else(|| *pairs.clone().next().unwrap());
        assert!(plain.is_some() || pairs.count() == 1, "{name}");
        assert_eq!(name.parse::<ShortForm>(), Ok(ShortForm::new(expected, None)), "{name}");
    }
}

/// Every pair that is accepted anywhere can be said, by its activity alone as well.
#[test]
fn l4_every_accepted_pair_can_be_said() {
    let vectors: Vec<serde_json::Value> = serde_json::from_str(include_str!("../vectors/pairs.json")).unwrap();
    for pair in &vectors {
        let (availability, activity) = (pair["availability"].as_str().unwrap(), pair["activity"].as_str().unwrap());
        let (.., expected) = TABLE.iter().find(|row| (row.0, row.1) == (availability, activity)).unwrap();
        for said in [format!("{availability}/{activity}"), activity.to_owned()] {
            assert_eq!(said.parse::<ShortForm>().map(|form| form.presence), Ok(*expected), "{said}");
        }
    }
    assert_eq!(vectors.len(), 11);
}

#[test]
fn l4_pairs_that_do_not_exist_and_words_that_are_no_names() {
    for availability in Availability::ALL {
        for activity in Activity::ALL {
            let (first, second) = (availability.name(), activity.name());
            let row = TABLE.iter().find(|row| (row.0, row.1) == (first, second));
            let said = format!("{first}/{second}");
            let expected = row.map(|row| ShortForm::new(row.2, None)).ok_or(Error::Pair);
            assert_eq!(said.parse::<ShortForm>(), expected, "{said}");
            let (status, message) = outcome(&answer(&mut light(), &said));
            let is_set = expected.is_ok_and(|form| form.presence >= Away);
            let is_cleared = expected.is_ok_and(|form| form.presence == Offline);
            assert_eq!(
                status,
                if is_set {
                    200
                } else if is_cleared {
                    404
                } else {
                    400
                },
                "{said}"
            );
            assert!(status != 400 || message.contains("combination"), "{said}: {message}");
        }
    }
    // Older forms are none, and what may be anything is answered as anything is.
    for (line, message) in [
        ("Busy/Juggling", "The provided combination of [Availability] and [Activity] is not supported."),
        ("BusyIdle/Busy PT1H", "The provided combination of [Availability] and [Activity] is not supported."),
        ("BusyIdle", "The request is not well-formed JSON."),
        ("OutOfOffice", "The request is not well-formed JSON."),
        ("Busy/", "The request is not well-formed JSON."),
        ("Busy/Busy/Busy", "The request is not well-formed JSON."),
        ("AT+GCAP", "The request is not well-formed JSON."),
        ("GET /me/presence HTTP/1.1", "The request is not well-formed JSON."),
        ("Busy\u{e9}", "The request is not well-formed JSON."),
        ("true", "The request is not a JSON object."),
        ("\"Busy\"", "The request is not a JSON object."),
        ("Busy tomorrow", "The provided [ExpirationDuration] is not valid."),
        ("Busy PT1H PT1H", "The provided [ExpirationDuration] is not valid."),
        ("Busy / Busy", "The provided [ExpirationDuration] is not valid."),
        ("Offline soon", "The provided [ExpirationDuration] is not valid."),
        ("Busy PT0S", "The provided [ExpirationDuration] is out of range."),
        ("Busy PT24H0.0001S", "The provided [ExpirationDuration] is out of range."),
        ("Busy -PT1H", "The provided [ExpirationDuration] is out of range."),
    ] {
        let mut light = light();
        let response = answer(&mut light, line);
        assert!(response.starts_with(r#"{"id":null,"status":400,"body":"#), "{response}");
        assert_eq!(outcome(&response), (400, message.to_owned()), "{line}");
        assert_eq!(light.user.user().revision(), 0);
    }
    assert!(matches!(Input::parse(b"Busy \xFF"), Input::Line(_)), "no text");
}

#[test]
fn l4_leases() {
    for (line, secs) in [
        ("Away", 300),
        ("Away\tPT1S", 1),
        ("  Away   PT24H  ", 86_400),
        ("away 1:00:00", 3_600),
        ("AWAY 1 day, 0:00:00", 86_400),
        ("\u{feff}Away PT1H\r", 3_600),
    ] {
        let mut light = light();
        assert_eq!(answer(&mut light, line), SAID, "{line}");
        let sessions: Vec<_> = light.user.user().sessions().iter().map(|session| session.id()).collect();
        assert_eq!(sessions, [OWN_SESSION]);
        assert_eq!(light.user.next_deadline(), Some(Instant::from_secs(secs)), "{line}");
    }
    assert_eq!(OWN_SESSION.to_string(), "6c696e65-0000-4000-8000-000000000000");
}

/// It says nothing of what is left when it is said again: as S1.
#[test]
fn l4_what_is_said_again_is_renewed_and_offline_clears() {
    let mut light = light();
    let mut say = |secs, line: &str| {
        let said = serve_at(Instant::from_secs(secs), &mut light, line.as_bytes());
        (said.len(), outcome(said.last().unwrap()).0)
    };
    assert_eq!(say(0, "Available PT1H"), (2, 200));
    assert_eq!(say(299, "Available PT1H"), (1, 200), "no change");
    assert_eq!(say(599, "Offline P9D"), (3, 200), "it faded, and is gone: a duration means nothing here");
    assert_eq!(say(599, "Offline"), (1, 404));
    assert_eq!(say(600, "Busy"), (2, 200));
    assert_eq!(say(900, "offline/OFFLINE"), (2, 404), "it has expired");
}

/// What is said in short is what `setPresence` and `clearPresence` with the session of the line say.
fn said_in_full(line: &str, own: SessionId) -> String {
    let (name, duration) = line.split_once(' ').unwrap_or((line, ""));
    let (availability, activity, _) = TABLE.iter().find(|row| row.1.eq_ignore_ascii_case(name)).unwrap();
    let action = if *activity == "Offline" { "clearPresence" } else { "setPresence" };
    let duration = if duration.is_empty() { String::new() } else { format!(r#","expirationDuration":"{duration}""#) };
    format!(
        r#"{{"id":"1","method":"POST","url":"/me/presence/{action}","body":{{"sessionId":"{own}","availability":"{availability}","activity":"{activity}"{duration}}}}}"#
    )
}

proptest! {
    #![proptest_config(cases(200))]

    /// Under every policy, whatever happens before: the same changes, the same outcome, the same user.
    #[test]
    fn l4_a_short_form_is_set_presence_of_the_lines_session(
        steps in prop::collection::vec((0..900_u64, 0..15_usize, 0..9_usize, any::<u64>()), 1..20),
        policy in 0..policies().len(),
    ) {
        const DURATIONS: [&str; 9] = ["", "", "PT5M", "PT1H", "PT4H", "PT1S", "PT24H1S", "0:07:00", "PT299.9999S"];
        let (policy, _) = policies()[policy].clone();
        let (mut short, mut full) = (Light::new(ME, policy), Light::new(ME, policy));
        let mut now = Instant::ZERO;
        for (pause, presence, duration, case) in steps {
            now += Duration::from_secs(pause);
            let name = any_case(TABLE[presence].1, case);
            let line = format!("{name} {}", DURATIONS[duration]).trim_end().to_owned();
            let said = serve_at(now, &mut short, line.as_bytes());
            let expected = serve_at(now, &mut full, said_in_full(&line, OWN_SESSION).as_bytes());
            let (response, changes) = said.split_last().unwrap();
            let (expected_response, expected_changes) = expected.split_last().unwrap();
            prop_assert_eq!(changes, expected_changes, "{}", line);
            // An expected error is answered under the request's id.
            prop_assert_eq!(response, &expected_response.replacen("\"1\"", "null", 1), "{}", line);
            prop_assert_eq!(short.user.user(), full.user.user());
        }
    }

    /// Hosts write what the line reads.
    #[test]
    fn l4_what_is_written_is_read(presence in 0..15_usize, millis in prop::option::of(any::<u64>()), shift in 0..64) {
        let lease = millis.map(|millis| Duration::from_millis(millis >> shift));
        let form = ShortForm::new(TABLE[presence].2, lease);
        prop_assert_eq!(form.to_string().parse(), Ok(form));
    }

    #[test]
    fn l4_any_text_is_read_without_a_panic(line in prop::collection::vec(any::<u8>(), 0..60)) {
        let input = Input::parse(&line);
        prop_assert_eq!(matches!(input, Input::ShortForm(_)), core::str::from_utf8(&line).is_ok_and(|text| {
            text.strip_prefix('\u{feff}').unwrap_or(text).parse::<ShortForm>().is_ok()
        }));
    }
}

#[test]
fn l4_a_form_is_a_command_for_any_session() {
    let form: ShortForm = "Focusing PT2H".parse().unwrap();
    assert_eq!(form.lease, IsoDuration::parse("PT2H").ok());
    let lease = Some(Duration::from_hours(2));
    assert_eq!(form.command(7, &Policy::DESK), Ok(Command::SetPresence { session: 7, presence: Focusing, lease }));
    assert_eq!(form.command(7, &Policy::GRAPH), Err(Error::Pair));
    let day = ShortForm::new(Offline, Duration::from_days(9));
    assert_eq!(day.command(7, &Policy::GRAPH), Ok(Command::ClearPresence { session: 7 }));
    let day = ShortForm::new(Away, Duration::from_days(1));
    assert_eq!(day.command(7, &Policy::GRAPH), Err(Error::OutOfRange(Field::ExpirationDuration)));
    assert!(day.command(7, &Policy::DESK).is_ok());
    assert_eq!("Busy -PT5M".parse::<ShortForm>().unwrap().to_string(), "Busy -PT5M");
}

/// Whoever may not name the session of the line may not say it in short either.
#[test]
fn l4_callers_are_authorised() {
    let application = SessionId::from_bytes([0x44; 16]);
    let permissions = Permissions::READ_WRITE.union(Permissions::READ_WRITE_ALL);
    for (caller, status) in [
        (Caller::Trusted { me: Some(ME) }, 200),
        (Caller::Trusted { me: None }, 400),
        (Caller::Application { application, permissions }, 400),
        (Caller::Delegated { application, user: ME, permissions }, 403),
        (Caller::Delegated { application: OWN_SESSION, user: ME, permissions }, 200),
    ] {
        let mut light = light();
        let mut bytes = [0; 500];
        let mut response = Buffer::new(&mut bytes);
        let context = Context::new(Instant::ZERO, caller);
        Input::parse(b"Busy").serve(&context, &mut light, &mut response, &mut |_, _| {}).unwrap();
        assert_eq!(outcome(core::str::from_utf8(response.written()).unwrap()).0, status, "{caller:?}");
    }
    let mut light = light();
    let mut bytes = [0; 500];
    let mut response = Buffer::new(&mut bytes);
    let context = Context::new(Instant::ZERO, Caller::Trusted { me: Some(ME) }).with_known_users(&|_| false);
    Input::parse(b"Busy").serve(&context, &mut light, &mut response, &mut |_, _| {}).unwrap();
    assert_eq!(outcome(core::str::from_utf8(response.written()).unwrap()).0, 404);
}

/// Rule H6: nothing is done where not even the bare status fits.
#[test]
fn h6_a_short_form_whose_response_does_not_fit_is_not_served() {
    for len in 0..=SAID.len() {
        let mut light = light();
        let mut bytes = vec![0; len];
        let context = Context::new(Instant::ZERO, Caller::Trusted { me: Some(ME) });
        for line in [&b"Busy"[..], br#"{"availability":"Busy","activity":"Busy"}"#] {
            let served = Input::parse(line).serve(&context, &mut light, &mut Buffer::new(&mut bytes), &mut |_, _| {});
            assert_eq!(served.is_ok(), len == SAID.len());
        }
        assert_eq!(light.user.user().revision(), if len == SAID.len() { 2 } else { 0 }, "{len}");
    }
}
