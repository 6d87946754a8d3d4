//! Does one operation a thousand times, for valgrind to count instructions: `instructions OPERATION USERS`. Only those of
//! `counted` count; two hundred operations before that warm up. `instructions reject-KIND BYTES` rejects a mebibyte in bodies of
//! so many bytes.

use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory, Progress};
use presence_core::graph::{Buffer, Caller, Context, RawRequest, serve};
use presence_core::{Command, Duration, Instant, Policy, Presence, SessionId, UserId};
use std::hint::black_box;
use std::ops::Range;

const SESSIONS: usize = 3;

fn id(number: u64) -> UserId {
    let spread = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    UserId::from_bytes((u128::from(spread) << 64 | u128::from(spread.rotate_left(17) ^ number)).to_be_bytes())
}

fn set(application: u8, minutes: u64) -> Command<SessionId> {
    let presence = [Presence::Available, Presence::Away, Presence::InACall][usize::from(application) % 3];
    let lease = Some(Duration::from_mins(minutes));
    Command::SetPresence { session: SessionId::from_bytes([application; 16]), presence, lease }
}

fn clear(application: u8) -> Command<SessionId> {
    Command::ClearPresence { session: SessionId::from_bytes([application; 16]) }
}

struct Bench {
    directory: BoxedDirectory<UserId, SessionId, SESSIONS>,
    operation: String,
    users: u64,
    seed: u64,
}

impl Bench {
    fn new(operation: String, users: u64) -> Self {
        let capacity = usize::try_from(users).expect("users");
        let mut directory = Directory::new(BoxedMemory::new(capacity), Policy::GRAPH);
        for user in 0..users {
            for application in 0..SESSIONS as u8 {
                // Leases of different lengths, as they are in the field.
                let command = set(application, 60 + (user * 7 + u64::from(application)) % 60);
                directory.execute(Instant::ZERO, id(user), command, |_, _| {}).expect("room");
            }
        }
        Self { directory, operation, users, seed: 1 }
    }

    fn user(&mut self) -> UserId {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        id((self.seed >> 33) % self.users)
    }

    fn operate(&mut self, times: Range<u64>) {
        let start = Instant::from_secs(1);
        for time in times {
            let application = (time % 3) as u8;
            let user = self.user();
            let directory = &mut self.directory;
            match self.operation.as_str() {
                "keep-alive" => drop(black_box(directory.execute(start, user, set(application, 200), |_, _| {}))),
                "read" => drop(black_box(directory.presence(start, user))),
                "explain" => drop(black_box(directory.explain(start, user))),
                "clear-and-set" => {
                    let _ = black_box(directory.execute(start, user, clear(application), |_, _| {}));
                    let _ = black_box(directory.execute(start, user, set(application, 200), |_, _| {}));
                }
                "preferred" => {
                    directory.set_preferred_presence(start, user, Presence::Busy, None, |_, _| {}).expect("valid");
                    directory.clear_preferred_presence(start, user, |_, _| {});
                }
                // Everything expires: as many calls as one transition takes.
                "advance" => loop {
                    match directory.advance(Instant::from_secs(100_000)) {
                        Progress::Changed { .. } => break,
                        Progress::Working => {}
                        Progress::Idle { .. } => panic!("nothing left to do"),
                    }
                },
                "batch-of-64" => {
                    let commands: [_; 64] = std::array::from_fn(|index| (self.user(), set((index % 3) as u8, 200)));
                    self.directory.execute_batch(
                        start,
                        &commands,
                        |_, _| {},
                        |_, outcome| {
                            let _ = black_box(outcome);
                        },
                    );
                }
                other => panic!("no operation {other}"),
            }
        }
    }
}

#[inline(never)]
fn counted(bench: &mut Bench) {
    bench.operate(200..1200);
}

const SET: &str = "/users/11111111-1111-4111-8111-111111111111/presence/setPresence";

/// Returns the path for a body that is never right, and how it begins and goes on.
fn hostile(kind: &str) -> (&'static str, &'static str, &'static str) {
    match kind {
        "spaces" => (SET, "", " "),
        "escapes" => (SET, r#"{"a":""#, r"\u0041"),
        "members" => (SET, "{", r#""a":0,"#),
        "numbers" => (SET, r#"{"a":["#, "0,"),
        "ids" => ("/communications/getPresencesByUserId", r#"{"ids":["#, r#""x","#),
        "batch" => ("/$batch", r#"{"requests":["#, "{},"),
        other => panic!("no kind of body {other}"),
    }
}

type Users = BoxedDirectory<UserId, SessionId, SESSIONS>;

#[inline(never)]
fn counted_rejections(request: &RawRequest<'_, '_>, users: &mut Users, response: &mut [u8], times: usize) {
    let context = Context::new(Instant::ZERO, Caller::Trusted { me: None });
    for _ in 0..times {
        let status = serve(request, &context, users, &mut Buffer::new(response), &mut |_, _| {});
        assert_eq!(black_box(status), 400);
    }
}

fn reject(kind: &str, bytes: usize) {
    let (path, begin, again) = hostile(kind);
    let body = begin.to_owned() + &again.repeat((bytes - begin.len()) / again.len());
    let request = RawRequest::new("POST", path).with_content_type(Some("application/json")).with_body(body.as_bytes());
    let mut users: Users = Directory::new(BoxedMemory::new(1), Policy::GRAPH);
    counted_rejections(&request, &mut users, &mut vec![0; 65_536], RawRequest::MAX_BODY / bytes);
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let Some(operation) = arguments.next() else { return };
    let users = arguments.next().and_then(|number| number.parse().ok()).expect("a number of users");
    if let Some(kind) = operation.strip_prefix("reject-") {
        return reject(kind, usize::try_from(users).expect("bytes"));
    }
    let mut bench = Bench::new(operation, users);
    bench.operate(0..200);
    counted(&mut bench);
}
