//! Shards: each a directory, a journal, and a thread that owns them. Users are [spread](crate::data::spread) over shards, one for
//! each core.
//!
//! Reading order: [`job`] defines requests to a shard; [`state`] is its state, [`creators`] counts users for applications, and
//! [`user_limit`] all of them; the [`writer`] executes jobs on it; [`pending`] holds changes that are not durable yet, a
//! [group](crate::journal::Group) at a time; the [`flusher`] makes groups durable in the [journal](crate::journal); the
//! [`journal_index`] knows the newest rows; [`restore`] reads the journal back, [`records`] one record; [`copies`] are made of all journals at
//! one moment, and [`verify`] loads journals without serving them.

#[cfg(test)]
mod backup_tests;
#[cfg(feature = "benchmark")]
mod benchmark;
#[cfg(test)]
mod capacity_tests;
mod commit;
pub(crate) mod copies;
pub mod creators;
mod details;
#[cfg(test)]
mod durability_tests;
mod flusher;
#[cfg(test)]
mod history_tests;
pub mod job;
mod journal_index;
mod pending;
#[cfg(test)]
mod piece_tests;
mod positions;
mod published;
mod records;
mod restore;
#[cfg(test)]
mod running;
#[cfg(test)]
mod shift_tests;
#[cfg(test)]
mod spread_tests;
pub mod state;
#[cfg(test)]
mod tests;
mod threads;
pub mod user_limit;
pub mod users;
pub(crate) mod verify;
#[cfg(test)]
mod waiting_tests;
mod writer;

use crate::clock::{Clock, StoredClock, Time, amount};
use crate::data::spread::Spread;
use crate::journal::{Journal, Metadata, change_metadata, newest_instant};
use crate::metrics::Metrics;
use creators::Quota;
use flusher::FlusherContext;
use job::Job;
use journal_index::JournalIndex;
use pending::Pending;
use positions::Positions;
use presence_core::directory::Cursor;
use presence_core::snapshot::RestoreError;
use presence_core::{Instant, UserId};
use state::State;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use threads::spawn;
use tokio::sync::watch;
use user_limit::UserLimit;
use writer::{Parts, Writer};

pub use positions::ReaderPosition;
pub use published::Published;
pub use restore::LoadError;
pub use threads::{Failure, set_failure_hook};

/// The capacity of a writer's queue; more jobs are rejected.
pub const QUEUE: usize = 1024;

/// Returns the slots of each shard for this many users in all.
///
/// A single shard gets exactly that many. Several get six standard deviations more than their share, because a hash does not
/// share evenly: one shard in a billion would need more. Together they are in proportion to the users, whatever the shards.
pub fn slots(users: usize, shards: usize) -> usize {
    let share = users.div_ceil(shards);
    if shards == 1 { share } else { (share + 6 * share.isqrt() + 16).min(users) }
}

/// The error of a shard whose queue is full.
#[derive(Debug)]
pub struct QueueFullError;

impl std::fmt::Display for QueueFullError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the queue of the shard is full")
    }
}

impl std::error::Error for QueueFullError {}

#[derive(Debug)]
struct Shard {
    jobs: SyncSender<Job>,
    published: Arc<Published>,
}

impl Shard {
    /// Creates the handle of a shard, and the queue for its writer.
    fn new(number: usize, notify: &watch::Sender<()>) -> (Self, Receiver<Job>) {
        let published = Published::new(number, notify.clone());
        let (jobs, queue) = sync_channel(QUEUE);
        (Self { jobs, published: Arc::new(published) }, queue)
    }
}

/// All shards.
#[derive(Debug)]
pub struct Shards {
    shards: Vec<Shard>,
    spread: Spread,
    threads: Mutex<Vec<JoinHandle<()>>>,
    notify: watch::Sender<()>,
    metrics: Arc<Metrics>,
    positions: Positions,
    limit: Arc<UserLimit>,
}

