//! The engine as an application meets it: [`Engine::open`], calls about users, and the feed of their changes.

#[cfg(test)]
mod copy_tests;
mod options;
mod response;
#[cfg(test)]
mod tests;

pub use options::{OpenError, Options, Store};
pub use response::{CallError, ManyResponses, Response};

use crate::clock::{Clock, StoredClock, follow, wall_clock};
use crate::data;
use crate::data::moves::System;
use crate::data::spread::Spread;
use crate::feed::{FeedEvent, FeedIds, Reader};
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::shard::creators::Quota;
use crate::shard::job::{ActionOutcome, Job, OwnedDetailsCommand, UserExplanation, UserView};
use crate::shard::{Shards, reset_clock, stored_clock};
use presence_core::details::DetailsCommand;
use presence_core::{Command, Instant, Policy, SessionId, UserId};
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot::{Sender, channel};
use tokio::sync::watch;

/// The time after which a full queue is tried again, where a call waits for it.
const RETRY: Duration = Duration::from_millis(1);

/// Users, their sessions and details, in memory and on the disk.
///
/// Calls may be made from any thread and any task; each is a message to the [shard](crate::shard) of its user, and returns at
/// once with a [`Response`] to wait for. When the engine is dropped, it is [stopped](Self::stop).
#[derive(Debug)]
pub struct Engine {
    shards: Arc<Shards>,
    clock: Arc<Clock>,
    ids: Arc<FeedIds>,
    stopping: watch::Sender<bool>,
    /// Keeps other engines out of the data directory.
    lock: Option<File>,
}

