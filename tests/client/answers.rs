//! What `serve` answers is read back to the values that it wrote. Rule F4.

use crate::calls::{EPOCH, ME, Wanted, Who, context, policy, wanted};
use presence_core::client::{
    BatchAnswer, BatchedCall, Call, CallBatch, ErrorAnswer, PresenceObject, Presences, Principal, ReceivedMessage,
};
use presence_core::details::{Details, DetailsCommand, OutOfOffice, WorkPlace};
use presence_core::directory::InlineDirectory;
use presence_core::graph::json::{JsonError, Value};
use presence_core::graph::{
    Buffer, DateTime, Element, Error, Field, RawRequest, Select, Trace, WithDetails, Writer, serve,
};
use presence_core::{Duration, Instant, Policy, Presence, SessionId, UserId};
use proptest::prelude::*;

/// Longer than any answer.
const ANSWER: usize = 400_000;

type Store = WithDetails<InlineDirectory<UserId, SessionId, 2, 4>, (UserId, Details)>;

/// A server whose clock stands where the test puts it; one user has details.
struct Server {
    store: Store,
    now: Instant,
    answer: Vec<u8>,
    body: Vec<u8>,
}

impl Server {
    fn new(policy: Policy) -> Self {
        let mut store: Store = WithDetails::new(InlineDirectory::with_policy(policy), (ME, Details::new()));
        let out = OutOfOffice { is_out_of_office: true, message: Some("\u{1}\"Back\" on Monday 😀") };
        store.update_details(Instant::ZERO, ME, DetailsCommand::SetOutOfOffice(out), &mut |_, _| {}).unwrap();
        Self { store, now: Instant::ZERO, answer: vec![0; ANSWER], body: vec![0; ANSWER] }
    }

    fn send(&mut self, call: &Call<'_>) -> (u16, &[u8]) {
        let target = call.target().to_string();
        let body = call.write_body(&mut self.body).unwrap();
        let raw = RawRequest::new(call.method(), &target).with_content_type("application/json").with_body(body);
        let mut buffer = Buffer::new(&mut self.answer);
        let status = serve(&raw, &context(self.now), &mut self.store, &mut buffer, &mut |_, _| {});
        let len = buffer.written().len();
        (status, &self.answer[..len])
    }
}

/// Checks that an object says of a user what the store does.
fn assert_told(store: &Store, now: Instant, user: UserId, read: &PresenceObject<'_>, select: Select) {
    let has = |name| select.contains(name);
    assert_eq!(read.id, has("id").then_some(user));
    let presence = store.store.presence(now, user);
    match (has("availability"), has("activity")) {
        (_, true) => assert_eq!(read.presence, presence),
        (true, false) => assert_eq!(read.presence, presence.availability().plain()),
        (false, false) => assert_eq!(read.presence, Presence::Unknown),
    }
    assert!(has("sequenceNumber") || read.sequence_number.is_none());
    let details = store.details.1.view_at(now);
    let is_me = user == ME;
    let out = details.out_of_office;
    assert_eq!(read.is_out_of_office, is_me && has("outOfOfficeSettings") && out.is_out_of_office);
    let is = |read: Option<Value<'_>>, text: Option<&str>| match (read, text) {
        (Some(read), Some(text)) => assert!(read.is_text(text), "{read:?} {text:?}"),
        (read, text) => assert_eq!((read, text), (None, None)),
    };
    is(read.out_of_office_message, out.message.filter(|_| is_me && has("outOfOfficeSettings")));
    let message = details.status_message.filter(|_| is_me && has("statusMessage"));
    let date_time = |instant: Instant| DateTime::from_unix_millis(EPOCH + instant.as_millis());
    match (read.status_message, message) {
        (Some(ReceivedMessage { content, published, expiry, .. }), Some(message)) => {
            assert!(content.is_text(message.text));
            assert_eq!(published, Some(date_time(message.published_at)));
            let expires_at = Some(message.expires_at).filter(|instant| *instant != Instant::NEVER);
            assert_eq!(expiry, expires_at.map(|instant| (date_time(instant), None)));
        }
        (read, message) => assert_eq!((read.is_none(), message.is_none()), (true, true)),
    }
    match (read.work_location, details.work_location.filter(|_| is_me && has("workLocation"))) {
        (Some(read), Some(location)) => {
            let WorkPlace { kind, id } = location.place;
            assert_eq!((read.kind, read.source), (kind, Some(location.source)));
            is(read.place_id, id);
        }
        (read, location) => assert_eq!((read.is_none(), location.is_none()), (true, true)),
    }
}