impl Shards {
    /// Starts a shard for each journal, for this many users in all.
    ///
    /// Users belong to shards as this spread says, by which the journals are stored. Everything stored is in memory when this
    /// returns, and fits: where more users are stored, there are more slots, but new users are limited all the same. A user may have `sessions` sessions, one of [`users::SESSIONS`]. Without a journal
    /// a shard stores nothing.
    /// `quota` bounds the users of each application.
    pub fn start(
        journals: Vec<Option<Box<dyn Journal>>>,
        spread: Spread,
        users: usize,
        sessions: usize,
        quota: &Arc<Quota>,
        clock: &Arc<Clock>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, LoadError> {
        let (slots, limit) = (slots(users, journals.len()), Arc::new(UserLimit::new(users)));
        let (notify, _) = watch::channel(());
        let started: Vec<_> = journals
            .into_iter()
            .enumerate()
            .map(|(number, journal)| {
                let (shard, queue) = Shard::new(number, &notify);
                let (loaded, is_loaded) = sync_channel(1);
                let context = FlusherContext {
                    jobs: shard.jobs.clone(),
                    published: shard.published.clone(),
                    metrics: metrics.clone(),
                };
                let (limit, quota, clock) = (limit.clone(), quota.clone(), clock.clone());
                let belongs = move |user| spread.of(user) == number;
                let parts = ShardParts { queue, journal, belongs, slots, limit, quota, clock, context, loaded };
                let writer = spawn(format!("writer-{number}"), move || parts.run(sessions));
                (shard, writer, is_loaded)
            })
            .collect();
        let (mut shards, mut threads, mut stored) = (Vec::new(), Vec::new(), Vec::new());
        for (shard, writer, is_loaded) in started {
            stored.push(is_loaded.recv().unwrap_or(Err(LoadError::Full))?);
            shards.push(shard);
            threads.push(writer);
        }
        warn_beyond_limit(stored.iter().sum(), users);
        let (threads, metrics, positions) = (Mutex::new(threads), metrics.clone(), Positions::default());
        Ok(Self { shards, spread, threads, notify, metrics, positions, limit })
    }

    /// Returns the number of shards.
    #[expect(clippy::len_without_is_empty, reason = "there is one at least")]
    pub const fn len(&self) -> usize {
        self.shards.len()
    }

    /// Returns the shard that a user belongs to.
    pub fn of(&self, user: UserId) -> usize {
        self.spread.of(user)
    }

    /// Sends a job to a shard.
    ///
    /// # Errors
    ///
    /// [`QueueFullError`] if the shard's queue is full.
    pub fn send(&self, shard: usize, job: Job) -> Result<(), QueueFullError> {
        self.try_send(shard, job).map_err(|_| QueueFullError)
    }

    /// Sends a job to a shard.
    ///
    /// # Errors
    ///
    /// The job, if the shard's queue is full.
    pub fn try_send(&self, shard: usize, job: Job) -> Result<(), Job> {
        let Some(shard) = self.shards.get(shard) else { return Err(job) };
        // The writer counts it off, so it must have been counted before.
        self.metrics.queued.inc();
        shard.jobs.try_send(job).map_err(|error| {
            self.metrics.queued.dec();
            match error {
                TrySendError::Full(job) | TrySendError::Disconnected(job) => job,
            }
        })
    }

    /// Returns the cursor of a shard's durable changes.
    pub fn published(&self, shard: usize) -> Cursor {
        let number = self.shards.get(shard).map_or(0, |shard| shard.published.cursor());
        Cursor::from_number(number)
    }

    /// Returns a receiver that is notified when any shard publishes changes.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.notify.subscribe()
    }

    /// Returns how users are spread over the shards.
    pub(crate) const fn spread(&self) -> Spread {
        self.spread
    }

    /// Adds a reader of changes, whose position counts until it is dropped.
    pub fn add_reader(&self) -> ReaderPosition {
        self.positions.add()
    }

