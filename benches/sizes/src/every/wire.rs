//! The wire: every request in every shape of the user behind it, the longest spellings of each, and hostile lines.
//!
//! A shape is: from none to four sessions, each fading or not, with nothing preferred or something, and then nothing due or
//! everything overdue. The longest spelling escapes every letter of every string (in a path twice), has the longest
//! duration, and fills a line. Hostile lines are as long too: each repeats what is worst for one part of the parser.

use super::hostile::{BODIES, LINES, LONGEST, TARGETS};
use super::spelling::{escape, fill, percent};
use crate::label::{label_hostile, label_idle, label_longest};
use crate::wire::{Desk, desk, probe_line, probe_request, user};
use core::hint::black_box;
use presence_core::graph::{Buffer, Line, RawRequest, Store, Writer};
use presence_core::{Command, Duration, Instant, Presence, SessionId, UserId};

/// Returns the session with an index; only its last digit differs from its neighbours'.
fn session(index: u8) -> SessionId {
    SessionId::from_bytes((0x2255_3876_f5ab_4529_bffb_cfe5_0aa8_9f80 | u128::from(index)).to_be_bytes())
}

pub(super) const OWNER: UserId = UserId::from_bytes([0x11; 16]);
pub(super) const EARLY: Instant = Instant::from_secs(5);
pub(super) const LATE: Instant = Instant::from_secs(1_000_000);

