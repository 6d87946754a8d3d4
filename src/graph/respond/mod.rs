//! Answers and events as JSON text, written piece by piece into a sink. Rules H1, H3, V1.

#[cfg(feature = "details")]
pub(in crate::graph) mod details;
pub(in crate::graph) mod writer;

use crate::buffer::BufferFull;
use crate::graph::error::Error;
use crate::graph::json::Value;
use crate::graph::request::select::Select;
use crate::graph::respond::writer::Writer;
use crate::graph::serve::Context;
use crate::graph::store::Store;
use crate::id::{SessionId, UserId, hex_digit};
use crate::presence::Presence;
use crate::time::{Duration, Instant};
use crate::user::Transition;
#[cfg(feature = "details")]
use details::{Resource, write_resource};

/// Writes a template, with the next of these pieces for each star in it.
pub(in crate::graph) fn fill(sink: &mut dyn Writer, template: &str, pieces: &[&[u8]]) -> Result<(), BufferFull> {
    let mut rest = template.as_bytes();
    let mut pieces = pieces.iter();
    loop {
        let plain = rest.iter().take_while(|byte| **byte != b'*').count();
        let Some((before, after)) = rest.split_at_checked(plain) else { return Ok(()) };
        sink.write(before)?;
        let [_, after @ ..] = after else { return Ok(()) };
        rest = after;
        if let Some(piece) = pieces.next() {
            sink.write(piece)?;
        }
    }
}

/// Writes a JSON string, escaping what must be.
pub(in crate::graph) fn string(sink: &mut dyn Writer, text: &str) -> Result<(), BufferFull> {
    sink.write(b"\"")?;
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1F)).count();
        let Some((before, after)) = rest.split_at_checked(plain) else { break };
        sink.write(before)?;
        rest = after;
        if let [byte, after @ ..] = rest {
            match byte {
                b'"' | b'\\' => sink.write(&[b'\\', *byte])?,
                _ => sink.write(&[b'\\', b'u', b'0', b'0', hex_digit(byte >> 4), hex_digit(byte & 15)])?,
            }
            rest = after;
        }
    }
    sink.write(b"\"")
}

/// Fills `text` with the decimal digits of a number, of which the first counts `highest`: what is left is brought up under
/// the first place again and again. A division would link half a kilobyte into a small device, one of 64 bits a kilobyte.
pub(in crate::graph) fn digits(text: &mut [u8], number: u64, highest: u64) {
    let mut rest = number;
    for digit in text {
        *digit = b'0';
        while let Some(less) = rest.checked_sub(highest) {
            rest = less;
            *digit = digit.saturating_add(1);
        }
        // Less than the first place counts: it does not wrap.
        rest = rest.wrapping_mul(10);
    }
}

/// A status, three digits.
pub(in crate::graph) fn status(status: u16) -> [u8; 3] {
    let mut text = [0; 3];
    digits(&mut text, status.into(), 100);
    text
}

/// A length of time in seconds, with up to three decimals.
fn seconds(sink: &mut dyn Writer, time: Duration) -> Result<(), BufferFull> {
    // Nineteen digits in front of which stands a one, for the longest times of all.
    const FIRST: u64 = 10_000_000_000_000_000_000;
    let mut text = [b'1'; 20];
    let rest = time.as_millis().checked_sub(FIRST);
    let [first, others @ ..] = &mut text;
    if rest.is_none() {
        *first = b'0';
    }
    digits(others, rest.unwrap_or(time.as_millis()), FIRST / 10);
    let Some((whole, fraction)) = text.split_at_checked(17) else { return Ok(()) };
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    sink.write(whole.get(zeros.min(16)..).unwrap_or_default())?;
    let decimals = fraction.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last.saturating_add(1));
    if decimals > 0 {
        sink.write(b".")?;
        sink.write(fraction.get(..decimals).unwrap_or_default())?;
    }
    Ok(())
}

/// A version as `sequenceNumber`: a letter and ten digits, sortable as a string; null for 0, when nothing visible has ever
/// changed. Rule V1.
pub(in crate::graph) fn sequence_number(version: u64, text: &mut [u8; 13]) -> &[u8] {
    const LETTER: u64 = 10_000_000_000;
    if version == 0 {
        return b"null";
    }
    let [opening, letter, number @ .., closing] = &mut *text;
    (*opening, *letter, *closing) = (b'"', b'A', b'"');
    let mut rest = version;
    while let Some(less) = rest.checked_sub(LETTER) {
        if *letter == b'Z' {
            // The last number there is: 260 billion changes of one user later.
            rest = LETTER.saturating_sub(1);
            break;
        }
        (*letter, rest) = (letter.saturating_add(1), less);
    }
    digits(number, rest, LETTER / 10);
    text
}