    /// Returns the number of durable changes that the slowest reader has not read. Readers that scan all users do not count.
    pub fn slowest_lag(&self) -> u64 {
        let published = self.shards.iter().map(|shard| shard.published.cursor());
        self.positions.slowest_lag(published.sum())
    }

    /// Returns for how long the oldest change that is not durable has waited; `None` if all are.
    pub fn oldest_unflushed(&self) -> Option<Duration> {
        self.shards.iter().filter_map(|shard| shard.published.unflushed()).max()
    }

    /// Returns the number of users of whom something is stored, and the most that new ones may make it.
    pub fn stored_users(&self) -> (usize, usize) {
        (self.limit.stored(), self.limit.limit())
    }

    /// Wakes all writers, because deadlines have come that their time-outs do not know of.
    pub fn wake(&self) {
        for shard in &self.shards {
            // If the queue is full, the writer is awake.
            let _ = shard.jobs.try_send(Job::Wake);
        }
    }

    /// Stops all shards after the jobs in their queues, and waits until everything is durable.
    pub fn stop(&self) {
        for shard in &self.shards {
            drop(shard.jobs.send(Job::Stop));
        }
        let threads = self.threads.lock().map(|mut threads| std::mem::take(&mut *threads)).unwrap_or_default();
        for thread in threads {
            drop(thread.join());
        }
    }
}

/// Warns if more users are stored than the limit.
fn warn_beyond_limit(stored: usize, users: usize) {
    if stored > users {
        tracing::warn!(
            "{stored} users are stored, more than the {users} of --users: all are kept, and new ones are rejected until \
             fewer are left"
        );
    }
}

/// The parts of a shard that is about to start.
struct ShardParts<B> {
    queue: Receiver<Job>,
    journal: Option<Box<dyn Journal>>,
    /// Reports whether a user belongs to this shard.
    belongs: B,
    slots: usize,
    limit: Arc<UserLimit>,
    quota: Arc<Quota>,
    clock: Arc<Clock>,
    context: FlusherContext,
    /// The channel for the outcome of loading: the number of users that are stored.
    loaded: SyncSender<Result<usize, LoadError>>,
}

impl<B: Fn(UserId) -> bool> ShardParts<B> {
    /// Loads and runs the shard, with this many sessions of a user, or with more if a user has more stored.
    fn run(self, sessions: usize) {
        let mut parts = Some(self);
        for size in users::SESSIONS.into_iter().filter(|size| *size >= sessions) {
            let Some(next) = parts else { return };
            parts = match size {
                8 => next.run_sized::<8>(sessions),
                16 => next.run_sized::<16>(sessions),
                32 => next.run_sized::<32>(sessions),
                _ => next.run_sized::<{ users::MAX_SESSIONS }>(sessions),
            };
        }
    }

    /// Runs the shard until it is stopped. Returns its parts if a stored user has more sessions.
    fn run_sized<const SESSIONS: usize>(self, wanted: usize) -> Option<Self> {
        let state = State::<SESSIONS>::new(self.slots, self.limit.clone(), self.quota.clone());
        let time = self.clock.time();
        let outcome = match &self.journal {
            Some(journal) => load(&**journal, state, &self.belongs, time),
            None => {
                let index = JournalIndex::new(state.users.capacity());
                Ok((state, index))
            }
        };
        let (state, index) = match outcome {
            Ok(restored) => restored,
            Err(LoadError::Record(_, RestoreError::Full)) if SESSIONS < users::MAX_SESSIONS => return Some(self),
            Err(error) => {
                drop(self.loaded.send(Err(error)));
                return None;
            }
        };
        if SESSIONS > wanted {
            tracing::warn!("a user has more sessions than {wanted}: users of its shard may have {SESSIONS}");
        }
        let Self { queue, journal, clock, context, loaded, .. } = self;
        drop(loaded.send(Ok(state.stored_users())));
        let (link, flusher) = journal.map(|journal| context.start(journal, false)).unzip();
        let pending = Pending::new(link, index);
        Writer::new(Parts { state, pending, clock, time, jobs: queue, flusher, context }).run();
        None
    }
}

