//! The writer: one thread that owns what a shard knows, carries out what it is asked, and hands what must be durable to the
//! flusher before anybody hears of it.
//!
//! A command is decided and applied at once; the record of it is part of the group that is open. While the flusher writes a
//! group, the next one fills: commits become larger the slower the disk is, and reads never wait for it unless they tell of
//! something that is not durable yet. Nothing can be refused after it was recorded, for one thread does both.

use super::Published;
use super::job::{Answer, Job};
use super::pending::Pending;
use super::state::State;
use crate::clock::Clock;
use crate::metrics::Metrics;
use presence_core::details::DetailsError;
use presence_core::{CommandError, Instant};
use prometheus_client::metrics::gauge::Gauge;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use tokio::sync::oneshot::Sender;

/// Most jobs that are carried out at one moment.
const JOBS_AT_ONCE: usize = 256;
/// Most steps of time between two looks at the queue.
const STEPS_AT_ONCE: usize = 256;

/// A writer, to be run on a thread of its own.
pub struct Writer {
    state: State,
    pending: Pending,
    clock: Arc<Clock>,
    now: Instant,
    jobs: Receiver<Job>,
    /// Whether something may be due.
    is_behind: bool,
    /// Those who wait for time to pass.
    advancing: Vec<Sender<()>>,
    published: Arc<Published>,
    metrics: Arc<Metrics>,
    places: Gauge,
}

/// What a writer is made of.
pub struct Parts {
    /// What is known, as it was restored.
    pub state: State,
    /// Where it becomes durable.
    pub pending: Pending,
    /// What time it is.
    pub clock: Arc<Clock>,
    /// Where jobs come from.
    pub jobs: Receiver<Job>,
    /// What readers of changes look at.
    pub published: Arc<Published>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Writer {
    /// A writer of these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { state, pending, clock, jobs, published, metrics } = parts;
        let places = metrics.users.get_or_create_owned(&published.label());
        let now = clock.now();
        Self { state, pending, clock, now, jobs, is_behind: true, advancing: Vec::new(), published, metrics, places }
    }

    /// Carries out jobs until it is told to stop. Everything asked before that is answered then, and durable.
    pub fn run(mut self) {
        let mut is_stopping = false;
        while !is_stopping {
            self.pending.discard_last(&self.state);
            self.advance();
            self.hand_over();
            let Some(first) = self.next_job() else { break };
            if !self.clock.is_virtual() {
                self.now = self.now.max(self.clock.now());
            }
            is_stopping = self.carry_out(first);
            for _ in 1..JOBS_AT_ONCE {
                match self.jobs.try_recv() {
                    Ok(job) => is_stopping |= self.carry_out(job),
                    Err(_) => break,
                }
            }
        }
        while let Ok(job) = self.jobs.try_recv() {
            self.carry_out(job);
        }
        self.pending.wait(&self.state);
        self.hand_over();
        self.pending.wait(&self.state);
    }

    /// Waits for the next job, or until something is due; `None` when nobody can ask any more.
    fn next_job(&self) -> Option<Job> {
        if self.is_behind {
            return Some(self.jobs.try_recv().unwrap_or(Job::Wake));
        }
        let deadline = if self.clock.is_virtual() { None } else { self.state.next_deadline() };
        let Some(deadline) = deadline else { return self.jobs.recv().ok() };
        let wait = deadline.saturating_duration_since(self.clock.now());
        match self.jobs.recv_timeout(wait.into()) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => Some(Job::Wake),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Carries out a job. Returns whether it was the last.
    fn carry_out(&mut self, job: Job) -> bool {
        if !matches!(job, Job::Wake | Job::Stop) {
            self.metrics.queued.dec();
        }
        let Self { state, pending, now, .. } = self;
        match job {
            Job::Execute(user, command, answer) => {
                let outcome = state.execute(*now, user, command).map(|is_changed| {
                    if is_changed {
                        pending.touch(&state.users, user);
                    }
                });
                // That there is no room follows from what others have.
                let waits = pending.has(user) || outcome == Err(CommandError::UsersFull) && pending.has_any();
                pending.answer(Answer::Executed(answer, outcome), waits);
            }
            Job::Tell(user, command, answer) => {
                let outcome = state.tell(*now, user, command.as_command());
                pending.touch_changed(state);
                let waits = pending.has(user) || outcome == Err(DetailsError::UsersFull) && pending.has_any();
                pending.answer(Answer::Told(answer, outcome), waits);
            }
            Job::Read(user, answer) => {
                pending.answer(Answer::Read(answer, state.read(*now, user)), pending.has(user));
            }
            Job::ReadMany(users, answer) => {
                let waits = users.iter().any(|user| pending.has(*user));
                pending.answer(Answer::ReadMany(answer, state.read_many(*now, &users)), waits);
            }
            Job::Changes(since, answer) => {
                pending.answer(Answer::Changes(answer, state.changes_since(*now, since)), pending.has_any());
            }
            Job::Everybody(from, answer) => {
                pending.answer(Answer::Everybody(answer, state.everybody(*now, from)), pending.has_any());
            }
            Job::Advance(to, answer) => {
                self.now = self.now.max(to);
                self.is_behind = true;
                self.advancing.push(answer);
            }
            Job::Wake => {}
            Job::Stop => return true,
        }
        self.keep_bounded();
        false
    }

    /// A group that is full waits for the one before.
    fn keep_bounded(&mut self) {
        if self.pending.is_full() {
            self.pending.wait(&self.state);
            self.hand_over();
        }
    }

    /// Lets time pass, some steps of it.
    fn advance(&mut self) {
        self.is_behind = (0..STEPS_AT_ONCE).all(|_| self.state.advance(self.now));
        self.pending.touch_changed(&mut self.state);
        self.keep_bounded();
        if !self.is_behind {
            for answer in self.advancing.drain(..) {
                // The clock that it tells of must be durable.
                self.pending.answer(Answer::Advanced(answer), true);
            }
        }
    }

    /// Hands over what must become durable, and tells readers of changes what is.
    fn hand_over(&mut self) {
        self.places.set(self.state.users.len() as i64);
        let virtual_now = if self.clock.is_virtual() { self.now.as_millis() } else { 0 };
        if self.pending.hand_over(&mut self.state, self.now, virtual_now) {
            self.published.publish(self.state.users.cursor());
        }
    }
}
