//! Every call that can be built is accepted, with the meaning that was meant. Rule F4.

use crate::calls::{Wanted, context, policy, wanted};
use presence_core::client::{BatchedCall, Call, CallBatch, Principal};
use presence_core::details::{WorkLocationType, WorkPlace};
use presence_core::graph::{Batch, Error, Field, Ids, RawRequest, Request, TextBuffer};
use presence_core::{BufferFull, Command, Duration, DurationRange, Instant, Policy, Presence, SessionId, UserId};
use proptest::prelude::*;

/// Longer than any body.
const BODY: usize = 40_000;

fn parse(call: &Call<'_>, prefix: &str, policy: &Policy, check: impl FnOnce(Request<'_>)) {
    let target = format!("{prefix}{}", call.target());
    assert_fits(|buffer| call.write_target(buffer).map(str::as_bytes), call.target().to_string().as_bytes());
    let mut buffer = vec![0; BODY];
    let body = call.write_body(&mut buffer).unwrap();
    assert_fits(|buffer| call.write_body(buffer), body);
    assert_eq!(call.has_body(), !body.is_empty());
    assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok() || body.is_empty());
    let content_type = call.headers(None, None).find(|(name, _)| *name == "Content-Type").map(|(_, value)| value);
    assert_eq!(content_type.is_some(), call.has_body());
    assert!(target.bytes().all(|byte| matches!(byte, b'!'..=b'~')), "{target}");
    let raw = RawRequest::new(call.method(), &target).with_content_type(content_type).with_body(body);
    check(Request::parse(&raw, &context(Instant::ZERO), policy).unwrap_or_else(|error| panic!("{error}: {target}")));
}

/// Asserts what is written into a buffer, which fits exactly.
fn assert_fits(write: impl Fn(&mut [u8]) -> Result<&[u8], BufferFull>, expected: &[u8]) {
    let mut buffer = vec![0; expected.len()];
    assert_eq!(write(&mut buffer), Ok(expected));
    if let Some(len) = expected.len().checked_sub(1) {
        assert_eq!(write(&mut buffer[..len]), Err(BufferFull));
    }
}