/// Sends a call, and checks the answer against the store. Returns the status.
fn check(server: &mut Server, wanted: &Wanted, policy: &Policy) -> Option<u16> {
    let call = wanted.call(policy).ok()?;
    let now = server.now;
    let (status, answer) = server.send(&call);
    let answer = answer.to_vec();
    if status != 200 {
        let error = ErrorAnswer::read(status, None, &answer);
        let code = match status {
            404 => "NotFound",
            507 => "InsufficientStorage",
            other => panic!("{other}: {wanted:?}"),
        };
        assert!(error.code.is_some_and(|read| read.is_text(code)));
        assert!(error.message.is_some());
        return Some(status);
    }
    match wanted {
        Wanted::Presence(who, bits) => {
            let read = PresenceObject::parse_selected(&answer).unwrap();
            assert_told(&server.store, now, who.user(), &read, Wanted::select(*bits));
            if Wanted::select(*bits).contains("availability") && Wanted::select(*bits).contains("activity") {
                assert_eq!(PresenceObject::parse(&answer), Ok(read));
            }
        }
        Wanted::ById(ids, bits) | Wanted::Collection(ids, bits) => {
            let read: Vec<_> = Presences::parse(&answer).unwrap().iter_selected().map(Result::unwrap).collect();
            assert_eq!(read.len(), ids.len());
            for (read, user) in read.iter().zip(ids) {
                assert_told(&server.store, now, *user, read, Wanted::select(*bits));
            }
        }
        Wanted::User(_) => assert!(Value::parse(&answer).is_ok_and(Value::is_object)),
        _ => assert!(answer.is_empty()),
    }
    Some(status)
}

proptest! {
    #[test]
    fn f4_what_is_answered_is_read_back(
        steps in proptest::collection::vec((wanted(), 0..400u64), 1..12), policy in policy(),
    ) {
        let mut server = Server::new(policy);
        for (wanted, seconds) in steps {
            server.now = server.now.saturating_add(Duration::from_secs(seconds));
            check(&mut server, &wanted, &policy);
            check(&mut server, &Wanted::Presence(Who::Me, 0), &policy);
        }
    }

    #[test]
    fn f4_answers_to_batches_are_read_back(
        all in proptest::collection::vec((wanted(), any::<u32>()), 1..=8), policy in policy(),
    ) {
        let mut server = Server::new(policy);
        let ids: Vec<_> = (0..all.len()).map(|id| format!("{id}\u{2028}\"")).collect();
        let depends: Vec<Vec<&str>> = all.iter().enumerate()
            .map(|(position, (_, bits))| (0..position).filter(|bit| bits & (1 << bit) != 0).map(|bit| ids[bit].as_str()).collect())
            .collect();
        let calls: Vec<_> = all.iter().enumerate()
            .map(|(position, (wanted, _))| BatchedCall {
                id: &ids[position],
                call: wanted.call(&policy).unwrap_or(Call::presence(Principal::ME)),
                depends_on: &depends[position],
            })
            .collect();
        let mut buffer = vec![0; 2 * ANSWER];
        let body = CallBatch::new(&calls).unwrap().write_body(&mut buffer).unwrap();
        let raw = RawRequest::new(CallBatch::METHOD, CallBatch::TARGET).with_content_type("application/json").with_body(body);
        let mut bytes = vec![0; 4 * ANSWER];
        let mut answer = Buffer::new(&mut bytes);
        prop_assert_eq!(serve(&raw, &context(server.now), &mut server.store, &mut answer, &mut |_, _| {}), 200);
        let read: Vec<_> = BatchAnswer::parse(answer.written()).unwrap().iter().map(Result::unwrap).collect();
        prop_assert_eq!(read.len(), calls.len());
        for (read, batched) in read.iter().zip(&calls) {
            prop_assert!(read.id.is_text(batched.id));
            let failed = |id: &&str| calls.iter().position(|other| other.id == *id).is_some_and(|other| {
                serde_json::from_slice::<serde_json::Value>(answer.written()).unwrap()["responses"][other]["status"].as_u64().unwrap() >= 400
            });
            prop_assert_eq!(read.status == 424, batched.depends_on.iter().any(failed));
            match read.error() {
                Some(error) => prop_assert!(error.code.is_some()),
                None => prop_assert_eq!(read.status, 200),
            }
        }
    }
}

