//! One user behind the wire.

use core::hint::black_box;
use presence_core::Instant;
#[cfg(feature = "scenario")]
use presence_core::Policy;
#[cfg(any(feature = "details", feature = "scenario"))]
use presence_core::UserId;
use presence_core::graph::{Buffer, Caller, Context, Line, RawRequest, SingleUserStore, Writer, serve, serve_line};
#[cfg(feature = "details")]
use presence_core::graph::{Environment, WithDetails};

/// The store of a device.
#[cfg(not(feature = "details"))]
pub type Desk = SingleUserStore<4>;
#[cfg(feature = "details")]
pub type Desk = WithDetails<SingleUserStore<4>, (UserId, crate::details::LongDetails), { crate::details::MESSAGE }>;

/// The user of a device.
#[cfg(not(feature = "details"))]
pub(crate) const fn user(desk: &Desk) -> &SingleUserStore<4> {
    desk
}
#[cfg(feature = "details")]
pub(crate) const fn user(desk: &Desk) -> &SingleUserStore<4> {
    &desk.store
}

/// Creates a desk whose user has set nothing.
#[cfg(feature = "scenario")]
pub(crate) const fn desk() -> Desk {
    const OWNER: UserId = UserId::from_bytes([0x11; 16]);
    let store = SingleUserStore::new(OWNER, Policy::DESK);
    #[cfg(feature = "details")]
    let store = WithDetails::new(store, (OWNER, crate::details::LongDetails::new()));
    store
}

/// The environment of a device that knows what time it was at its start.
#[cfg(feature = "details")]
struct Clock;

#[cfg(feature = "details")]
impl Environment for Clock {
    fn epoch(&self) -> Option<u64> {
        Some(1_795_680_000_000)
    }
}

fn context(store: &Desk, now: Instant) -> Context<'static> {
    let context = Context::new(now, Caller::Trusted { me: Some(user(store).id) });
    #[cfg(feature = "details")]
    let context = context.with_environment(&Clock);
    context
}

#[inline(never)]
pub(crate) fn probe_line<K: Writer>(store: &mut Desk, now: Instant, line: &[u8], answer: &mut K) -> bool {
    let context = context(store, now);
    serve_line(Line::parse(line), &context, store, answer, &mut |_, transition| {
        black_box(transition.after());
    })
    .is_ok()
}

#[inline(never)]
pub(crate) fn probe_request<K: Writer>(
    store: &mut Desk,
    now: Instant,
    request: &RawRequest<'_, '_>,
    answer: &mut K,
) -> u16 {
    let context = context(store, now);
    serve(request, &context, store, answer, &mut |_, transition| {
        black_box(transition.after());
    })
}

/// Links the probe of lines: the compiler cannot tell whether it is called, nor with which arguments.
#[cfg(not(feature = "scenario"))]
#[inline(always)]
pub fn drive_lines() -> bool {
    black_box(probe_line as fn(&mut Desk, Instant, &[u8], &mut Buffer<'static>) -> bool);
    true
}

/// Links the probe of requests: the compiler cannot tell whether it is called, nor with which arguments.
#[cfg(not(feature = "scenario"))]
#[inline(always)]
pub fn drive_requests() -> bool {
    black_box(probe_request as fn(&mut Desk, Instant, &RawRequest<'_, '_>, &mut Buffer<'static>) -> u16);
    true
}

/// The requests that are sent: path under `/me/presence`, body, and the expected status.
#[cfg(feature = "scenario")]
macro_rules! transcript {
    ($line:ident) => {
        [
            $line!("/setPresence", r#"{"sessionId":"33333333-5ab4-4529-bffb-cfe50aa89f87","availability":"Available","activity":"Available","expirationDuration":"PT10M"}"#, "200"),
            $line!("/setPresence", r#"{"sessionId":"11111111-5ab4-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InACall","expirationDuration":"PT1H30M"}"#, "200"),
            $line!("/setPresence", r#"{"sessionId":"44444444-5ab4-4529-bffb-cfe50aa89f87","availability":"Away","activity":"Away","expirationDuration":"1:30:00"}"#, "200"),
            $line!("/setPresence", r#"{"sessionId":"\u00322222222-5ab4-4529-bffb-cfe50aa89f87","availability":"DoNotDisturb","activity":"\u0050resenting"}"#, "200"),
            $line!("/setPresence", r#"{"sessionId":"55555555-5ab4-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InACall"}"#, "507"),
            $line!("/setUserPreferredPresence", r#"{"availability":"Busy","activity":"Busy","expirationDuration":"P1D"}"#, "200"),
            $line!("/setUserPreferredPresence", r#"{"availability":"Available","activity":"Busy"}"#, "400"),
            $line!("/setUserPreferredPresence", r#"{"availability":"Available"}"#, "400"),
            $line!("", "", "200"),
            $line!("/clearUserPreferredPresence", "{}", "200"),
            $line!("/clearPresence", r#"{"sessionId":"11111111-5ab4-4529-bffb-cfe50aa89f87"}"#, "200"),
            $line!("/clearPresence", r#"{"sessionId":"11111111-5ab4-4529-bffb-cfe50aa89f87"}"#, "404"),
            $line!("/nothing", "{}", "404"),
        ]
    };
}

/// Plays the transcript twice, the second time with everything overdue, and reports whether every status was expected.
#[cfg(feature = "scenario")]
#[inline(always)]
pub fn drive_lines() -> bool {
    macro_rules! line {
        ($path:literal, "", $status:literal) => {
            (concat!(r#"{"id":"1","method":"GET","url":"/v1.0/me/presence"#, $path, r#""}"#), $status)
        };
        ($path:literal, $body:literal, $status:literal) => {
            (
                concat!(
                    r#"{"id":"1","method":"POST","url":"/v1.0/me/presence"#,
                    $path,
                    r#"","headers":{"Content-Type":"application/json"},"body":"#,
                    $body,
                    "}"
                ),
                $status,
            )
        };
    }
    let mut store = desk();
    let store = black_box(&mut store);
    let mut good = true;
    for secs in [1, 1_000_000] {
        for (line, status) in transcript!(line) {
            let mut bytes = [0; 320];
            let mut answer = Buffer::new(&mut bytes);
            good &= probe_line(store, black_box(Instant::from_secs(secs)), black_box(line.as_bytes()), &mut answer);
            good &= answer
                .written()
                .get(br#"{"id":"1","status":"#.len()..)
                .is_some_and(|rest| rest.starts_with(status.as_bytes()));
        }
    }
    good
}

/// Plays the same over HTTP.
#[cfg(feature = "scenario")]
#[inline(always)]
pub fn drive_requests() -> bool {
    macro_rules! request {
        ($path:literal, "", $status:literal) => {
            ("GET", concat!("/v1.0/me/presence", $path), "", $status)
        };
        ($path:literal, $body:literal, $status:literal) => {
            ("POST", concat!("/v1.0/me/presence", $path), $body, $status)
        };
    }
    let mut store = desk();
    let store = black_box(&mut store);
    let mut good = true;
    for secs in [1, 1_000_000] {
        for (method, target, body, status) in transcript!(request) {
            let mut bytes = [0; 320];
            let mut answer = Buffer::new(&mut bytes);
            let content_type = Some("application/json; charset=utf-8");
            let request =
                black_box(RawRequest::new(method, target).with_content_type(content_type).with_body(body.as_bytes()));
            let given = probe_request(store, black_box(Instant::from_secs(secs)), &request, &mut answer);
            good &= match status {
                "200" => given == 200,
                "400" => given == 400,
                "404" => given == 404,
                _ => given == 507,
            };
        }
    }
    good
}