/// Writes a presence object. Status message, out of office and work location are null: feature `details` has
/// `write_resource` for those who keep them. Rules H3, V1. O(1).
///
/// # Errors
///
/// [`BufferFull`]; [`MAX_PRESENCE`](crate::graph::MAX_PRESENCE) bytes always suffice.
///
/// ```
/// use presence_core::graph::{Buffer, MAX_PRESENCE, write_presence};
/// use presence_core::{Presence, UserId};
///
/// let mut bytes = [0; MAX_PRESENCE];
/// let mut body = Buffer::new(&mut bytes);
/// write_presence(&mut body, UserId::from_bytes([0x11; 16]), Presence::InACall, 7)?;
/// let begins = br#"{"id":"11111111-1111-1111-1111-111111111111","availability":"Busy","activity":"InACall","#;
/// assert!(body.written().starts_with(begins));
/// # Ok::<(), presence_core::BufferFull>(())
/// ```
pub fn write_presence(sink: &mut dyn Writer, user: UserId, presence: Presence, version: u64) -> Result<(), BufferFull> {
    const TEMPLATE: &str = r#"{"id":"*","availability":"*","activity":"*","outOfOfficeSettings":null,"statusMessage":null,"sequenceNumber":*,"workLocation":null}"#;
    let (availability, activity) = (presence.availability().name(), presence.activity().name());
    let mut text = [0; 13];
    let version = sequence_number(version, &mut text);
    let mut id = heapless::Vec::new();
    user.push_text(&mut id);
    fill(sink, TEMPLATE, &[&id, availability.as_bytes(), activity.as_bytes(), version])
}