/// Returns the error with which a server rejects a command under a policy.
fn rejection(wanted: &Wanted, policy: &Policy) -> Option<Error> {
    let Wanted::Execute(_, command) = wanted else { return None };
    let body = match *command {
        Command::SetPresence { session, presence, lease } => {
            let lease = lease.map(|lease| format!(r#","expirationDuration":"{lease}""#)).unwrap_or_default();
            let (availability, activity) = (presence.availability(), presence.activity());
            format!(r#"{{"sessionId":"{session}","availability":"{availability}","activity":"{activity}"{lease}}}"#)
        }
        Command::SetPreferredPresence { presence, duration } => {
            let duration = duration.map(|lease| format!(r#","expirationDuration":"{lease}""#)).unwrap_or_default();
            let (availability, activity) = (presence.availability(), presence.activity());
            format!(r#"{{"availability":"{availability}","activity":"{activity}"{duration}}}"#)
        }
        Command::ClearPresence { .. } | Command::ClearPreferredPresence => return None,
    };
    let action =
        if matches!(command, Command::SetPresence { .. }) { "setPresence" } else { "setUserPreferredPresence" };
    let target = format!("/me/presence/{action}");
    let raw = RawRequest::new("POST", &target).with_body(body.as_bytes());
    Request::parse(&raw, &context(Instant::ZERO), policy).err()
}

proptest! {
    #[test]
    fn f4_what_is_built_is_accepted_as_it_was_meant(
        wanted in wanted(), policy in policy(), prefix in proptest::sample::select(vec!["", "/v1.0", "/beta", "https://graph.microsoft.com/v1.0"]),
    ) {
        if let Ok(call) = wanted.call(&policy) {
            let selected = if call.target().to_string().contains("$select=") { 95 } else { 0 };
            prop_assert!(call.target().to_string().len() <= wanted.target_bound() + selected);
            prop_assert!(call.write_body(&mut vec![0; wanted.body_bound()]).is_ok());
        }
        match wanted.call(&policy) {
            Err(error) => prop_assert_eq!(Some(error), rejection(&wanted, &policy), "{:?}", wanted),
            Ok(call) => parse(&call, prefix, &policy, |request| wanted.assert_is(request)),
        }
    }

    #[test]
    fn f4_batches_are_accepted_as_they_were_meant(
        all in proptest::collection::vec((wanted(), any::<String>(), any::<u32>()), 1..=20), policy in policy(),
    ) {
        // Each has an id of its own, and depends on some of those before.
        let ids: Vec<_> = all.iter().enumerate().map(|(position, (_, text, _))| format!("{position}{:.20}", text)).collect();
        let depends: Vec<Vec<&str>> = all.iter().enumerate()
            .map(|(position, (_, _, bits))| (0..position).filter(|bit| bits & (1 << bit) != 0).map(|bit| ids[bit].as_str()).collect())
            .collect();
        let mut meant = Vec::new();
        let mut calls = Vec::new();
        for (position, (wanted, ..)) in all.iter().enumerate() {
            let call = wanted.call(&policy).unwrap_or(Call::presence(Principal::ME));
            calls.push(BatchedCall { id: &ids[position], call, depends_on: &depends[position] });
            meant.push(wanted.call(&policy).is_ok().then_some(wanted));
        }
        let batch = CallBatch::new(&calls).unwrap();
        let mut buffer = vec![0; 20 * BODY];
        let body = batch.write_body(&mut buffer).unwrap();
        prop_assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok());
        assert_fits(|buffer| batch.write_body(buffer), body);
        let raw = RawRequest::new(CallBatch::METHOD, CallBatch::TARGET).with_content_type("application/json").with_body(body);
        let context = context(Instant::ZERO);
        let Ok(Request::Batch(read)) = Request::parse(&raw, &context, &policy) else { panic!("no batch") };
        prop_assert_eq!(read.elements().count(), calls.len());
        for (element, (batched, wanted)) in read.elements().zip(calls.iter().zip(meant)) {
            prop_assert!(element.id().is_text(batched.id));
            let depends_on: Vec<_> = element.depends_on().unwrap().collect();
            prop_assert_eq!(depends_on.len(), batched.depends_on.len());
            prop_assert!(depends_on.iter().zip(batched.depends_on).all(|(read, id)| read.is_text(id)));
            let request = element.request(&context, &policy).unwrap();
            if let Some(wanted) = wanted {
                wanted.assert_is(request);
            }
        }
    }
}

#[test]
fn f4_what_a_server_would_reject_is_not_built() {
    let (me, long) = (Principal::ME, "x".repeat(TextBuffer::CAPACITY + 1));
    let place = WorkPlace { kind: WorkLocationType::Office, id: Some(&long[..WorkPlace::MAX_ID_LEN + 1]) };
    let ids = vec![UserId::from_bytes([1; 16]); Ids::MAX_COUNT + 1];
    let set = |presence, lease| {
        Call::execute(
            me,
            Command::SetPresence { session: SessionId::from_bytes([2; 16]), presence, lease },
            &Policy::GRAPH,
        )
    };
    for (built, expected) in [
        (Principal::name("adele").map(Call::presence), Error::Malformed(Field::User)),
        (Principal::name(&format!("{}@x", &long[..320])).map(Call::presence), Error::OutOfRange(Field::User)),
        (Call::presences_by_user_id(&[]), Error::Count(Field::Ids)),
        (Call::presences_by_user_id(&ids), Error::Count(Field::Ids)),
        (Call::presences(&[]), Error::Count(Field::Ids)),
        (Call::presences(&ids), Error::Count(Field::Ids)),
        (set(Presence::InAMeeting, None), Error::Pair),
        (set(Presence::Away, Some(Duration::from_mins(4))), Error::OutOfRange(Field::ExpirationDuration)),
        (Call::set_status_message(me, &long, None), Error::OutOfRange(Field::Content)),
        (Call::set_manual_location(me, place), Error::OutOfRange(Field::PlaceId)),
        (Call::set_automatic_location(me, place), Error::OutOfRange(Field::PlaceId)),
    ] {
        assert_eq!(built, Err(expected));
    }
    assert!(Call::presences(&ids[1..]).is_ok() && Call::set_status_message(me, &long[1..], None).is_ok());
    assert!(Principal::name(&format!("{}@", &long[..319])).is_ok());
    let longest = WorkPlace { id: Some(&long[..WorkPlace::MAX_ID_LEN]), ..place };
    assert!(Call::set_manual_location(me, longest).is_ok() && Call::set_automatic_location(me, longest).is_ok());
}

#[test]
fn f4_batches_that_a_server_would_reject_are_not_built() {
    let call = Call::presence(Principal::ME);
    let batched = |id| BatchedCall { id, call, depends_on: &[] };
    let (long, longest) = ("7".repeat(Batch::MAX_ID_LEN + 1), "7".repeat(Batch::MAX_ID_LEN));
    let ids: Vec<_> = (0..=Batch::MAX_ELEMENTS).map(|id| id.to_string()).collect();
    let many: Vec<_> = ids.iter().map(|id| batched(id)).collect();
    let head = BatchedCall { call: call.as_head(), ..batched("1") };
    let depending = |depends_on| BatchedCall { depends_on, ..batched("2") };
    for (calls, expected) in [
        (&[][..], Err(Error::Count(Field::Requests))),
        (&many, Err(Error::Count(Field::Requests))),
        (&many[1..], Ok(())),
        (&[batched(&long)], Err(Error::OutOfRange(Field::Id))),
        (&[batched(&longest)], Ok(())),
        (&[batched("1"), batched("1")], Err(Error::Repeated(Field::Id))),
        (&[head], Err(Error::MethodNotAllowed)),
        (&[batched("2"), head], Err(Error::MethodNotAllowed)),
        (&[batched("1"), depending(&["1"])], Ok(())),
        (&[depending(&["1"]), batched("1")], Err(Error::Malformed(Field::DependsOn))),
        (&[depending(&["2"])], Err(Error::Malformed(Field::DependsOn))),
        (&[batched("1"), depending(&["1"; 21])], Err(Error::Malformed(Field::DependsOn))),
    ] {
        assert_eq!(CallBatch::new(calls).map(|_| ()), expected);
    }
}

#[test]
fn f4_heads_are_asked_for_where_there_is_something_to_get() {
    let read = Call::presence(Principal::ME);
    assert_eq!((read.method(), read.as_head().method()), ("GET", "HEAD"));
    assert_eq!(Call::user(Principal::ME).as_head().method(), "HEAD");
    let ids = [UserId::from_bytes([1; 16])];
    assert_eq!(Call::presences(&ids).unwrap().as_head().method(), "HEAD");
    assert_eq!(Call::presences_by_user_id(&ids).unwrap().as_head().method(), "POST");
    let clear = Call::clear_location(Principal::ME);
    assert_eq!(clear.as_head(), clear);
    assert_eq!(clear.with_select(presence_core::graph::Select::parse("?$select=id").unwrap()), clear);
}

#[test]
fn f4_headers_are_those_that_apply() {
    let read = Call::presence(Principal::ME);
    let headers: Vec<_> = read.headers(Some("Bearer x"), Some("42")).collect();
    assert_eq!(headers, [("Authorization", "Bearer x"), ("Accept", "application/json"), ("client-request-id", "42")]);
    let clear = Call::execute(Principal::ME, Command::ClearPreferredPresence, &Policy::GRAPH).unwrap();
    let headers: Vec<_> = clear.headers(None, None).collect();
    assert_eq!(headers, [("Accept", "application/json"), ("Content-Type", "application/json")]);
    assert_eq!(clear.write_body(&mut [0; 2]), Ok(&b"{}"[..]));
    let calls = [BatchedCall { id: "1", call: read, depends_on: &[] }];
    let headers: Vec<_> = CallBatch::new(&calls).unwrap().headers(None, None).collect();
    assert_eq!(headers, [("Accept", "application/json"), ("Content-Type", "application/json")]);
}

/// The longest targets take as many bytes as `Call::write_target` says.
#[test]
fn f4_targets_fit_where_they_must() {
    let ids = [UserId::from_bytes([1; 16]); 3];
    let selected = Wanted::select(127);
    let read = Call::presences(&ids).unwrap();
    assert_eq!(read.write_target(&mut [0; 45 + 3 * 43]).map(str::len), Ok(45 + 3 * 43));
    let read = read.with_select(selected);
    assert_eq!(read.write_target(&mut [0; 45 + 3 * 43 + 95]).map(str::len), Ok(45 + 3 * 43 + 95));
    let command = Command::ClearPreferredPresence;
    let clear = Call::execute(Principal::id(ids[0]), command, &Policy::GRAPH).unwrap();
    assert!(clear.write_target(&mut [0; 45 + 36]).is_ok());
}

/// A body that does not fit is an error at every length, and the longest fits.
#[test]
fn f4_bodies_fit_where_they_must() {
    let command = Command::SetPresence {
        session: SessionId::from_bytes([2; 16]),
        presence: Presence::UrgentInterruptionsOnly,
        lease: Some(Duration::MAX),
    };
    let any = Policy { leases: DurationRange { shortest: Duration::ZERO, longest: Duration::MAX }, ..Policy::MIRROR };
    let call = Call::execute(Principal::ME, command, &any).unwrap();
    let mut buffer = [0; Call::MAX_COMMAND_BODY];
    assert_eq!(call.write_body(&mut buffer).map(<[u8]>::len), Ok(Call::MAX_COMMAND_BODY));
    for len in 0..Call::MAX_COMMAND_BODY {
        assert_eq!(call.write_body(&mut buffer[..len]), Err(BufferFull));
    }
}
