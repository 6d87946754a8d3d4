//! The time of one operation on a directory, from a handful of users to a million. `cargo bench`.

use divan::Bencher;
use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory};
use presence_core::{Command, Duration, Instant, Policy, Presence, SessionId, UserId};

const USERS: [usize; 4] = [16, 1000, 100_000, 1_000_000];
const SESSIONS: usize = 3;

type Full = BoxedDirectory<UserId, SessionId, SESSIONS>;

/// A small generator of numbers, the same ones at each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn user(&mut self, users: usize) -> UserId {
        id(self.next() % users as u64)
    }
}

/// Returns the id of a user, spread as GUIDs are.
fn id(number: u64) -> UserId {
    let spread = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    UserId::from_bytes((u128::from(spread) << 64 | u128::from(spread.rotate_left(17) ^ number)).to_be_bytes())
}

const fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

fn keep_alive(number: u8) -> Command<SessionId> {
    let presence = [Presence::Available, Presence::Away, Presence::InACall][number as usize % 3];
    Command::SetPresence { session: session(number), presence, lease: Some(Duration::from_hours(1)) }
}

/// Creates a directory in which every user has every session.
fn full(users: usize) -> Full {
    let mut directory = Directory::new(BoxedMemory::new(users), Policy::GRAPH);
    for number in 0..users as u64 {
        for application in 0..SESSIONS as u8 {
            directory.execute(Instant::ZERO, id(number), keep_alive(application), |_, _| {}).expect("room");
        }
    }
    directory
}

#[divan::bench(args = USERS)]
fn keep_alives(bencher: Bencher, users: usize) {
    let (mut directory, mut random, mut now) = (full(users), Random(1), 0);
    bencher.bench_local(|| {
        now += 1;
        let user = random.user(users);
        directory.execute(Instant::from_millis(now / 100), user, keep_alive(random.next() as u8 % 3), |_, _| {})
    });
}

#[divan::bench(args = USERS)]
fn reads(bencher: Bencher, users: usize) {
    let (directory, mut random) = (full(users), Random(2));
    bencher.bench_local(|| directory.presence(Instant::from_secs(1), random.user(users)));
}

#[divan::bench(args = USERS)]
fn cleared_and_set(bencher: Bencher, users: usize) {
    let (mut directory, mut random) = (full(users), Random(3));
    bencher.bench_local(|| {
        let (user, now) = (random.user(users), Instant::from_secs(1));
        let cleared = directory.clear_presence(now, user, session(2), |_, _| {});
        (cleared, directory.execute(now, user, keep_alive(2), |_, _| {}))
    });
}

/// Measures sixty-four keep-alives at once; compare with sixty-four times one.
#[divan::bench(args = USERS)]
fn batches_of_64_keep_alives(bencher: Bencher, users: usize) {
    let (mut directory, mut random) = (full(users), Random(4));
    let mut commands = [(id(0), keep_alive(0)); 64];
    bencher.counter(64usize).bench_local(|| {
        for command in &mut commands {
            *command = (random.user(users), keep_alive(random.next() as u8 % 3));
        }
        directory.execute_batch(
            Instant::from_secs(1),
            &commands,
            |_, _| {},
            |_, outcome| divan::black_box_drop(outcome),
        );
    });
}

#[divan::bench(args = USERS)]
fn advances_with_nothing_due(bencher: Bencher, users: usize) {
    let mut directory = full(users);
    bencher.bench_local(|| directory.advance(Instant::from_secs(1)));
}

fn main() {
    divan::main();
}
