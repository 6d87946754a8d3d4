//! The whole wire, batches and details included: every request beside those of [`wire`](super::wire), for a user with
//! everything or with nothing, with nothing due or everything overdue; batches and bulk reads as long as a line may be;
//! and hostile ones.

use super::hostile::Hostile;
use super::hostile_whole::BODIES;
use super::spelling::fill;
use super::wire::{Asked, EARLY, LATE, OWNER, REQUESTS, drive_bytes, drive_desk, drive_line, drive_request, of_owner};
use crate::details::MESSAGE;
use crate::label::{label_batch, label_hostile, label_idle, label_longest};
use crate::wire::{Desk, desk, probe_line, probe_request};
use core::hint::black_box;
use presence_core::BufferFull;
use presence_core::Instant;
use presence_core::details::{DetailsCommand, LocationLayer, OutOfOffice, WorkLocationType, WorkPlace};
use presence_core::graph::{Buffer, Line, RawRequest, Store, Writer};

const END: usize = 1536;

/// A writer without a limit, which keeps the beginning and the end.
struct Endless {
    beginning: [u8; 64],
    /// A ring, longer than the response to an element of a batch, unless that is a bulk read.
    end: [u8; END],
    /// The position of the next byte in the ring. Counted, because not every processor divides.
    next: usize,
    written: usize,
}

impl Endless {
    const EMPTY: Self = Self { beginning: [0; 64], end: [0; END], next: 0, written: 0 };

    /// Returns the last status that was written (of a batch, its last element's); 0 if there is none.
    fn last_status(&mut self) -> u16 {
        const NAME: &[u8] = b"\"status\":";
        // Bytes that were never written are zeros, and no name.
        self.end.rotate_left(self.next);
        let name = self.end.windows(NAME.len()).rposition(|window| window == NAME);
        let digits = name.and_then(|name| self.end.get(name + NAME.len()..)?.get(..3)).unwrap_or_default();
        digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'))
    }
}

impl Writer for Endless {
    fn remaining(&self) -> usize {
        usize::MAX
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        for byte in bytes {
            if let Some(cell) = self.beginning.get_mut(self.written) {
                *cell = *byte;
            }
            if let Some(cell) = self.end.get_mut(self.next) {
                *cell = *byte;
            }
            self.next = if self.next + 1 < END { self.next + 1 } else { 0 };
            self.written += 1;
        }
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        self.written -= count;
        // At most an element, and the ring is longer.
        self.next = if count <= self.next { self.next - count } else { self.next + END - count };
    }
}

/// A text of 280 bytes.
macro_rules! text {
    () => {
        text!("0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,.;-012")
    };
    ($part:literal) => {
        concat!($part, $part, $part, $part)
    };
}

/// The same length, all of it escaped.
macro_rules! escapes {
    () => {
        escapes!(r"\u0061\u0062\u0063\u0064\u0065\u0066\u0067")
    };
    ($part:literal) => {
        concat!(escapes!($part of 10), escapes!($part of 10), escapes!($part of 10), escapes!($part of 10))
    };
    ($part:literal of 10) => {
        concat!($part, $part, $part, $part, $part, $part, $part, $part, $part, $part)
    };
}

/// The longest id of a place.
macro_rules! place {
    () => {
        "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnop"
    };
}

const TEXT: &str = text!();
const PLACE: &str = place!();