/// A request: the path, the body, and the statuses that are expected.
pub(super) type Asked = (&'static str, &'static str, &'static [u16]);

/// A path below the user's presence.
macro_rules! of_owner {
    ($path:literal) => {
        concat!("/v1.0/users/11111111-1111-1111-1111-111111111111/presence", $path)
    };
}
#[cfg(all(feature = "batch", feature = "details"))]
pub(super) use of_owner;

pub(super) const REQUESTS: [Asked; 9] = [
    (
        of_owner!("/setPresence"),
        r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f80","availability":"DoNotDisturb","activity":"Presenting","expirationDuration":"+P0DT000001H00000030M000000.000S"}"#,
        &[200, 507],
    ),
    (
        of_owner!("/setPresence"),
        r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f84","availability":"Available","activity":"Available"}"#,
        &[200, 507],
    ),
    (
        of_owner!("/setPresence"),
        r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f81","availability":"DoNotDisturb","activity":"Away","expirationDuration":"1:30:00"}"#,
        &[400],
    ),
    (of_owner!("/clearPresence"), r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f81"}"#, &[200, 404]),
    (of_owner!("/clearPresence"), r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f8f"}"#, &[404]),
    (
        of_owner!("/setUserPreferredPresence"),
        r#"{"availability":"DoNotDisturb","activity":"DoNotDisturb","expirationDuration":"+P0DT000001H00000030M000000.000S"}"#,
        &[200],
    ),
    (of_owner!("/clearUserPreferredPresence"), "{}", &[200]),
    (of_owner!("/nothing"), "{}", &[404]),
    (of_owner!(""), "", &[200]),
];

/// Calls a function with every shape and a moment, and reports whether all calls succeeded.
#[inline(always)]
fn shapes(mut each: impl FnMut(&Desk, Instant) -> bool) -> bool {
    let mut good = true;
    for count in 0..=4_u8 {
        for shape in 0..1_u8 << count {
            for preferred in [false, true] {
                let mut desk = crate::wire::desk();
                good &= drive_desk(&mut desk, count, shape, preferred);
                good &= each(&desk, EARLY) & each(&desk, LATE);
            }
        }
    }
    good
}

/// Creates a shape, without the wire.
#[inline(never)]
pub(super) fn drive_desk(desk: &mut Desk, count: u8, shape: u8, preferred: bool) -> bool {
    let mut good = true;
    for index in 0..count {
        let presence = if shape >> index & 1 == 0 { Presence::Available } else { Presence::Presenting };
        let lease = Some(Duration::from_hours(1));
        let command = Command::SetPresence { session: session(index), presence, lease };
        good &= desk.execute(Instant::from_secs(index.into()), OWNER, command, &mut |_, _| {}).is_ok();
    }
    if preferred {
        let command = Command::SetPreferredPresence { presence: Presence::Busy, duration: None };
        good &= desk.execute(EARLY, OWNER, command, &mut |_, _| {}).is_ok();
    }
    good
}

fn has_status(answer: &Buffer<'_>, statuses: &[u16]) -> bool {
    let at = answer.written().windows(9).position(|window| window == b"\"status\":");
    let digits = at.and_then(|at| answer.written().get(at + 9..at + 12)).unwrap_or_default();
    let status = digits.iter().fold(0, |number: u16, digit| number * 10 + u16::from(digit - b'0'));
    statuses.contains(&status)
}

/// Plays all lines, and reports whether every status was expected.
#[inline(always)]
pub fn drive_lines() -> bool {
    let mut line = [0; Line::MAX_LEN];
    let mut answer = [0; 1536];
    label_idle();
    let mut good = shapes(|desk, now| {
        REQUESTS.iter().fold(true, |good, asked| good & drive_line(desk, now, *asked, false, &mut line, &mut answer))
    });
    label_longest();
    good &= shapes(|desk, now| {
        !LONGEST.contains(&user(desk).user.user().sessions().len())
            || REQUESTS
                .iter()
                .fold(true, |good, asked| good & drive_line(desk, now, *asked, true, &mut line, &mut answer))
    });
    label_hostile();
    for hostile in LINES {
        let mut desk = crate::wire::desk();
        let mut to = Buffer::new(&mut answer);
        let bytes = fill(hostile, &mut line);
        good &= bytes.len() == Line::MAX_LEN;
        black_box(probe_line(&mut desk, EARLY, black_box(bytes), &mut to));
    }
    good
}

#[inline(never)]
pub(super) fn drive_line(
    desk: &Desk,
    now: Instant,
    (path, body, statuses): Asked,
    is_longest: bool,
    line: &mut [u8],
    answer: &mut [u8],
) -> bool {
    let mut to = Buffer::new(line);
    let mut good = true;
    let method: &[u8] = if body.is_empty() { b"\"GET\"" } else { b"\"POST\"" };
    if is_longest {
        let mut url = [0; 320];
        let mut url = Buffer::new(&mut url);
        good &= url.write(b"\"").is_ok() && percent(path.as_bytes(), &mut url) && url.write(b"\"").is_ok();
        good &= escape(b"{\"method\":", &mut to) && escape(method, &mut to);
        good &= escape(b",\"url\":", &mut to) && escape(url.written(), &mut to);
    } else {
        good &= to.write(b"{\"method\":").is_ok() && to.write(method).is_ok();
        good &= to.write(b",\"url\":\"").is_ok() && to.write(path.as_bytes()).is_ok() && to.write(b"\"").is_ok();
    }
    if !body.is_empty() {
        good &= to.write(br#","headers":{"Content-Type":"application/json"},"body":"#).is_ok();
        good &= if is_longest { escape(body.as_bytes(), &mut to) } else { to.write(body.as_bytes()).is_ok() };
    }
    good &= to.write(b",\"id\":\"1").is_ok();
    // An id as long as can be echoed.
    let spare = if is_longest { to.remaining().saturating_sub(1200) } else { 0 };
    while is_longest && to.remaining() > spare + 8 {
        good &= to.write(b"\\u0061").is_ok();
    }
    good &= to.write(b"\"}").is_ok();
    while is_longest && to.remaining() > 0 {
        good &= to.write(b" ").is_ok();
    }
    let mut desk = desk.clone();
    let mut answer = Buffer::new(answer);
    good &= probe_line(&mut desk, black_box(now), black_box(to.written()), &mut answer);
    good & has_status(&answer, statuses)
}

/// Plays all requests over HTTP, and reports whether every status was expected.
#[inline(always)]
pub fn drive_requests() -> bool {
    let mut text = [0; Line::MAX_LEN];
    label_idle();
    let mut good = shapes(|desk, now| {
        REQUESTS.iter().fold(true, |good, asked| good & drive_request(desk, now, *asked, false, &mut text))
    });
    label_longest();
    good &= shapes(|desk, now| {
        !LONGEST.contains(&user(desk).user.user().sessions().len())
            || REQUESTS.iter().fold(true, |good, asked| good & drive_request(desk, now, *asked, true, &mut text))
    });
    label_hostile();
    for hostile in BODIES {
        let body = fill(hostile, &mut text);
        good &= body.len() == Line::MAX_LEN;
        black_box(drive_bytes(&mut desk(), EARLY, "POST", "/v1.0/me/presence/setPresence", body));
    }
    for hostile in TARGETS {
        let target = core::str::from_utf8(fill(hostile, &mut text)).unwrap_or_default();
        good &= target.len() == Line::MAX_LEN;
        black_box(drive_bytes(&mut desk(), EARLY, "POST", target, b"{}"));
    }
    good
}

#[inline(never)]
pub(super) fn drive_request(
    desk: &Desk,
    now: Instant,
    (path, body, statuses): Asked,
    is_longest: bool,
    text: &mut [u8],
) -> bool {
    let mut target = [0; 320];
    let mut to = Buffer::new(&mut target);
    let mut escaped = Buffer::new(text);
    let mut good = true;
    if is_longest {
        good &= percent(path.as_bytes(), &mut to) && escape(body.as_bytes(), &mut escaped);
        while !body.is_empty() && escaped.remaining() > 0 {
            good &= escaped.write(b" ").is_ok();
        }
    } else {
        good &= to.write(path.as_bytes()).is_ok() && escaped.write(body.as_bytes()).is_ok();
    }
    let target = core::str::from_utf8(to.written()).unwrap_or_default();
    let method = if body.is_empty() { "GET" } else { "POST" };
    let status = drive_bytes(&mut desk.clone(), now, method, target, escaped.written());
    good & statuses.contains(&status)
}

#[inline(never)]
pub(super) fn drive_bytes(desk: &mut Desk, now: Instant, method: &'static str, target: &str, body: &[u8]) -> u16 {
    let mut answer = [0; 1536];
    let mut answer = Buffer::new(&mut answer);
    let content_type = Some("application/json; charset=utf-8");
    let request = black_box(RawRequest::new(method, target).with_content_type(content_type).with_body(body));
    probe_request(desk, black_box(now), &request, &mut answer)
}
