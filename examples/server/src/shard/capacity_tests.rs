//! Tests of a start with fewer or more shards, or fewer users, than what is stored needs: it always fits.

use super::creators::Quota;
use super::job::{ActionError, ActionOutcome, Job, OwnedDetailsCommand, UserView};
use super::journal::Journal;
use super::journal_index::JournalIndex;
use super::restore;
use super::tests::time;
use super::{Shards, capacity, layout, shard_of};
use crate::clock::Clock;
use crate::clock::Shift;
use crate::metrics::Metrics;
use presence_core::details::DetailsError;
use presence_core::{Command, CommandError, Duration, Instant, Policy, Presence, SessionId, UserId};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot::channel;

/// A state with the default number of sessions of a user.
type State = super::state::State<8>;

const MAX_SHARDS: usize = 5;
const USERS: usize = 60;
/// The application that all users count for.
const CREATOR: Option<SessionId> = Some(SessionId::from_bytes([9; 16]));
/// The error of a new user for whom there is no slot.
const FULL: ActionOutcome = Err(ActionError::Command(CommandError::UsersFull));

fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

fn user(number: u32) -> UserId {
    format!("{number:08x}-0000-4000-8000-{:012x}", u64::from(number) * 0x9E37_79B9).parse().unwrap()
}

/// A quota that limits no application: these tests are about the limit of all users.
fn quota() -> Arc<Quota> {
    Arc::new(Quota::new(usize::MAX))
}

fn set(lease: u64) -> Command<SessionId> {
    let (session, lease) = (SessionId::from_bytes([9; 16]), Some(Duration::from_secs(lease)));
    Command::SetPresence { session, presence: Presence::InACall, lease }
}

/// Shards on the data in a directory. The lock is released with it.
struct Running {
    shards: Shards,
    _lock: std::fs::File,
}

impl Running {
    fn start(directory: &Path, shards: usize, users: usize, now: Instant) -> Self {
        let data = layout::open(directory, shards).unwrap();
        let clock = Arc::new(Clock::virtual_at(now));
        let journals = data.journals.into_iter().map(Some).collect();
        let shards = Shards::start(journals, users, 8, &quota(), &clock, &Arc::new(Metrics::new())).unwrap();
        Self { shards, _lock: data.lock }
    }

    fn ask<T>(&self, user: UserId, job: impl FnOnce(tokio::sync::oneshot::Sender<T>) -> Job) -> T {
        let (to, response) = channel();
        self.shards.send(self.shards.of(user), job(to)).unwrap();
        response.blocking_recv().unwrap()
    }

    fn execute(&self, user: UserId, command: Command<SessionId>) -> ActionOutcome {
        self.ask(user, |to| Job::Execute(user, command, &Policy::GRAPH, CREATOR, to))
    }

    fn set_message(&self, user: UserId, text: &str, until: Instant) -> ActionOutcome {
        let command = OwnedDetailsCommand::SetStatusMessage(text.to_owned(), until);
        self.ask(user, |to| Job::ExecuteDetails(user, Box::new(command), Shift::default(), CREATOR, to))
    }

    fn read(&self, user: UserId) -> UserView {
        self.ask(user, |to| Job::Read(user, to))
    }

    /// Returns what a read shows of users.
    fn shown(&self, users: &[UserId]) -> Vec<(Presence, u64, Option<String>)> {
        users
            .iter()
            .map(|user| {
                let view = self.read(*user);
                let details = view.details.map(|details| format!("{details:?}"));
                (view.presence, view.version, details)
            })
            .collect()
    }

    fn stop(self) {
        self.shards.stop();
    }
}

/// Fills every shard with users of all kinds, until none takes another, and returns those of whom something is stored.
fn fill(running: &Running) -> Vec<UserId> {
    let mut stored = Vec::new();
    for number in 0..2000 {
        let user = user(number);
        let is_stored = match number % 3 {
            0 => running.execute(user, set(3600)).is_ok(),
            1 => running.set_message(user, "away", Instant::NEVER).is_ok(),
            _ => running.execute(user, set(3600)).is_ok() && running.set_message(user, "x", at(5000)).is_ok(),
        };
        stored.extend(is_stored.then_some(user));
    }
    stored
}