/// Loads a shard, whose users must all belong to it.
fn load<const SESSIONS: usize>(
    journal: &dyn Journal,
    state: State<SESSIONS>,
    belongs: impl Fn(UserId) -> bool,
    time: Time,
) -> Result<(State<SESSIONS>, JournalIndex), LoadError> {
    let (state, index) = restore::load_all(journal, state, time)?;
    match state.find_user(|user| !belongs(user)) {
        Some(user) => Err(LoadError::Misplaced(journal.name(), user)),
        None => Ok((state, index)),
    }
}

/// Returns the instants that the clock had reached when something was stored last.
pub fn stored_clock(journals: &[&dyn Journal]) -> Result<StoredClock, LoadError> {
    let (mut all, mut newest) = (Metadata::default(), 0);
    for journal in journals {
        let name = journal.name();
        let failed = |error| LoadError::Journal(name.clone(), error);
        // Shifts that only some journals have recorded count for all: what they shift is the clock of all rows.
        all = all.greatest(journal.metadata().map_err(failed)?);
        newest = newest.max(all.newest).max(newest_instant(*journal).map_err(failed)?);
    }
    let virtual_now = (all.virtual_now > 0).then(|| Instant::from_millis(all.virtual_now));
    Ok(StoredClock { newest: all.shift.to_shown(Instant::from_millis(newest)), virtual_now, shift: all.shift })
}

/// Shifts data that is ahead of the wall clock back to it, durably.
pub fn reset_clock(journals: &[&dyn Journal], stored: StoredClock, wall: Instant) -> Result<StoredClock, LoadError> {
    let ahead = stored.newest.saturating_duration_since(wall);
    if ahead.is_zero() {
        tracing::info!("the data is not ahead of the wall clock, so nothing is shifted");
        return Ok(stored);
    }
    let shift = stored.shift.plus(ahead);
    for journal in journals {
        // A virtual clock would stand before it, so it begins anew.
        change_metadata(*journal, |metadata| (metadata.shift, metadata.virtual_now) = (shift, 0))
            .map_err(|error| LoadError::Journal(journal.name(), error))?;
    }
    tracing::warn!("the data was {} ahead of the wall clock: all stored instants are shifted", amount(ahead));
    Ok(StoredClock { newest: wall, shift, ..stored })
}

#[cfg(feature = "benchmark")]
impl Shards {
    /// Starts shards without a directory, whose responses are constants.
    pub fn start_constant(count: usize, metrics: &Arc<Metrics>) -> Self {
        let (notify, _) = watch::channel(());
        let (shards, threads) = (0..count)
            .map(|number| {
                let (shard, queue) = Shard::new(number, &notify);
                let metrics = metrics.clone();
                (shard, spawn(format!("writer-{number}"), move || benchmark::run(&queue, &metrics)))
            })
            .unzip();
        let (spread, threads, limit) = (Spread::unkeyed(count), Mutex::new(threads), Arc::new(UserLimit::new(0)));
        Self { shards, spread, threads, notify, metrics: metrics.clone(), positions: Positions::default(), limit }
    }
}

#[cfg(any(test, feature = "testing"))]
impl Shards {
    /// Creates shards without writers, and their queues.
    pub fn stalled(count: usize, metrics: &Arc<Metrics>) -> (Self, Vec<Receiver<Job>>) {
        let (notify, _) = watch::channel(());
        let (shards, queues) = (0..count).map(|number| Shard::new(number, &notify)).unzip();
        let (spread, threads, limit) = (Spread::unkeyed(count), Mutex::new(Vec::new()), Arc::new(UserLimit::new(0)));
        let metrics = metrics.clone();
        (Self { shards, spread, threads, notify, metrics, positions: Positions::default(), limit }, queues)
    }
}
