//! One user behind a light's serial line: bytes, short forms, presence objects and requests.

use core::hint::black_box;
use presence_core::graph::{Buffer, Caller, Context, SingleUserStore};
use presence_core::lines::{LineBuffer, RESERVED_SESSIONS};
use presence_core::{Instant, UserId};

type Light = SingleUserStore<{ 4 + RESERVED_SESSIONS }>;
type Lines = LineBuffer<1024>;

const OWNER: UserId = UserId::from_bytes([0x11; 16]);

#[inline(never)]
fn probe_byte(lines: &mut Lines, byte: u8, now: Instant) -> bool {
    lines.push(byte, now)
}

#[inline(never)]
fn probe_lost(lines: &mut Lines, now: Instant) {
    lines.lose(now);
}

#[inline(never)]
fn probe_line(lines: &Lines, light: &mut Light, now: Instant, answer: &mut Buffer<'_>) -> bool {
    let context = Context::new(now, Caller::Trusted { me: Some(OWNER) });
    let input = lines.input();
    let served = input.serve(&context, light, answer, &mut |_, transition| {
        black_box(transition.after());
    });
    served.is_ok() && input.has_response()
}

#[cfg(not(feature = "scenario"))]
type Probes = (
    fn(&mut Lines, u8, Instant) -> bool,
    fn(&mut Lines, Instant),
    fn(&Lines, &mut Light, Instant, &mut Buffer<'_>) -> bool,
);

/// Links every probe: the compiler cannot tell whether any is called, nor with which arguments.
#[cfg(not(feature = "scenario"))]
#[inline(always)]
pub fn drive() -> bool {
    let probes: &Probes = &(probe_byte, probe_lost, probe_line);
    black_box(probes);
    true
}

/// Plays lines of every kind, and reports whether each was answered as it should be.
#[cfg(feature = "scenario")]
#[inline(always)]
pub fn drive() -> bool {
    use crate::label::label_idle;
    use presence_core::{Policy, Presence};

    const LINES: [(&str, &[u8]); 9] = [
        ("Busy\r\n", br#"{"id":null,"status":200}"#),
        ("\0\u{feff}doNotDisturb/presenting PT1H30M\r", br#"{"id":null,"status":200}"#),
        (r#"{"availability":"Busy","activity":"InACall","expirationDuration":"PT8H"}"#, br#"{"id":null,"status":200}"#),
        (
            r#"{"@odata.context":"x","id":"7","availability":"B\u0075sy","activity":"OutOfOffice"}"#,
            br#"{"id":null,"status":200}"#,
        ),
        (
            r#"{"id":"1","method":"POST","url":"/me/presence/setPresence","body":{"sessionId":"11111111-5ab4-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InACall","expirationDuration":"PT1H30M"}}"#,
            br#"{"id":"1","status":200}"#,
        ),
        (r#"{"id":"1","status":200,"body":{}}"#, b""),
        ("Away/Busy PT1H", br#"{"id":null,"status":400,"#),
        ("not json", br#"{"id":null,"status":400,"#),
        ("Offline", br#"{"id":null,"status":200}"#),
    ];
    let (mut lines, mut light) = (Lines::new(), Light::new(OWNER, Policy::DESK));
    let (lines, light) = (black_box(&mut lines), black_box(&mut light));
    let mut good = true;
    label_idle();
    for secs in [1, 1_000_000] {
        let now = black_box(Instant::from_secs(secs));
        for (text, expected) in LINES {
            let mut bytes = [0; 320];
            let mut answer = Buffer::new(&mut bytes);
            for byte in black_box(text).bytes().chain([b'\n']) {
                if probe_byte(lines, byte, now) {
                    good &= probe_line(lines, light, now, &mut answer) != expected.is_empty();
                }
            }
            good &= answer.written().starts_with(expected);
        }
        good &= light.user.presence(now) == Presence::InACall;
        probe_lost(lines, now);
        let mut bytes = [0; 320];
        good &= probe_byte(lines, b'\n', now) && probe_line(lines, light, now, &mut Buffer::new(&mut bytes));
    }
    good
}