impl Engine {
    /// Opens what is stored, and starts to serve it. All of it is in memory when this returns.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the options do not fit, if another engine uses the data, or if it is damaged or of a newer version; it is
    /// left as it is then.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        options.check()?;
        let count = options.shards();
        let Options { store, users, users_per_application, sessions, is_clock_virtual, resets_clock, metrics, .. } =
            options;
        let (journals, spread, lock): (Vec<_>, _, _) = match store {
            Store::Directory(directory) => {
                let data = data::open(&directory, count)?;
                (data.journals.into_iter().map(Some).collect(), data.spread, Some(data.lock))
            }
            Store::Journals(journals, spread) => (journals.into_iter().map(Some).collect(), spread, None),
            Store::Nothing => ((0..count).map(|_| None).collect(), Spread::keyed(count, System::REAL.new_key)?, None),
        };
        let clock = Arc::new(start_clock(&journals, is_clock_virtual, resets_clock)?);
        let quota = Arc::new(Quota::new(users_per_application));
        let shards = Shards::start(journals, spread, users, sessions, &quota, &clock, &metrics)?;
        Self::of(shards, clock, metrics, lock)
    }

    /// Opens an engine without a directory, whose responses are constants.
    ///
    /// # Errors
    ///
    /// [`OpenError::System`].
    #[cfg(feature = "benchmark")]
    pub fn open_constant(options: &Options) -> Result<Self, OpenError> {
        let clock = Arc::new(Clock::start(StoredClock::default(), options.is_clock_virtual));
        let shards = Shards::start_constant(options.shards(), &options.metrics);
        Self::of(shards, clock, options.metrics.clone(), None)
    }

    fn of(shards: Shards, clock: Arc<Clock>, metrics: Arc<Metrics>, lock: Option<File>) -> Result<Self, OpenError> {
        let engine =
            Self { shards: Arc::new(shards), clock, ids: Arc::default(), stopping: watch::Sender::new(false), lock };
        engine.follow_clock(metrics)?;
        Ok(engine)
    }

    /// Starts the thread that follows steps of the wall clock. It ends a second after the engine at the latest.
    fn follow_clock(&self, metrics: Arc<Metrics>) -> io::Result<()> {
        let (clock, shards, stopping) = (self.clock.clone(), Arc::downgrade(&self.shards), self.stopping.subscribe());
        let wake = move || shards.upgrade().into_iter().for_each(|shards| shards.wake());
        let run = move || follow::follow(&clock, &metrics, wake, || *stopping.borrow());
        std::thread::Builder::new().name("clock".to_owned()).spawn(run).map(drop)
    }

    /// Returns the shards, for calls that this front does not have.
    pub const fn shards(&self) -> &Arc<Shards> {
        &self.shards
    }

    /// Returns the clock.
    pub const fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// Returns the open file that keeps other engines out of the data directory.
    pub const fn data_lock(&self) -> Option<&File> {
        self.lock.as_ref()
    }

    /// Executes a command about a user's presence, decided under a policy.
    ///
    /// If nothing is stored of the user before, it counts for this application, or for none.
    pub fn execute(
        &self,
        user: UserId,
        command: Command<SessionId>,
        policy: &'static Policy,
        application: Option<SessionId>,
    ) -> Response<ActionOutcome> {
        self.ask(user, |to| Job::Execute(user, command, policy, application, to))
    }

    /// Executes a command about a user's status message, work location or out-of-office settings, likewise.
    pub fn execute_details(
        &self,
        user: UserId,
        command: DetailsCommand<'_>,
        application: Option<SessionId>,
    ) -> Response<ActionOutcome> {
        let (command, shift) = (Box::new(OwnedDetailsCommand::from_command(command)), self.clock.time().shift);
        self.ask(user, |to| Job::ExecuteDetails(user, command, shift, application, to))
    }

    /// Reads a user. One of whom nothing is stored is offline.
    pub fn read(&self, user: UserId) -> Response<UserView> {
        self.ask(user, |to| Job::Read(user, to))
    }

    /// Reads many users, each shard's at one moment.
    pub fn read_many(&self, users: Vec<UserId>) -> ManyResponses {
        let mut by_shard = vec![Vec::new(); self.shards.len()];
        for user in &users {
            by_shard.get_mut(self.shards.of(*user)).into_iter().for_each(|of_shard| of_shard.push(*user));
        }
        let asked = by_shard.into_iter().enumerate().filter(|(_, users)| !users.is_empty());
        let shards = asked.map(|(shard, users)| self.ask_shard(shard, |to| Job::ReadMany(users, to))).collect();
        ManyResponses { users, shards }
    }

    /// Explains a user's presence: which of its sessions decides, since when, and what comes next.
    pub fn explain(&self, user: UserId) -> Response<UserExplanation> {
        self.ask(user, |to| Job::Explain(user, to))
    }

    /// Ends all sessions of a user, as if their applications had cleared them.
    pub fn sign_out(&self, user: UserId) -> Response<ActionOutcome> {
        self.ask(user, |to| Job::SignOut(user, to))
    }

    /// Erases everything that is stored of a user. What it held is gone from the disk within a minute.
    pub fn erase(&self, user: UserId) -> Response<ActionOutcome> {
        self.ask(user, |to| Job::Erase(user, to))
    }

    /// Returns a reader of all users and their changes, which resumes after the event with this id, or begins anew.
    ///
    /// Its [`next`](Reader::next) needs a runtime of tokio with time; in a thread, [`follow`](Self::follow) brings one.
    pub fn reader(&self, since: Option<&str>) -> Reader {
        Reader::new(self.shards.clone(), self.ids.clone(), self.stopping.subscribe(), since)
    }

    /// Passes all users, and then their changes, to `each`, with the id to resume after the event. Returns when `each` breaks or the
    /// engine stops.
    ///
    /// # Errors
    ///
    /// An error of the system, which has no resources for a small runtime.
    ///
    /// # Panics
    ///
    /// In a task of tokio, which must not block. Use a [`reader`](Self::reader) there.
    pub fn follow(
        &self,
        since: Option<&str>,
        mut each: impl FnMut(FeedEvent, String) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut reader = self.reader(since);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        while let Some(event) = runtime.block_on(reader.next()) {
            if each(event, reader.id()).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Moves a virtual clock to this instant, and waits until all that is due then has been applied and is durable. Does nothing
    /// to a wall clock.
    ///
    /// # Errors
    ///
    /// [`CallError::Unavailable`] if the engine stops meanwhile.
    ///
    /// # Panics
    ///
    /// In a task of tokio, which must not block.
    pub fn advance(&self, to: Instant) -> Result<(), CallError> {
        if !self.clock.is_virtual() {
            return Ok(());
        }
        let ask = |shard| loop {
            match self.ask_shard(shard, |response| Job::Advance(to, response)) {
                // A full queue empties soon.
                Response(Err(CallError::QueueFull)) if !*self.stopping.borrow() => std::thread::sleep(RETRY),
                response => return response,
            }
        };
        let responses: Vec<_> = (0..self.shards.len()).map(ask).collect();
        responses.into_iter().try_for_each(Response::wait)?;
        self.clock.set(to);
        Ok(())
    }

    /// Stops serving, and waits until everything is durable. Later calls are [unavailable](CallError::Unavailable).
    pub fn stop(&self) {
        self.stopping.send_replace(true);
        self.shards.stop();
    }

    fn ask<T>(&self, user: UserId, job: impl FnOnce(Sender<T>) -> Job) -> Response<T> {
        self.ask_shard(self.shards.of(user), job)
    }

    fn ask_shard<T>(&self, shard: usize, job: impl FnOnce(Sender<T>) -> Job) -> Response<T> {
        if *self.stopping.borrow() {
            return Response(Err(CallError::Unavailable));
        }
        let (to, response) = channel();
        Response(self.shards.send(shard, job(to)).map(|()| response).map_err(|_| CallError::QueueFull))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts a clock that is not before anything stored.
fn start_clock(
    journals: &[Option<Box<dyn Journal>>],
    is_virtual: bool,
    resets: bool,
) -> Result<Clock, crate::shard::LoadError> {
    let journals: Vec<_> = journals.iter().flatten().map(AsRef::as_ref).collect();
    if journals.is_empty() {
        return Ok(Clock::start(StoredClock::default(), is_virtual));
    }
    let mut stored = stored_clock(&journals)?;
    if resets {
        stored = reset_clock(&journals, stored, wall_clock())?;
    }
    Ok(Clock::start(stored, is_virtual))
}
