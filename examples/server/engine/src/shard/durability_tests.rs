//! Random histories of a data directory, compared with a model that knows nothing of journals, shards and slots.
//!
//! After every step each user is compared: idle, erased and forgotten ones too, with versions, explanations, details and the
//! application that it counts for. Starts come in between: after a stop, after a kill, or on a restored backup, with other shards,
//! another `--users`, and a disk without room for a move.

mod known;

use super::creators::Quota;
use super::job::{ActionError, ActionOutcome, Job, OwnedDetailsCommand};
use super::running::{NO_ROOM, Running};
use crate::backup::{Backups, State, restore};
use crate::clock::Shift;
use crate::data::moves::System;
use crate::data::spread::Key;
use known::{Known, session};
use presence_core::details::DetailsError;
use presence_core::{Command, CommandError, Instant, Presence, SessionId, UserId};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::model::details::{Update, update};
use support::model::{Millis, Rules, cases, graph, random};

/// The users of a history.
const USERS: u8 = 16;
/// The sessions that they may have, one more than fit.
const MAX_SESSIONS: usize = 8;
const SESSIONS: u8 = MAX_SESSIONS as u8 + 1;
/// The times for which a keep-alive is sent, so that the journal is compacted.
const KEPT_ALIVE: usize = 64;
const MOST_TEXT: usize = 4096;
const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;

/// Something that happens to a server.
#[derive(Clone, Debug)]
enum Step {
    Command {
        user: u8,
        command: Command<u8>,
        caller: u8,
    },
    Update {
        user: u8,
        update: Update,
        caller: u8,
    },
    Erase(u8),
    SignOut(u8),
    /// Earlier rows of all users are reviewed meanwhile.
    KeepAlive(u8),
    Advance(u64),
    Start(Start),
}

/// What a start is on.
#[derive(Clone, Copy, Debug)]
enum On {
    /// What a stop has left.
    Stop,
    /// What a kill has left.
    Kill,
    /// A backup, made last and restored.
    Backup,
}

/// A start after some time.
#[derive(Clone, Copy, Debug)]
struct Start {
    shards: usize,
    users: usize,
    users_per_application: usize,
    on: On,
    has_room: bool,
    down: u64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Some users are busy, so that their versions are far from each other.
    let user = || prop_oneof![3 => 0..3u8, 5 => 0..USERS];
    let lengths = std::rc::Rc::new(proptest::sample::select(&[0, 1, 300 * SECOND, HOUR, 9 * HOUR, u64::MAX][..]));
    let updates = update(&["", "away", "back soon 🦀"], lengths);
    let step = prop_oneof![
        12 => (user(), random::command(SESSIONS), 0..3u8)
            .prop_map(|(user, command, caller)| Step::Command { user, command, caller }),
        6 => (user(), updates, 0..3u8).prop_map(|(user, update, caller)| Step::Update { user, update, caller }),
        1 => user().prop_map(Step::Erase),
        1 => user().prop_map(Step::SignOut),
        1 => user().prop_map(Step::KeepAlive),
        3 => proptest::sample::select(&[1, 299_999, 300 * SECOND, 600 * SECOND, HOUR, 5 * HOUR, 200 * HOUR][..])
            .prop_map(Step::Advance),
        2 => start().prop_map(Step::Start),
    ];
    prop::collection::vec(step, 1..100)
}

fn start() -> impl Strategy<Value = Start> {
    let users = proptest::sample::select(&[1, 5, 12, 64][..]);
    let each = proptest::sample::select(&[2, 64, 64][..]);
    let down = proptest::sample::select(&[0, 0, 1, 300 * SECOND, HOUR, 9 * HOUR][..]);
    let on = proptest::sample::select(&[On::Stop, On::Kill, On::Backup][..]);
    (1..=4usize, users, each, on, prop::bool::weighted(0.8), down).prop_map(
        |(shards, users, users_per_application, on, has_room, down)| Start {
            shards,
            users,
            users_per_application,
            on,
            has_room,
            down,
        },
    )
}

const BEGIN: Start = Start { shards: 2, users: 64, users_per_application: 64, on: On::Stop, has_room: true, down: 0 };

/// A server on a directory of data, and the model of it.
struct Both {
    own: tempfile::TempDir,
    /// The directories that the server has had; a killed one leaves its own as it was.
    starts: usize,
    running: Option<Running>,
    rules: Rules,
    now: u64,
    /// The most users that new ones may make it.
    limit: usize,
    /// The most users that new ones may make it for one application.
    limit_each: usize,
    users: Vec<Known>,
    /// True if slots have ever been fewer than users, so that idle ones may have been forgotten.
    is_scarce: bool,
}

fn id(user: u8) -> UserId {
    UserId::from_bytes([user; 16])
}

fn caller(number: u8) -> Option<SessionId> {
    (number > 0).then(|| session(100 + number))
}

