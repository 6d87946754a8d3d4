//! Running shards for tests of whole directories of data, and users to fill them with.

use super::creators::Quota;
use super::job::{ActionError, ActionOutcome, Job, ListedUser, OwnedDetailsCommand, UserExplanation, UserView};
use super::{QUEUE, Shards};
use crate::clock::{Clock, Shift};
use crate::data;
use crate::data::moves::System;
use crate::metrics::Metrics;
use presence_core::{Command, CommandError, Duration, Instant, Policy, Presence, SessionId, UserId};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot::{Receiver, Sender, channel};

pub(super) const MAX_SHARDS: usize = 5;
pub(super) const USERS: usize = 60;
/// The application that all users count for.
pub(super) const CREATOR: Option<SessionId> = Some(SessionId::from_bytes([9; 16]));
/// The error of a new user for whom there is no slot.
pub(super) const FULL: ActionOutcome = Err(ActionError::Command(CommandError::UsersFull));

/// A system without room to move users.
pub(super) const NO_ROOM: System = System { free_bytes: |_| Ok(1 << 16), ..System::REAL };

pub(super) fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

pub(super) fn user(number: u32) -> UserId {
    format!("{number:08x}-0000-4000-8000-{:012x}", u64::from(number) * 0x9E37_79B9).parse().unwrap()
}

/// A quota that limits no application: these tests are about the limit of all users.
pub(super) fn quota() -> Arc<Quota> {
    Arc::new(Quota::new(usize::MAX))
}

pub(super) fn set(lease: u64) -> Command<SessionId> {
    let (session, lease) = (SessionId::from_bytes([9; 16]), Some(Duration::from_secs(lease)));
    Command::SetPresence { session, presence: Presence::InACall, lease }
}

/// Shards on the data in a directory. The lock is released with it.
pub(super) struct Running {
    pub(super) shards: Shards,
    _lock: std::fs::File,
}

impl Running {
    pub(super) fn start(directory: &Path, shards: usize, users: usize, now: Instant) -> Self {
        Self::start_on(&System::REAL, directory, shards, users, now)
    }

    pub(super) fn start_on(system: &System, directory: &Path, shards: usize, users: usize, now: Instant) -> Self {
        Self::start_with(system, directory, shards, users, &quota(), now)
    }

    pub(super) fn start_with(
        system: &System,
        directory: &Path,
        shards: usize,
        users: usize,
        quota: &Arc<Quota>,
        now: Instant,
    ) -> Self {
        Self::try_start_with(system, directory, shards, users, quota, now).unwrap()
    }

    pub(super) fn try_start(
        directory: &Path,
        shards: usize,
        users: usize,
        now: Instant,
    ) -> Result<Self, Box<dyn Error>> {
        Self::try_start_with(&System::REAL, directory, shards, users, &quota(), now)
    }

    fn try_start_with(
        system: &System,
        directory: &Path,
        shards: usize,
        users: usize,
        quota: &Arc<Quota>,
        now: Instant,
    ) -> Result<Self, Box<dyn Error>> {
        let data = data::open_on(system, directory, shards)?;
        let clock = Arc::new(Clock::virtual_at(now));
        let journals = data.journals.into_iter().map(Some).collect();
        let shards = Shards::start(journals, data.spread, users, 8, quota, &clock, &Arc::new(Metrics::default()))?;
        Ok(Self { shards, _lock: data.lock })
    }

    pub(super) fn ask<T>(&self, user: UserId, job: impl FnOnce(Sender<T>) -> Job) -> T {
        self.ask_shard(self.shards.of(user), job).blocking_recv().unwrap()
    }

    fn ask_shard<T>(&self, shard: usize, job: impl FnOnce(Sender<T>) -> Job) -> Receiver<T> {
        let (to, response) = channel();
        self.shards.send(shard, job(to)).unwrap();
        response
    }

    pub(super) fn execute(&self, user: UserId, command: Command<SessionId>) -> ActionOutcome {
        self.execute_as(user, command, CREATOR)
    }

    pub(super) fn execute_as(
        &self,
        user: UserId,
        command: Command<SessionId>,
        creator: Option<SessionId>,
    ) -> ActionOutcome {
        self.ask(user, |to| Job::Execute(user, command, &Policy::GRAPH, creator, to))
    }

    /// Advances the clock of all shards.
    pub(super) fn advance(&self, until: Instant) {
        for shard in 0..self.shards.len() {
            self.ask_shard(shard, |to| Job::Advance(until, to)).blocking_recv().unwrap();
        }
    }

    /// Reads and explains users, all at a time.
    pub(super) fn read_all(&self, users: &[UserId]) -> Vec<(UserView, UserExplanation)> {
        let asked = users.iter().map(|user| {
            let shard = self.shards.of(*user);
            let read = self.ask_shard(shard, |to| Job::Read(*user, to));
            (read, self.ask_shard(shard, |to| Job::Explain(*user, to)))
        });
        let asked: Vec<_> = asked.collect();
        asked.into_iter().map(|(read, why)| (read.blocking_recv().unwrap(), why.blocking_recv().unwrap())).collect()
    }

    /// Lists the users of all shards.
    pub(super) fn list(&self) -> Vec<ListedUser> {
        let mut listed = Vec::new();
        for shard in 0..self.shards.len() {
            let mut next = Some(0);
            while let Some(offset) = next {
                let found = self.ask_shard(shard, |to| Job::List(offset, 100, to)).blocking_recv().unwrap();
                listed.extend(found.users);
                next = found.next;
            }
        }
        listed
    }

    /// Executes a command for many users, many of them at a time.
    pub(super) fn execute_all(&self, users: &[UserId], command: Command<SessionId>) -> Vec<ActionOutcome> {
        let send = |user: &UserId| {
            self.ask_shard(self.shards.of(*user), |to| Job::Execute(*user, command, &Policy::GRAPH, CREATOR, to))
        };
        let chunks = users.chunks(QUEUE / 2).flat_map(|some| {
            let responses: Vec<_> = some.iter().map(send).collect();
            responses.into_iter().map(|response| response.blocking_recv().unwrap())
        });
        chunks.collect()
    }

    pub(super) fn set_message(&self, user: UserId, text: &str, until: Instant) -> ActionOutcome {
        let command = OwnedDetailsCommand::SetStatusMessage(text.to_owned(), until);
        self.ask(user, |to| Job::ExecuteDetails(user, Box::new(command), Shift::default(), CREATOR, to))
    }

    pub(super) fn read(&self, user: UserId) -> UserView {
        self.ask(user, |to| Job::Read(user, to))
    }

    /// Returns what a read shows of users.
    pub(super) fn shown(&self, users: &[UserId]) -> Vec<(Presence, u64, Option<String>)> {
        users
            .iter()
            .map(|user| {
                let view = self.read(*user);
                let details = view.details.map(|details| format!("{details:?}"));
                (view.presence, view.version, details)
            })
            .collect()
    }

    pub(super) fn stop(self) {
        self.shards.stop();
    }
}

/// Fills every shard with users of all kinds, until none takes another, and returns those of whom something is stored.
pub(super) fn fill(running: &Running) -> Vec<UserId> {
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
