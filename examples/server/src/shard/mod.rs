//! Shards: a directory and a journal each, and a thread that owns them. Users are hashed to shards, one a core.
//!
//! Reading order: [`job`] is what a shard is asked; [`state`] is what it knows; [`writer`] carries jobs out on that;
//! [`pending`] is what is not durable yet, a [`group`] at a time; [`flusher`] makes it durable, in the [`journal`], a [`database`]; [`journal_index`]
//! knows which rows of that count; [`restore`] reads it back; [`layout`] is what lies in the directory of the data.

mod database;
mod details;
mod flusher;
mod group;
pub mod job;
pub mod journal;
mod journal_index;
pub mod layout;
mod nothing;
mod pending;
mod restore;
pub mod state;
#[cfg(test)]
mod tests;
mod users;
mod writer;

use crate::clock::Clock;
use crate::metrics::{Metrics, ShardLabels};
use flusher::{Flusher, stop_everything};
use job::Job;
use journal::Journal;
use journal_index::Book;
use pending::{Disk, Pending};
use presence_core::directory::Cursor;
use presence_core::{Instant, UserId};
use state::State;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::watch;
use writer::{Parts, Writer};

pub use restore::LoadError;

/// Jobs that wait for one writer; more are refused.
pub const QUEUE: usize = 1024;

/// Which shard of so many a user belongs to. Never changes, for journals are kept by it.
pub fn shard_of(user: UserId, shards: usize) -> usize {
    let number = u128::from_le_bytes(user.to_bytes());
    let folded = (number as u64) ^ (number >> 64) as u64;
    // Fibonacci hashing: the product's upper half mixes all bits; GUIDs of many makers differ in few.
    let mixed = u128::from(folded.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    ((mixed * shards as u128) >> 64) as usize
}

/// Room for so many users in all: each shard's share, and a margin because a hash does not share evenly. One shard holds
/// exactly as many.
pub fn capacity(users: usize, shards: usize) -> usize {
    let share = users.div_ceil(shards);
    if shards == 1 { share } else { (share + 6 * share.isqrt() + 16).min(users) }
}

/// How far the changes of a shard are durable, for those who follow them.
#[derive(Debug)]
pub struct Published {
    shard: usize,
    cursor: AtomicU64,
    bell: watch::Sender<()>,
}

impl Published {
    /// Everything up to here may be told.
    fn publish(&self, cursor: Cursor) {
        if self.cursor.swap(cursor.to_number(), Ordering::AcqRel) != cursor.to_number() {
            self.bell.send_replace(());
        }
    }

    fn label(&self) -> ShardLabels {
        ShardLabels { shard: self.shard }
    }
}

/// A shard has too much to do.
#[derive(Debug)]
pub struct Busy;

#[derive(Debug)]
struct Shard {
    jobs: SyncSender<Job>,
    published: Arc<Published>,
}

/// All shards.
#[derive(Debug)]
pub struct Shards {
    shards: Vec<Shard>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    bell: watch::Sender<()>,
    metrics: Arc<Metrics>,
}

/// What shards do, other than serve: to see what the parts of a request cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Serve.
    Real,
    /// Nothing is durable.
    WithoutJournal,
    /// Whatever is asked, the answer is a constant.
    WithoutDirectory,
}