fn with_sessions(command: Command<u8>) -> Command<SessionId> {
    match command {
        Command::SetPresence { session: number, presence, lease } => {
            Command::SetPresence { session: session(number), presence, lease }
        }
        Command::ClearPresence { session: number } => Command::ClearPresence { session: session(number) },
        Command::SetPreferredPresence { presence, duration } => Command::SetPreferredPresence { presence, duration },
        Command::ClearPreferredPresence => Command::ClearPreferredPresence,
    }
}

impl Both {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        // A kill leaves what is in the system's buffers, so the data needs no disk.
        let own = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let mut both = Self {
            own: own.unwrap(),
            starts: 0,
            running: None,
            rules: graph(),
            now: 1_000_000 * SECOND,
            limit: BEGIN.users,
            limit_each: BEGIN.users_per_application,
            users: vec![Known::default(); USERS.into()],
            is_scarce: false,
        };
        std::fs::create_dir(both.directory()).unwrap();
        both.start(BEGIN);
        both
    }

    fn directory(&self) -> PathBuf {
        self.own.path().join(self.starts.to_string())
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    fn start(&mut self, start: Start) {
        // The same in every run, so that a failure can be repeated.
        let new_key = || Ok(Key::from_bytes([7; 16]));
        let system = System { new_key, ..if start.has_room { System::REAL } else { NO_ROOM } };
        let Start { shards, users, users_per_application, .. } = start;
        (self.limit, self.limit_each) = (users, users_per_application);
        self.is_scarce |= users < USERS.into();
        let quota = Arc::new(Quota::new(users_per_application));
        let now = Instant::from_millis(self.now);
        self.running = Some(Running::start_with(&system, &self.directory(), shards, users, &quota, now));
    }

    fn restart(&mut self, start: Start) {
        self.end(start.on);
        self.now += start.down;
        self.start(start);
    }

    /// Ends the server. After a kill it leaves what is stored at some moment after its last response.
    fn end(&mut self, on: On) {
        let running = self.running.take().unwrap();
        match on {
            On::Stop => running.stop(),
            On::Kill => {
                let left = stored(&self.directory());
                running.stop();
                self.starts += 1;
                std::fs::create_dir(self.directory()).unwrap();
                for (name, bytes) in left {
                    std::fs::write(self.directory().join(name), bytes).unwrap();
                }
            }
            On::Backup => {
                let backups = Backups::new(&self.directory(), &self.own.path().join("backups"));
                let made = match backups.make(&backups.begin().unwrap(), &running.shards) {
                    State::Complete(made) => made,
                    state => panic!("{state:?}"),
                };
                running.stop();
                self.starts += 1;
                let restored = restore(&made.path, &self.directory()).unwrap();
                assert_eq!(restored.created, made.created);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Command { user, command, caller: by } => {
                let outcome = self.running().execute_as(id(*user), with_sessions(*command), caller(*by));
                assert_eq!(outcome, self.command(*user, *command, caller(*by)));
            }
            Step::Update { user, update, caller: by } => {
                let command = OwnedDetailsCommand::from_command(update.command(self.now));
                let job = |to| Job::ExecuteDetails(id(*user), Box::new(command), Shift::default(), caller(*by), to);
                assert_eq!(self.running().ask(id(*user), job), self.update(*user, update, caller(*by)));
            }
            Step::Erase(user) => {
                assert_eq!(self.running().ask(id(*user), |to| Job::Erase(id(*user), to)), Ok(()));
                self.known(*user).erase();
            }
            Step::SignOut(user) => {
                let outcome = self.running().ask(id(*user), |to| Job::SignOut(id(*user), to));
                assert_eq!(outcome, self.sign_out(*user));
            }
            Step::KeepAlive(user) => {
                let command = Command::SetPresence { session: 0, presence: Presence::Available, lease: None };
                for outcome in self.running().execute_all(&[id(*user); KEPT_ALIVE], with_sessions(command)) {
                    assert_eq!(outcome, self.command(*user, command, super::running::CREATOR));
                }
            }
            Step::Advance(by) => {
                self.now += by;
                self.running().advance(Instant::from_millis(self.now));
            }
            Step::Start(start) => self.restart(*start),
        }
        self.compare(matches!(step, Step::Start(_)));
    }

    /// Returns a user of the model, up to date.
    fn known(&mut self, user: u8) -> &mut Known {
        let Self { users, rules, now, .. } = self;
        let known = &mut users[usize::from(user)];
        known.advance(rules, *now);
        known
    }

    /// Returns the outcome for a new user of its application's limit, and whether that of all users is reached. Neither is a matter
    /// of a user of whom something is stored.
    fn limits(&mut self, user: u8, caller: Option<SessionId>) -> (ActionOutcome, bool) {
        for user in 0..USERS {
            self.known(user);
        }
        let known = &self.users[usize::from(user)];
        if !known.is_empty() {
            return (Ok(()), false);
        }
        let stored = self.users.iter().filter(|known| !known.is_empty()).count();
        let of_caller = self.users.iter().filter(|known| known.creator == caller).count();
        let is_full = caller.is_some() && of_caller >= self.limit_each;
        (if is_full { Err(ActionError::ApplicationFull) } else { Ok(()) }, stored >= self.limit)
    }

    fn command(&mut self, user: u8, command: Command<u8>, caller: Option<SessionId>) -> ActionOutcome {
        let ((application, is_full), rules) = (self.limits(user, caller), self.rules.clone());
        if matches!(command, Command::SetPresence { .. } | Command::SetPreferredPresence { .. }) {
            application?;
        }
        let now = Millis::from(self.now);
        let known = self.known(user);
        let mut changed = known.user.clone();
        if changed.command(&rules, MAX_SESSIONS, now, command)?.is_some() {
            if is_full {
                return Err(CommandError::UsersFull.into());
            }
            known.act(caller, |known| known.user = changed);
        }
        Ok(())
    }

    fn update(&mut self, user: u8, update: &Update, caller: Option<SessionId>) -> ActionOutcome {
        let ((application, is_full), now) = (self.limits(user, caller), self.now);
        let known = self.known(user);
        let mut changed = known.details.clone();
        changed.update(now, MOST_TEXT, update);
        if !changed.is_empty() {
            application?;
            if is_full {
                return Err(DetailsError::UsersFull.into());
            }
        }
        known.act(caller, |known| known.details = changed);
        Ok(())
    }

    fn sign_out(&mut self, user: u8) -> ActionOutcome {
        let (rules, now) = (self.rules.clone(), Millis::from(self.now));
        let known = self.known(user);
        if known.is_empty() {
            return Err(ActionError::UnknownUser);
        }
        let mut sessions: Vec<_> =
            known.user.sessions.iter().map(|(id, session)| (session.presence(&rules), *id)).collect();
        sessions.sort_unstable();
        known.act(None, |known| {
            for (_, session) in sessions {
                known.user.command(&rules, MAX_SESSIONS, now, Command::ClearPresence { session }).unwrap();
            }
        });
        Ok(())
    }

    /// Compares all users with the model, after a start or another step.
    fn compare(&mut self, is_start: bool) {
        let ids: Vec<_> = (0..USERS).map(id).collect();
        let (listed, shown) = (self.running().list(), self.running().read_all(&ids));
        let (rules, limit, is_scarce) = (self.rules.clone(), self.limit, self.is_scarce);
        let (mut held_before, mut held) = (0, 0);
        for (user, shown) in (0..USERS).zip(&shown) {
            let known = self.known(user);
            held_before += usize::from(!known.is_unknown());
            known.follow_eviction(limit < USERS.into(), is_start, shown);
            held += usize::from(!known.is_unknown());
            known.compare(&rules, is_scarce, shown);
            let entry = listed.iter().find(|entry| entry.view.user == id(user));
            assert_eq!(entry.is_some(), !known.is_empty(), "whether {user} is listed");
            assert_eq!(entry.and_then(|entry| entry.creator), known.creator, "the application of {user}");
        }
        assert!(held >= limit.min(held_before), "{held} of {held_before} users are left, with slots for {limit}");
    }
}

/// Reads the files of a directory until they stay as they are meanwhile: then they are what a kill leaves.
fn stored(directory: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let read = || -> Vec<_> {
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
        let files = entries.filter_map(|entry| Some((entry.file_name(), std::fs::read(entry.path()).ok()?)));
        let mut files: Vec<_> = files.collect();
        files.sort();
        files
    };
    let mut found = read();
    loop {
        let next = read();
        if next == found {
            return found;
        }
        found = next;
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn every_user_is_as_the_model_says_whatever_happens_to_the_server(steps in steps()) {
        let mut both = Both::new();
        steps.iter().for_each(|step| both.step(step));
        both.end(On::Stop);
    }
}

/// Plays a history in which one user has changed its message five times when both its message and its session expire, at a start
/// with a single slot, which another user has.
fn play_forgotten_with_details(then: &[Step]) {
    let set = Command::SetPresence { session: 0, presence: Presence::Available, lease: None };
    let say =
        |text: &str, length| Step::Update { user: 1, update: Update::Message(text.to_owned(), length), caller: 0 };
    let mut steps = Vec::from(["1", "2", "3", "4", "5"].map(|text| say(text, HOUR)));
    steps.push(Step::Update { user: 2, update: Update::OutOfOffice(true, "away".to_owned()), caller: 0 });
    steps.push(Step::Command { user: 1, command: set, caller: 0 });
    steps.push(Step::Start(Start { shards: 1, users: 1, down: HOUR, ..BEGIN }));
    steps.extend_from_slice(then);
    steps.push(Step::Command { user: 1, command: set, caller: 0 });
    let mut both = Both::new();
    steps.iter().for_each(|step| both.step(step));
    both.end(On::Stop);
}

#[test]
fn v1_a_user_who_is_forgotten_with_details_goes_on_above_their_version() {
    play_forgotten_with_details(&[Step::Erase(2)]);
}

/// The row of details that have expired is overwritten. A later start with more slots must not find the user without them, for then
/// its version would be one that was shown with something else.
#[test]
fn v1_a_user_who_is_forgotten_with_details_is_not_found_without_them() {
    play_forgotten_with_details(&[Step::Start(Start { shards: 1, users: 5, ..BEGIN })]);
}