#[test]
fn a_full_server_starts_with_every_number_of_shards_and_any_limit() {
    let own = tempfile::TempDir::new().unwrap();
    for before in 1..=MAX_SHARDS {
        let directory = own.path().join(before.to_string());
        let running = Running::start(&directory, before, USERS, at(100));
        let users = fill(&running);
        assert_eq!(users.len(), capacity(USERS, before) * before, "it is full");
        let shown = running.shown(&users);
        running.stop();
        for (after, limit) in (1..=MAX_SHARDS).rev().zip([1, USERS, 7, 1, USERS]) {
            let running = Running::start(&directory, after, limit, at(100));
            assert_eq!(running.shown(&users), shown, "{before} shards, then {after} with {limit} users");
            running.stop();
        }
    }
}

/// Anyone may choose ids that all belong to one shard.
#[test]
fn users_that_all_hash_to_one_shard_fit_into_it() {
    let own = tempfile::TempDir::new().unwrap();
    let running = Running::start(own.path(), 1, USERS, at(100));
    let users: Vec<_> = (0..).map(user).filter(|user| shard_of(*user, 4) == 2).take(USERS).collect();
    users.iter().for_each(|user| running.execute(*user, set(3600)).unwrap());
    let shown = running.shown(&users);
    running.stop();
    let running = Running::start(own.path(), 4, USERS, at(100));
    assert_eq!(running.shown(&users), shown);
    assert!(USERS > capacity(USERS, 4), "the shard holds more than its share");
    let another = (10_000..).map(user).find(|user| shard_of(*user, 4) == 2).unwrap();
    assert_eq!(running.execute(another, set(300)), FULL);
    running.stop();
}

/// A start moves the users to other journals first. A kill leaves some of the new ones, or all, or the old ones too.
#[test]
fn a_kill_in_the_middle_of_a_move_loses_nothing() {
    let own = tempfile::TempDir::new().unwrap();
    let (original, moved) = (own.path().join("original"), own.path().join("moved"));
    let running = Running::start(&original, 3, USERS, at(100));
    let users = fill(&running);
    let shown = running.shown(&users);
    running.stop();
    let copy = |from: &Path, to: &Path| {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    };
    copy(&original, &moved);
    Running::start(&moved, 2, 1, at(100)).stop();
    let names = |directory: &Path| {
        let names =
            std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("journal-")).collect::<Vec<_>>()
    };
    assert_eq!((names(&original).len(), names(&moved).len()), (3, 2));
    let cut = |path: &Path, part: u64| {
        let len = std::fs::metadata(path).unwrap().len();
        std::fs::File::options().write(true).open(path).unwrap().set_len(len * part / 4).unwrap();
    };
    // The number of shards decides which journals count; the others are whole, cut off, or only a part of them is there.
    for (number, part) in [(3, 0), (3, 1), (3, 3), (3, 4), (2, 4), (2, 1)] {
        for others in 1..=2 {
            let directory = own.path().join(format!("killed-{number}-{part}-{others}"));
            copy(&original, &directory);
            copy(&moved, &directory);
            std::fs::write(directory.join("shards"), format!("{number}\n")).unwrap();
            for (index, name) in
                names(&directory).iter().filter(|name| !name.starts_with(&format!("journal-{number}"))).enumerate()
            {
                if index < others {
                    cut(&directory.join(name), part);
                } else {
                    std::fs::remove_file(directory.join(name)).unwrap();
                }
            }
            for shards in [2, 1, 3] {
                let running = Running::start(&directory, shards, 1, at(100));
                assert_eq!(running.shown(&users), shown, "{number} {part} {others}: {shards}");
                running.stop();
            }
        }
    }
}