/// Every error that a server may answer, with every field that it may be about.
fn errors() -> Vec<Error> {
    let fields = [
        Field::SessionId,
        Field::Availability,
        Field::Activity,
        Field::ExpirationDuration,
        Field::Ids,
        Field::Requests,
        Field::Id,
        Field::Method,
        Field::Url,
        Field::Headers,
        Field::Body,
        Field::DependsOn,
        Field::User,
        Field::At,
        Field::StatusMessage,
        Field::Message,
        Field::Content,
        Field::ContentType,
        Field::ExpiryDateTime,
        Field::DateTime,
        Field::TimeZone,
        Field::WorkLocationType,
        Field::PlaceId,
        Field::Select,
        Field::Filter,
    ];
    let about = |field| {
        [
            Error::Duplicate(field),
            Error::Missing(field),
            Error::Malformed(field),
            Error::OutOfRange(field),
            Error::Count(field),
            Error::Repeated(field),
        ]
    };
    let json = [JsonError::NotUtf8, JsonError::Syntax, JsonError::TooDeep, JsonError::DuplicateMember].map(Error::Json);
    let others = [
        Error::TooLarge,
        Error::UnknownPath,
        Error::NoSignedInUser,
        Error::UnknownUser,
        Error::MethodNotAllowed,
        Error::UnsupportedMediaType,
        Error::NotAnObject,
        Error::LineTooLong,
        Error::Pair,
        Error::NestedBatch,
        Error::OutOfOrder,
        Error::Unauthenticated,
        Error::Throttled { retry_after: 0 },
        Error::Throttled { retry_after: 255 },
        Error::OtherUser,
        Error::MissingPermission,
        Error::OtherSession,
        Error::SessionNotFound,
        Error::FailedDependency,
        Error::SessionsFull,
        Error::UsersFull,
        Error::ResponseTooLarge,
    ];
    fields.into_iter().flat_map(about).chain(json).chain(others).collect()
}

#[test]
fn f4_every_error_is_read_back() {
    let (request_id, client_request_id) = ("\"\u{2028}é😀", "42");
    for error in errors() {
        for client_request_id in [None, Some(client_request_id)] {
            let trace = Trace { date: Some("2026-11-30T19:00:00"), request_id: Some(request_id), client_request_id };
            let mut bytes = [0; 1024];
            let mut body = Buffer::new(&mut bytes);
            error.write(&trace, &mut body).unwrap();
            let retry_after = error.retry_after().map(|seconds| seconds.to_string());
            let retry_after = retry_after.and_then(|header| ErrorAnswer::parse_retry_after(&header, None));
            let read = ErrorAnswer::read(error.status(), retry_after, body.written());
            assert_eq!(read.status, error.status());
            assert!(read.code.is_some_and(|code| code.is_text(error.code())));
            assert!(read.message.is_some_and(|message| message.is_text(&error.message().concat())));
            assert!(read.request_id.is_some_and(|id| id.is_text(request_id)));
            assert!(read.client_request_id.is_some_and(|id| id.is_text(client_request_id.unwrap_or(request_id))));
            assert_eq!(read.retry_after, error.retry_after().map(|seconds| Duration::from_secs(seconds.into())));
            // In a batch as well.
            let element = Element::parse(Value::parse(br#"{"id":"7"}"#).unwrap()).unwrap();
            let mut bytes = [0; 2048];
            let mut batch = Buffer::new(&mut bytes);
            batch.write(br#"{"responses":["#).unwrap();
            element.write_response(error.status(), error.retry_after(), body.written(), &mut batch).unwrap();
            batch.write(b"]}").unwrap();
            let batched = BatchAnswer::parse(batch.written()).unwrap().iter().next().unwrap().unwrap();
            let of_batch = batched.error().unwrap();
            assert_eq!(
                (of_batch.status, of_batch.code, of_batch.retry_after),
                (read.status, read.code, read.retry_after)
            );
            assert_eq!(of_batch.request_id, read.request_id);
        }
    }
}

/// Names of headers are read in any case, wherever the header stands.
#[test]
fn f4_the_pause_that_an_answer_of_a_batch_asks_for() {
    for name in ["Retry-After", "retry-after", "RETRY-AFTER"] {
        for headers in [
            format!(r#"{{"{name}":"30"}}"#),
            format!(r#"{{"{name}":30,"x":"y"}}"#),
            format!(r#"{{"Content-Type":"application/json","x":{{"{name}":"1"}},"{name}":"30"}}"#),
        ] {
            let body =
                format!(r#"{{"responses":[{{"id":"1","status":200}},{{"id":"2","status":429,"headers":{headers}}}]}}"#);
            let answers: Vec<_> = BatchAnswer::parse(body.as_bytes()).unwrap().iter().map(Result::unwrap).collect();
            let pauses = [answers[0].retry_after, answers[1].retry_after];
            assert_eq!(pauses, [None, Some(Duration::from_secs(30))], "{headers}");
            assert_eq!(answers[1].error().unwrap().retry_after, pauses[1]);
        }
    }
}