/// Requests about details, and a bulk read of one.
const DETAILS: [Asked; 9] = [
    (
        of_owner!("/setStatusMessage"),
        concat!(
            r#"{"statusMessage":{"message":{"content":""#,
            text!(),
            r#"","contentType":"text"},"expiryDateTime":{"dateTime":"2026-11-27T10:30:00.1234567","timeZone":"Coordinated Universal Time"}}}"#
        ),
        &[200, 400],
    ),
    (
        of_owner!("/setStatusMessage"),
        concat!(
            r#"{"statusMessage":{"message":{"content":""#,
            text!(),
            r#"","contentType":"text"},"expiryDateTime":{"dateTime":"2026-11-27T10:30:00.1234567","timeZone":"UTC"}}}"#
        ),
        &[200],
    ),
    (of_owner!("/setStatusMessage"), r#"{"statusMessage":{"message":null}}"#, &[200]),
    (of_owner!("/setStatusMessage"), r#"{"statusMessage":{}}"#, &[400]),
    (
        of_owner!("/setManualLocation"),
        concat!(r#"{"workLocationType":"timeOff","placeId":""#, place!(), r#""}"#),
        &[200],
    ),
    (of_owner!("/setAutomaticLocation"), r#"{"workLocationType":"office"}"#, &[200]),
    (of_owner!("/clearLocation"), "{}", &[200]),
    (of_owner!("/clearAutomaticLocation"), "{}", &[200]),
    ("/v1.0/communications/getPresencesByUserId", r#"{"ids":["11111111-1111-1111-1111-111111111111"]}"#, &[200]),
];

/// The longest message, every letter of it escaped, with whatever else is long: a line has no room for more escapes.
const LONGEST_MESSAGE: Asked = (
    of_owner!("/setStatusMessage"),
    concat!(
        r#"{"statusMessage":{"message":{"contentType":"text","content":""#,
        escapes!(),
        r#""},"expiryDateTime":{"timeZone":"Coordinated Universal Time","dateTime":"2026-11-27T10:30:00.1234567"}}}"#
    ),
    &[200, 400],
);

/// Every field by name. An escaped question mark is none, so there is no longer spelling.
const SELECT: Asked = (
    of_owner!("?$select=id,availability,activity,sequenceNumber,statusMessage,outOfOfficeSettings,workLocation"),
    "",
    &[200],
);

/// The elements of a batch: the beginning of their ids, to which each adds a letter of its own, the rest of the first and of
/// the others, and the statuses that the last one may have.
type Many = (&'static str, &'static str, &'static str, &'static [u16]);

const SET: &str = r#"","method":"POST","url":"/me/presence/setPresence","headers":{"Content-Type":"application/json"},"body":{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f84","availability":"DoNotDisturb","activity":"Presenting","expirationDuration":"+P0DT000001H00000030M000000.000S"}"#;
const LOCATION: &str = concat!(
    r#"","method":"POST","url":"/me/presence/setManualLocation","body":{"workLocationType":"timeOff","placeId":""#,
    place!(),
    r#""}"#
);
const READ: &str = r#"","method":"GET","url":"/me/presence""#;
const LONG_READ: &str = r#"","method":"GET","url":"/communications/presences/11111111-1111-1111-1111-111111111111?$select=availability,activity,statusMessage,outOfOfficeSettings,workLocation,sequenceNumber""#;
const BULK: &str = r#"","method":"POST","url":"/communications/getPresencesByUserId","body":{"ids":["11111111-1111-1111-1111-111111111111","11111111-1111-1111-1111-111111111111"]}"#;
const CLEAR: &str = r#"","method":"POST","url":"/me/presence/clearPresence","body":{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f80"}"#;
/// Depends on the first element, as often as there may be others.
const DEPENDS: &str = r#"","method":"GET","url":"/me/presence","dependsOn":["a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a"]"#;
const NOTHING: &str = r#"","method":"GET","url":"/nothing""#;

/// Ids that differ only in their last letter, plain and escaped.
const LONG_ID: &str = "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii";
const ESCAPED_ID: &str = r"\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069\u0069";

const BATCHES: [Many; 11] = [
    ("", READ, READ, &[200]),
    ("", LONG_READ, LONG_READ, &[200]),
    (LONG_ID, READ, READ, &[200]),
    (ESCAPED_ID, READ, READ, &[200]),
    ("", SET, SET, &[200, 507]),
    ("", LOCATION, LOCATION, &[200]),
    ("", CLEAR, CLEAR, &[404]),
    ("", READ, DEPENDS, &[200]),
    // Depends on itself, and so all fail.
    ("", DEPENDS, DEPENDS, &[424]),
    ("", BULK, BULK, &[0, 200]),
    ("", NOTHING, NOTHING, &[404]),
];

/// Writes a batch that fills a buffer but for some bytes, or that has as many elements as it may have.
fn batch((id, first, other, _): Many, spare: usize, to: &mut Buffer<'_>) -> bool {
    let mut good = to.write(br#"{"requests":["#).is_ok();
    for letter in b'a'..b'a' + 20 {
        let element = if letter == b'a' { first } else { other };
        let length = r#",{"id":""#.len() + id.len() + 1 + element.len() + "}]}".len();
        if to.remaining() < length + spare {
            break;
        }
        good &= letter == b'a' || to.write(b",").is_ok();
        good &= to.write(br#"{"id":""#).is_ok() && to.write(id.as_bytes()).is_ok() && to.write(&[letter]).is_ok();
        good &= to.write(element.as_bytes()).is_ok() && to.write(b"}").is_ok();
    }
    good &= to.write(b"]}").is_ok();
    while to.remaining() > spare {
        good &= to.write(b" ").is_ok();
    }
    good
}

/// A bulk read of as many ids as fit.
const BULK_READ: Hostile = (r#"{"ids":["#, r#""11111111-1111-1111-1111-111111111111","#, "]}");
const BULK_TARGET: &str = "/v1.0/communications/getPresencesByUserId";
const BATCH_TARGET: &str = "/v1.0/$batch";

/// The beginning of a line, in front of its batch.
const TO_BATCH: &str =
    r#"{"id":"1","method":"POST","url":"/v1.0/$batch","headers":{"Content-Type":"application/json"},"body":"#;
const BULK_LINE: Hostile = (
    r#"{"id":"1","method":"POST","url":"/communications/getPresencesByUserId","body":{"ids":["#,
    r#""11111111-1111-1111-1111-111111111111","#,
    "]}}",
);

/// Sets everything that details can hold.
#[inline(never)]
fn drive_details(desk: &mut Desk) -> bool {
    let until = Instant::from_secs(3600);
    let out_of_office = OutOfOffice { is_out_of_office: true, message: Some(TEXT) };
    let place = WorkPlace { kind: WorkLocationType::TimeOff, id: Some(PLACE) };
    let mut good = TEXT.len() == MESSAGE && PLACE.len() == WorkPlace::MAX_ID_LEN;
    let mut update = |command| good &= desk.execute_details(EARLY, OWNER, command, &mut |_, _| {}).is_ok();
    update(DetailsCommand::SetStatusMessage { text: TEXT, expires_at: until });
    update(DetailsCommand::SetOutOfOffice(out_of_office));
    for layer in LocationLayer::ALL {
        update(DetailsCommand::SetLocation { layer, place, until });
    }
    good
}

/// Calls a function with every user, of four sessions that fade or not or of none, and a moment; reports whether all calls
/// succeeded.
#[inline(always)]
fn users(mut each: impl FnMut(&Desk, Instant) -> bool) -> bool {
    let mut good = true;
    for (count, shape) in [(0, 0), (4, 0), (4, 0b1111)] {
        for has_details in [false, true] {
            let mut desk = crate::wire::desk();
            good &= drive_desk(&mut desk, count, shape, has_details);
            good &= !has_details || drive_details(&mut desk);
            good &= each(&desk, EARLY) & each(&desk, LATE);
        }
    }
    good
}

/// Plays all lines, and reports whether every status was expected.
#[inline(always)]
pub fn drive_lines() -> bool {
    let mut line = [0; Line::MAX_LEN];
    let mut answer = [0; 2560];
    label_idle();
    let plain = REQUESTS.iter().chain(&DETAILS).chain([&SELECT]);
    let mut good = users(|desk, now| {
        plain.clone().fold(true, |good, asked| good & drive_line(desk, now, *asked, false, &mut line, &mut answer))
    });
    label_longest();
    good &= users(|desk, now| {
        // Long texts do not fit in a line when every letter is escaped.
        let short = DETAILS.iter().filter(|(_, body, _)| body.len() < TEXT.len());
        short.fold(drive_line(desk, now, LONGEST_MESSAGE, false, &mut line, &mut answer), |good, asked| {
            good & drive_line(desk, now, *asked, true, &mut line, &mut answer)
        })
    });
    label_batch();
    good &= users(|desk, now| {
        let bulk = drive_endless(desk, now, fill(BULK_LINE, &mut line), &[0]);
        BATCHES.iter().fold(bulk, |good, many| {
            let mut to = Buffer::new(&mut line);
            let made = to.write(TO_BATCH.as_bytes()).is_ok() && batch(*many, 1, &mut to) && to.write(b"}").is_ok();
            good & made & drive_endless(desk, now, to.written(), many.3)
        })
    });
    label_hostile();
    for (target, (beginning, again, end)) in BODIES {
        let mut before = [0; 256];
        let mut before = Buffer::new(&mut before);
        for part in [r#"{"id":"1","method":"POST","url":""#, target, r#"","body":"#, beginning] {
            good &= before.write(part.as_bytes()).is_ok();
        }
        let mut behind = [0; 256];
        let mut behind = Buffer::new(&mut behind);
        good &= behind.write(end.as_bytes()).is_ok() && behind.write(b"}").is_ok();
        let (before, behind) = (core::str::from_utf8(before.written()), core::str::from_utf8(behind.written()));
        let bytes = fill((before.unwrap_or_default(), again, behind.unwrap_or_default()), &mut line);
        black_box(drive_endless(&desk(), EARLY, bytes, &[]));
    }
    good
}

/// Sends a line to a copy of a desk, and reports whether the response has status 200 and ends with one of these.
#[inline(never)]
fn drive_endless(desk: &Desk, now: Instant, line: &[u8], last: &[u16]) -> bool {
    let mut desk = desk.clone();
    let mut answer = Endless::EMPTY;
    let is_written = probe_line(&mut desk, black_box(now), black_box(line), &mut answer);
    is_written && answer.beginning.starts_with(br#"{"id":"1","status":200,"#) && last.contains(&answer.last_status())
}

/// Plays all requests over HTTP, and reports whether every status was expected.
#[inline(always)]
pub fn drive_requests() -> bool {
    let mut text = [0; Line::MAX_LEN];
    label_idle();
    let plain = REQUESTS.iter().chain(&DETAILS).chain([&SELECT]);
    let mut good = users(|desk, now| {
        plain.clone().fold(true, |good, asked| good & drive_request(desk, now, *asked, false, &mut text))
    });
    label_longest();
    good &= users(|desk, now| {
        DETAILS.iter().fold(drive_request(desk, now, LONGEST_MESSAGE, false, &mut text), |good, asked| {
            good & drive_request(desk, now, *asked, true, &mut text)
        })
    });
    label_batch();
    good &= users(|desk, now| {
        let bulk = drive_posted(desk, now, BULK_TARGET, fill(BULK_READ, &mut text)) == (200, 0);
        BATCHES.iter().fold(bulk, |good, many| {
            let mut to = Buffer::new(&mut text);
            let made = batch(*many, 0, &mut to);
            let (status, last) = drive_posted(desk, now, BATCH_TARGET, to.written());
            good & made & (status == 200) & many.3.contains(&last)
        })
    });
    label_hostile();
    for (target, body) in BODIES {
        black_box(drive_bytes(&mut desk(), EARLY, "POST", target, fill(body, &mut text)));
    }
    good
}

/// Posts a body to a copy of a desk, and returns the status and the last one in the response.
#[inline(never)]
fn drive_posted(desk: &Desk, now: Instant, target: &str, body: &[u8]) -> (u16, u16) {
    let mut desk = desk.clone();
    let mut answer = Endless::EMPTY;
    let request = black_box(RawRequest::new("POST", target).with_body(body));
    let status = probe_request(&mut desk, black_box(now), &request, &mut answer);
    (status, answer.last_status())
}