/// New users are limited as asked, however many there are: commands that store nothing are not rejected.
#[test]
fn s9_new_users_are_limited_until_fewer_are_stored() {
    let own = tempfile::TempDir::new().unwrap();
    let running = Running::start(own.path(), 1, 4, at(100));
    let [ada, bob, cleo, dan, eve] = [1, 2, 3, 4, 5].map(user);
    running.execute(ada, set(3600)).unwrap();
    running.execute(bob, set(3600)).unwrap();
    running.set_message(cleo, "away", Instant::NEVER).unwrap();
    running.execute(dan, set(300)).unwrap();
    running.stop();

    let running = Running::start(own.path(), 1, 2, at(200));
    assert_eq!(
        running.shown(&[ada, bob, cleo, dan]).iter().filter(|shown| shown.1 > 0 || shown.2.is_some()).count(),
        4
    );
    let assert_full = || {
        assert_eq!(running.execute(eve, set(300)), FULL);
        assert_eq!(running.set_message(eve, "x", Instant::NEVER), Err(DetailsError::UsersFull.into()));
        assert_eq!(running.set_message(eve, "", Instant::NEVER), Ok(()), "it stores nothing");
        assert_eq!(running.set_message(eve, "x", at(1)), Ok(()), "it has expired");
        assert_eq!(running.execute(eve, Command::ClearPreferredPresence), Ok(()));
        let clear = Command::ClearPresence { session: SessionId::from_bytes([9; 16]) };
        assert_eq!(running.execute(eve, clear), Err(CommandError::NotFound.into()));
        let short = Command::SetPresence {
            session: SessionId::from_bytes([1; 16]),
            presence: Presence::Away,
            lease: Some(Duration::from_secs(1)),
        };
        assert_eq!(running.execute(eve, short), Err(CommandError::Lease.into()), "the first error counts");
        assert_eq!(running.read(eve).version, 0);
    };
    assert_full();
    // Those who are stored go on as before.
    running.execute(ada, set(3600)).unwrap();
    running.set_message(ada, "hello", Instant::NEVER).unwrap();
    running.execute(cleo, set(3600)).unwrap();
    // One leaves by himself, and may not come back either.
    running.ask(dan, |to| Job::Advance(at(500), to));
    assert_eq!(running.read(dan).presence, Presence::Offline);
    assert_full();
    assert_eq!(running.execute(dan, set(300)), FULL);
    let session = SessionId::from_bytes([9; 16]);
    running.execute(bob, Command::ClearPresence { session }).unwrap();
    assert_full();
    // Two are left of two, then one.
    running.execute(cleo, Command::ClearPresence { session }).unwrap();
    running.set_message(cleo, "", Instant::NEVER).unwrap();
    running.execute(eve, set(300)).unwrap();
    assert_eq!(running.execute(dan, set(300)), FULL);
    assert_eq!(running.read(eve).presence, Presence::InACall);
    // A restart has room for them, and nothing to grow for.
    running.stop();
    let running = Running::start(own.path(), 1, 2, at(500));
    assert_eq!(running.shown(&[ada, eve]).iter().filter(|shown| shown.0 == Presence::InACall).count(), 2);
    assert_eq!(running.execute(dan, set(300)), FULL);
    running.stop();
}

/// Users who have expired need no slot, whatever is left of them in the journal.
#[test]
fn s9_a_directory_grows_only_to_what_is_left() {
    let own = tempfile::TempDir::new().unwrap();
    let running = Running::start(own.path(), 1, USERS, at(100));
    for number in 0..USERS as u32 {
        let (user, until) = (user(number), 300 * (1 + u64::from(number) % 7));
        match number % 2 {
            0 => running.execute(user, set(until)).unwrap(),
            _ => running.set_message(user, "x", at(100 + until)).unwrap(),
        }
    }
    running.stop();
    let path = own.path().join("journal-1-0.sqlite");
    for (now, limit) in [(100, 1), (500, 1), (500, 60), (900, 10), (1300, 60), (2199, 1), (2200, 1)] {
        let journal = Journal::open(&path).unwrap();
        let left = (0..USERS as u64).filter(|number| 100 + 300 * (1 + number % 7) > now).count();
        let (state, _) = restore::load_all(&journal, State::new(limit, quota()), time(at(now))).unwrap();
        assert_eq!((state.stored_users(), state.users.capacity()), (left, left.max(limit)), "{limit} at {now}");
    }
    let journal = Journal::open(&path).unwrap();
    let mut index = JournalIndex::new(3);
    let outcome = restore::load(&journal, &mut State::new(3, quota()), &mut index, time(at(100)));
    assert!(matches!(outcome, Err(restore::LoadError::Full)), "without growing it would not fit");
}
