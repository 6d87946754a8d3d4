//! One user behind the wire.

use core::hint::black_box;
#[cfg(feature = "details")]
use presence_core::details::{DetailsCommand, DetailsError, DetailsView, decide_details, next_due_details};
#[cfg(feature = "details")]
use presence_core::graph::Environment;
use presence_core::graph::{
    Buffer, Caller, Context, Line, RawRequest, SingleUserStore, Store, Writer, serve, serve_line,
};
use presence_core::{Command, CommandError, Instant, Policy, Presence, SessionId, Transition, UserId};

/// A store of one user, as a device on a desk has it.
#[cfg_attr(feature = "every", derive(Clone))]
pub struct Desk {
    one: SingleUserStore<4>,
    #[cfg(feature = "details")]
    details: crate::details::LongDetails,
}

#[cfg(feature = "scenario")]
impl Desk {
    /// Creates a desk whose user has set nothing.
    pub(crate) const fn new() -> Self {
        Self {
            one: SingleUserStore::new(UserId::from_bytes([0x11; 16]), Policy::DESK),
            #[cfg(feature = "details")]
            details: crate::details::LongDetails::new(),
        }
    }

    /// Reports whether the user has one of these numbers of sessions.
    #[cfg(feature = "every")]
    pub(crate) fn is_one_of(&self, counts: &[usize]) -> bool {
        counts.contains(&self.one.user.user().sessions().len())
    }
}

impl Store for Desk {
    fn policy(&self) -> &Policy {
        self.one.policy()
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        self.one.read(now, user)
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        self.one.execute(now, user, command, changes)
    }

    #[cfg(feature = "details")]
    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(DetailsView<'_>)) {
        if user == self.one.id {
            read(self.details.view_at(now));
        }
    }

    #[cfg(feature = "details")]
    fn execute_details(&mut self, now: Instant, user: UserId, command: DetailsCommand<'_>) -> Result<(), DetailsError> {
        if user != self.one.id {
            return Err(DetailsError::Unsupported);
        }
        while let Some(ref transition) = next_due_details(&self.details, now) {
            if self.details.apply(transition).is_err() {
                break;
            }
        }
        let Ok(at) = self.details.at(now) else { return Ok(()) };
        if let Some(ref transition) = decide_details(at, command)? {
            // A transition that was decided about these details applies to them.
            let _ = self.details.apply(transition);
        }
        Ok(())
    }
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
    let context = Context::new(now, Caller::Trusted { me: Some(store.one.id) });
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
    let mut store = Desk::new();
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
    let mut store = Desk::new();
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