impl Shards {
    /// Starts shards with room for so many users in all: one for each journal, or so many without. Everything stored is in
    /// memory when this returns.
    pub fn start(
        journals: Vec<Option<Journal>>,
        users: usize,
        clock: &Arc<Clock>,
        metrics: &Arc<Metrics>,
        service: Service,
    ) -> Result<Self, LoadError> {
        let (bell, _) = watch::channel(());
        let capacity = capacity(users, journals.len());
        let now = clock.now();
        let started: Vec<_> = journals
            .into_iter()
            .enumerate()
            .map(|(shard, journal)| {
                let published = Arc::new(Published { shard, cursor: AtomicU64::new(0), bell: bell.clone() });
                let (clock, metrics) = (clock.clone(), metrics.clone());
                let (jobs, waiting) = sync_channel(QUEUE);
                let (loaded, is_loaded) = sync_channel(1);
                let (to_writer, told) = (jobs.clone(), published.clone());
                let writer = spawn(format!("writer-{shard}"), move || {
                    if service == Service::WithoutDirectory {
                        drop(loaded.send(Ok(())));
                        return nothing::run(&waiting, &metrics);
                    }
                    let (mut state, mut book) = (State::new(capacity), Book::new(capacity));
                    let outcome = match &journal {
                        Some(journal) => restore::load(journal, &mut state, &mut book, now),
                        None => Ok(()),
                    };
                    let is_ready = outcome.is_ok();
                    drop(loaded.send(outcome));
                    if !is_ready {
                        return;
                    }
                    let flusher =
                        journal.map(|journal| start_flusher(journal, to_writer, told.clone(), metrics.clone()));
                    let (disk, thread) = flusher.unzip();
                    let pending = Pending::new(disk, book);
                    let parts = Parts { state, pending, clock, jobs: waiting, published: told, metrics };
                    Writer::new(parts).run();
                    if let Some(thread) = thread {
                        drop(thread.join());
                    }
                });
                (Shard { jobs, published }, writer, is_loaded)
            })
            .collect();
        let (mut shards, mut threads) = (Vec::new(), Vec::new());
        for (shard, writer, is_loaded) in started {
            is_loaded.recv().unwrap_or(Err(LoadError::Full))?;
            shards.push(shard);
            threads.push(writer);
        }
        Ok(Self { shards, threads: Mutex::new(threads), bell, metrics: metrics.clone() })
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.shards.len()
    }

    /// Which one a user belongs to.
    pub fn of(&self, user: UserId) -> usize {
        shard_of(user, self.len())
    }

    /// Asks a shard, if its queue has room.
    pub fn ask(&self, shard: usize, job: Job) -> Result<(), Busy> {
        self.ask_or_return(shard, job).map_err(|_| Busy)
    }

    /// Asks a shard; gives the job back if its queue has no room.
    pub fn ask_or_return(&self, shard: usize, job: Job) -> Result<(), Job> {
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

    /// Up to where the changes of a shard may be told.
    pub fn published(&self, shard: usize) -> Cursor {
        let number = self.shards.get(shard).map_or(0, |shard| shard.published.cursor.load(Ordering::Acquire));
        Cursor::from_number(number)
    }

    /// Rings when more may be told.
    pub fn bell(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }

    /// Ends all shards, after they have done what they were asked, and waits until it is durable.
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

fn start_flusher(
    journal: Journal,
    jobs: SyncSender<Job>,
    published: Arc<Published>,
    metrics: Arc<Metrics>,
) -> (Disk, JoinHandle<()>) {
    let (groups, taken) = sync_channel(1);
    let (done, taken_back) = sync_channel(1);
    let name = format!("flusher-{}", published.shard);
    let flusher = Flusher { journal, groups: taken, done, jobs, published, metrics };
    (Disk { groups, done: taken_back }, spawn(name, move || flusher.run()))
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let guarded = move || {
        // A writer that is gone would leave everybody waiting.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
            std::process::exit(70);
        }
    };
    std::thread::Builder::new().name(name).spawn(guarded).unwrap_or_else(|error| stop_everything(&error))
}

/// The latest moment that is stored, and where a virtual clock stood.
pub fn stored_clock(journals: &[Journal]) -> Result<(Instant, Option<Instant>), LoadError> {
    let (mut newest, mut virtual_now) = (0, 0);
    for journal in journals {
        let failed = |error| LoadError::Journal(journal.path(), error);
        let marks = journal.marks().map_err(failed)?;
        newest = newest.max(marks.newest).max(journal.newest().map_err(failed)?);
        virtual_now = virtual_now.max(marks.virtual_now);
    }
    let virtual_now = (virtual_now > 0).then(|| Instant::from_millis(virtual_now));
    Ok((Instant::from_millis(newest), virtual_now))
}

#[cfg(test)]
impl Shards {
    /// Shards whose writers do not take anything off their queues, which come beside them.
    pub fn stalled(count: usize, metrics: &Arc<Metrics>) -> (Self, Vec<std::sync::mpsc::Receiver<Job>>) {
        let (bell, _) = watch::channel(());
        let (shards, queues) = (0..count)
            .map(|shard| {
                let (jobs, queue) = sync_channel(QUEUE);
                let published = Arc::new(Published { shard, cursor: AtomicU64::new(0), bell: bell.clone() });
                (Shard { jobs, published }, queue)
            })
            .unzip();
        (Self { shards, threads: Mutex::new(Vec::new()), bell, metrics: metrics.clone() }, queues)
    }
}