/// Writes an error body. Rule H1. O(bytes of the trace).
///
/// # Errors
///
/// [`BufferFull`]; [`MAX_ERROR`](crate::graph::MAX_ERROR) bytes suffice when the trace is empty.
///
/// ```
/// use presence_core::graph::{Buffer, Error, Trace, write_error};
///
/// let mut bytes = [0; 512];
/// let mut body = Buffer::new(&mut bytes);
/// let trace = Trace { request_id: Some("42"), ..Trace::default() };
/// write_error(&mut body, Error::SessionNotFound, &trace)?;
/// assert!(body.written().starts_with(br#"{"error":{"code":"NotFound","message":"Presence session not found.","#));
/// # Ok::<(), presence_core::BufferFull>(())
/// ```
pub fn write_error(sink: &mut dyn Writer, refusal: Error, trace: &Trace<'_>) -> Result<(), BufferFull> {
    fill(sink, r#"{"error":{"code":"*","message":""#, &[refusal.code().as_bytes()])?;
    let name = refusal.field_name().as_bytes();
    fill(sink, refusal.template(), &[name, name])?;
    sink.write(br#"","innerError":{"date":"#)?;
    text_or_null(sink, trace.date)?;
    sink.write(br#","request-id":"#)?;
    text_or_null(sink, trace.request_id)?;
    sink.write(br#","client-request-id":"#)?;
    text_or_null(sink, trace.client_request_id)?;
    sink.write(b"}}}")
}

/// Writes the answer to an element of a batch, for whoever runs the elements itself: `{"id":…,"status":…,"headers":…,"body":…}`,
/// with a `Retry-After` header where there is one, and without a body where that is empty. The id is a JSON string, the body is
/// JSON, both as they are; `retry_after` is in seconds. Rule H5. O(bytes of id and body).
///
/// # Errors
///
/// [`BufferFull`]; 110 bytes more than id and body always suffice.
///
/// ```
/// use presence_core::graph::{Buffer, json::Value, write_answer};
///
/// let mut bytes = [0; 112];
/// let mut answer = Buffer::new(&mut bytes);
/// write_answer(&mut answer, Value::parse(br#""1""#)?, 429, Some(30), b"")?;
/// assert_eq!(answer.written(), br#"{"id":"1","status":429,"headers":{"Retry-After":"30"}}"#);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn write_answer(
    sink: &mut dyn Writer,
    id: Value<'_>,
    code: u16,
    retry_after: Option<u8>,
    body: &[u8],
) -> Result<(), BufferFull> {
    fill(sink, r#"{"id":*,"status":*"#, &[id.as_str().as_bytes(), &status(code)])?;
    if !body.is_empty() {
        sink.write(br#","headers":{"Content-Type":"application/json""#)?;
    }
    if let Some(seconds) = retry_after {
        // Three digits, without the zeros in front.
        let text = status(seconds.into());
        let zeros = text.iter().take_while(|digit| **digit == b'0').count().min(2);
        let opening: &[u8] = if body.is_empty() { br#","headers":{"# } else { b"," };
        fill(sink, r#"*"Retry-After":"*""#, &[opening, text.get(zeros..).unwrap_or_default()])?;
    }
    if !body.is_empty() || retry_after.is_some() {
        sink.write(b"}")?;
    }
    if !body.is_empty() {
        fill(sink, r#","body":*"#, &[body])?;
    }
    sink.write(b"}")
}

fn text_or_null(sink: &mut dyn Writer, text: Option<&str>) -> Result<(), BufferFull> {
    match text {
        Some(text) => string(sink, text),
        None => sink.write(b"null"),
    }
}

/// What an error tells of the request it answers, where the embedder knows. Rule H1.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Trace<'a> {
    /// The date and time, as the embedder's wall clock writes them.
    pub date: Option<&'a str>,
    /// The id that the embedder gave the request.
    pub request_id: Option<&'a str>,
    /// The id that the client gave the request, in its `client-request-id` header.
    pub client_request_id: Option<&'a str>,
}

/// Writes a change of a published presence as an event:
/// `{"at":300,"user":"…","from":{…},"to":{…},"cause":"expired"}`, `at` in seconds since `start`. Only visible
/// transitions are events: see [`Transition::is_visible`]. O(1).
///
/// # Errors
///
/// [`BufferFull`]; [`MAX_CHANGE`](crate::graph::MAX_CHANGE) bytes always suffice.
///
/// ```
/// use presence_core::graph::{Buffer, MAX_CHANGE, write_change};
/// use presence_core::{Instant, Policy, Presence, SessionId, User, UserId, set_presence};
///
/// let (start, now) = (Instant::from_secs(100), Instant::from_millis(101_500));
/// let (id, session) = (UserId::from_bytes([0x11; 16]), SessionId::from_bytes([0x22; 16]));
/// let user: User = User::new();
/// let set = set_presence(user.at(now)?, session, Presence::Away, None, &Policy::GRAPH)?;
/// let mut bytes = [0; MAX_CHANGE];
/// let mut event = Buffer::new(&mut bytes);
/// write_change(&mut event, start, id, &set)?;
/// assert!(event.written().starts_with(br#"{"at":1.5,"user":"11111111-1111-1111-1111-111111111111","from":{"#));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn write_change(
    sink: &mut dyn Writer,
    start: Instant,
    user: UserId,
    transition: &Transition<SessionId>,
) -> Result<(), BufferFull> {
    sink.write(br#"{"at":"#)?;
    seconds(sink, transition.at().saturating_duration_since(start))?;
    let (before, after) = (transition.before(), transition.after());
    let mut id = heapless::Vec::new();
    user.push_text(&mut id);
    let pieces = [
        id.as_slice(),
        before.availability().name().as_bytes(),
        before.activity().name().as_bytes(),
        after.availability().name().as_bytes(),
        after.activity().name().as_bytes(),
        transition.cause().name().as_bytes(),
    ];
    const TEMPLATE: &str = r#","user":"*","from":{"availability":"*","activity":"*"},"to":{"availability":"*","activity":"*"},"cause":"*"}"#;
    fill(sink, TEMPLATE, &pieces)
}

/// Reads a user and writes its presence object; a user nobody knows is Unknown. Rules M5, H3.
pub(in crate::graph) fn write_user(
    sink: &mut dyn Writer,
    exchange: &Context<'_>,
    store: &dyn Store,
    user: UserId,
    select: Select,
) -> Result<(), BufferFull> {
    let read = if exchange.knows(user) { store.read(exchange.now, user) } else { (Presence::Unknown, 0) };
    write_read(sink, exchange, store, user, read, select)
}

/// Writes the presence object of a user who was read: its presence and its version.
// A call more is a few bytes more on a small device.
#[inline]
pub(in crate::graph) fn write_read(
    sink: &mut dyn Writer,
    exchange: &Context<'_>,
    store: &dyn Store,
    user: UserId,
    read: (Presence, u64),
    select: Select,
) -> Result<(), BufferFull> {
    let (presence, version) = read;
    #[cfg(feature = "details")]
    {
        let is_own = exchange.caller.me() == Some(user);
        let epoch = exchange.world().epoch();
        let resource = Resource { user, presence, version, details: None, is_own, epoch, select };
        let mut written = None;
        if presence != Presence::Unknown {
            store.read_details(exchange.now, user, &mut |details| {
                written = Some(write_resource(sink, &Resource { details: Some(details), ..resource }));
            });
        }
        written.unwrap_or_else(|| write_resource(sink, &resource))
    }
    #[cfg(not(feature = "details"))]
    {
        let _ = (exchange, store, select);
        write_presence(sink, user, presence, version)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::graph::Buffer;
    use std::string::String;

    fn written(write: impl FnOnce(&mut dyn Writer) -> Result<(), BufferFull>) -> String {
        let mut bytes = [0; 256];
        let mut buffer = Buffer::new(&mut bytes);
        write(&mut buffer).unwrap();
        String::from_utf8(buffer.written().to_vec()).unwrap()
    }

    #[test]
    fn v1_sequence_numbers_sort_as_strings() {
        let text = |version| written(|sink| sink.write(sequence_number(version, &mut [0; 13])));
        assert_eq!(text(0), "null");
        assert_eq!(text(1), "\"A0000000001\"");
        assert_eq!(text(129_311_063), "\"A0129311063\"");
        assert_eq!(text(9_999_999_999), "\"A9999999999\"");
        assert_eq!(text(10_000_000_000), "\"B0000000000\"");
        assert_eq!(text(259_999_999_999), "\"Z9999999999\"");
        assert_eq!(text(260_000_000_000), "\"Z9999999999\"");
        assert_eq!(text(u64::MAX), "\"Z9999999999\"");
        let versions = [1, 2, 9, 10, 99, 9_999_999_999, 10_000_000_000, 19_999_999_999, 20_000_000_000];
        assert!(versions.is_sorted_by_key(|&version| text(version)));
    }

    #[test]
    fn seconds_have_up_to_three_decimals() {
        for (millis, expected) in [
            (0, "0"),
            (1, "0.001"),
            (10, "0.01"),
            (100, "0.1"),
            (999, "0.999"),
            (1000, "1"),
            (1500, "1.5"),
            (300_000, "300"),
            (300_125, "300.125"),
            (10_000, "10"),
            (u64::MAX, "18446744073709551.615"),
        ] {
            assert_eq!(written(|sink| seconds(sink, Duration::from_millis(millis))), expected);
        }
    }

    #[test]
    fn h5_answers_of_elements() {
        let answer = |code, retry_after, body: &str| {
            let id = Value::parse(b"\"1\"").unwrap();
            written(|sink| write_answer(sink, id, code, retry_after, body.as_bytes()))
        };
        assert_eq!(answer(200, None, ""), r#"{"id":"1","status":200}"#);
        assert_eq!(
            answer(200, None, "{}"),
            r#"{"id":"1","status":200,"headers":{"Content-Type":"application/json"},"body":{}}"#
        );
        assert_eq!(answer(429, Some(1), ""), r#"{"id":"1","status":429,"headers":{"Retry-After":"1"}}"#);
        assert_eq!(
            answer(429, Some(255), "{}"),
            r#"{"id":"1","status":429,"headers":{"Content-Type":"application/json","Retry-After":"255"},"body":{}}"#
        );
        assert!(answer(429, Some(10), "").contains("\"10\"") && answer(429, Some(0), "").contains("\"0\""));
    }

    #[test]
    fn strings_are_escaped() {
        for text in ["", "plain", "a\"b", "\\", "\u{0}\u{1f}\n", "é😀\"\"\\\\x", "\"", "tail\t"] {
            let json = written(|sink| string(sink, text));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
        let shortest = r#""\"\\\u000a\u001f""#;
        assert_eq!(written(|sink| string(sink, "\"\\\n\u{1f}")), shortest, "no more than must be");
    }
}
