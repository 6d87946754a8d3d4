//! The writer: a thread that owns a shard's state, executes jobs, and submits changes to the flusher.
//!
//! No response shows a change before it is durable. A command is decided and applied at once; its record joins the open
//! group. While the flusher writes one group, the next one fills, so a slower disk makes commits larger. A read waits only if
//! it shows something that is not durable yet. No command can be rejected after it was recorded, because one thread does both.
//!
//! When the disk has no room for a group, the changes in memory are discarded: the state is loaded from the journal anew, as
//! after a restart. Their requests get no response from here, and 503 from [`dispatch`](crate::http); nothing of them was
//! carried out. From then on reads are served, and commands are refused, until the flusher has found room.

use super::flusher::{FlusherContext, Unstored};
use super::job::{Job, Response};
use super::journal_index::JournalIndex;
use super::pending::Pending;
use super::restore;
use super::state::State;
use super::threads::stop_everything;
use crate::clock::{Clock, Shift, Time};
use crate::journal::Journal;
use presence_core::Instant;
use prometheus_client::metrics::gauge::Gauge;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use tokio::sync::oneshot::Sender;

/// The most jobs that are executed between two applications of what is due.
pub const MAX_JOBS: usize = 256;
/// The most steps of [`State::advance`] between two looks at the queue.
pub const MAX_STEPS: usize = 256;

/// A writer, to be run on a thread of its own.
pub struct Writer<const SESSIONS: usize> {
    state: State<SESSIONS>,
    pending: Pending,
    clock: Arc<Clock>,
    now: Instant,
    /// The shift of the state.
    shift: Shift,
    /// The shift that is durable. Nothing of a later one may be shown.
    stored_shift: Shift,
    jobs: Receiver<Job>,
    /// True if a transition may be due.
    is_behind: bool,
    /// The callers that wait for an advance of the clock.
    advancing: Vec<Sender<()>>,
    /// The reads of changes that wait until all that is due is applied.
    reading: Vec<Job>,
    /// The advances of the clock that wait for room on the disk.
    postponed: Vec<Job>,
    /// The thread of the flusher.
    flusher: Option<JoinHandle<()>>,
    context: FlusherContext,
    user_count: Gauge,
}

/// The parts of a [`Writer`].
pub struct Parts<const SESSIONS: usize> {
    /// The restored state.
    pub state: State<SESSIONS>,
    /// The changes that are not durable yet.
    pub pending: Pending,
    /// The server's clock.
    pub clock: Arc<Clock>,
    /// The time at which the state was restored. Its shift is durable.
    pub time: Time,
    /// The queue of jobs.
    pub jobs: Receiver<Job>,
    /// The thread of the flusher; without one nothing is stored.
    pub flusher: Option<JoinHandle<()>>,
    /// The parts of flushers that outlive them.
    pub context: FlusherContext,
}

impl<const SESSIONS: usize> Writer<SESSIONS> {
    /// Creates a writer.
    pub fn new(parts: Parts<SESSIONS>) -> Self {
        let Parts { state, pending, clock, time: Time { now, shift }, jobs, flusher, context } = parts;
        let user_count = context.metrics.users.get_or_create_owned(&context.published.label());
        Self {
            state,
            pending,
            clock,
            now,
            shift,
            stored_shift: shift,
            jobs,
            is_behind: true,
            advancing: Vec::new(),
            reading: Vec::new(),
            postponed: Vec::new(),
            flusher,
            context,
            user_count,
        }
    }

    /// Executes jobs until [`Job::Stop`]. By then all earlier jobs have their response, and their changes are durable.
    pub fn run(mut self) {
        let mut is_stopping = false;
        while !is_stopping {
            self.poll_flushed();
            self.advance();
            self.note_unflushed();
            self.submit();
            let Some(first) = self.next_job() else { break };
            is_stopping = self.execute(first);
            for _ in 1..MAX_JOBS {
                match self.jobs.try_recv() {
                    Ok(job) => is_stopping |= self.execute(job),
                    Err(_) => break,
                }
            }
        }
        while let Ok(job) = self.jobs.try_recv() {
            self.execute(job);
        }
        self.wait_for_flush();
        self.submit();
        self.wait_for_flush();
        let Self { pending, flusher, .. } = self;
        // Without a link the flusher ends.
        drop(pending);
        if let Some(thread) = flusher {
            drop(thread.join());
        }
    }

    /// Goes on to the current time, and follows a shift of the clock. A virtual clock goes on by [`Job::Advance`].
    fn follow_clock(&mut self) {
        if self.clock.is_virtual() {
            return;
        }
        let time = self.clock.time();
        // On a full disk a shift waits for room, because it must be stored.
        if time.shift > self.shift && !self.pending.is_disk_full() {
            self.shift_to(time);
        }
        self.now = self.now.max(self.clock_now());
    }

    /// Returns the current time of a clock with the shift of the state.
    fn clock_now(&self) -> Instant {
        let time = self.clock.time();
        time.now.saturating_add(time.shift.since(self.shift))
    }

    /// Shifts all instants, and waits until that is durable: versions of unknown users grow with it. On a disk without room
    /// the state is loaded anew, without this shift, and follows it later.
    fn shift_to(&mut self, time: Time) {
        let by = time.shift.since(self.shift);
        let from = self.now.max(time.now.saturating_add(by));
        let to = from.saturating_sub(by);
        if let Err(error) = self.state.rebase(from, to) {
            stop_everything(&error);
        }
        (self.now, self.shift) = (to, time.shift);
        self.pending.set_shift(time.shift);
        self.wait_for_flush();
        self.submit();
        self.wait_for_flush();
        if !self.pending.is_disk_full() {
            self.stored_shift = time.shift;
        }
    }

    /// Shows since when the oldest change waits for the disk.
    fn note_unflushed(&mut self) {
        self.context.published.set_unflushed(self.pending.unflushed_since());
    }

    /// Waits for the next job or deadline; returns `None` when all senders of jobs are gone.
    fn next_job(&self) -> Option<Job> {
        if self.is_behind {
            return Some(self.jobs.try_recv().unwrap_or(Job::Wake));
        }
        let deadline = if self.clock.is_virtual() { None } else { self.state.next_deadline() };
        let Some(deadline) = deadline else { return self.jobs.recv().ok() };
        let wait = deadline.saturating_duration_since(self.clock_now());
        match self.jobs.recv_timeout(wait.into()) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => Some(Job::Wake),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Executes a job. Reports whether it was [`Job::Stop`].
    ///
    /// Each job is executed at a time of its own: the machine may sleep between two jobs, and no job is older than its clock.
    fn execute(&mut self, job: Job) -> bool {
        self.follow_clock();
        if !matches!(job, Job::Wake | Job::Stop) {
            self.context.metrics.queued.dec();
        }
        if job.is_abandoned() {
            return false;
        }
        let job = if self.pending.is_disk_full() { self.refuse(job) } else { Some(job) };
        let Some(job) = job else { return false };
        if matches!(job, Job::Changes(..)) && self.state.next_deadline().is_some_and(|due| due.is_due(self.now)) {
            // It would show what is due, and the next read would show that once more when it was applied.
            self.is_behind = true;
            self.reading.push(job);
            return false;
        }
        let Self { state, pending, now, shift, .. } = self;
        if matches!(job, Job::Execute(..) | Job::ExecuteDetails(..))
            && let Some(earlier) = state.grow_if_full(*now)
        {
            pending.move_slots(&earlier, &state.users);
            pending.mark_changed_details(state);
        }
        match job {
            Job::Execute(user, command, policy, creator, to) => {
                let outcome = state.execute_for(*now, creator, user, command, policy).map(|is_changed| {
                    if is_changed {
                        pending.mark_dirty(&state.users, user);
                    }
                });
                pending.respond_executed(user, to, outcome);
            }
            Job::ExecuteDetails(user, mut command, read_at, creator, to) => {
                command.shift_back(shift.since(read_at));
                let outcome = state.execute_details_for(*now, creator, user, command.as_command());
                pending.mark_changed_details(state);
                pending.respond_executed(user, to, outcome);
            }
            Job::Read(user, to) => {
                pending.respond(Response::Read(to, state.read(*now, user)), pending.contains(user));
            }
            Job::Explain(user, to) => {
                pending.respond(Response::Explained(to, state.explain(*now, user)), pending.contains(user));
            }
            Job::ReadMany(users, to) => {
                let waits = users.iter().any(|user| pending.contains(*user));
                pending.respond(Response::ReadMany(to, state.read_many(*now, &users)), waits);
            }
            Job::Changes(since, to) => {
                pending.respond(Response::Changes(to, state.changes_since(*now, since)), !pending.is_empty());
            }
            Job::FullScan(offset, to) => {
                pending.respond(Response::FullScan(to, state.scan(*now, offset)), !pending.is_empty());
            }
            Job::List(offset, limit, to) => {
                pending.respond(Response::Listed(to, state.list(*now, offset, limit)), !pending.is_empty());
            }
            Job::Erase(user, to) => {
                state.erase(*now, user);
                pending.mark_erased(state, user);
                pending.respond_executed(user, to, Ok(()));
            }
            Job::SignOut(user, to) => {
                let outcome = state.sign_out(*now, user).map(|is_changed| {
                    if is_changed {
                        pending.mark_dirty(&state.users, user);
                    }
                });
                pending.respond_executed(user, to, outcome);
            }
            Job::Advance(until, to) => {
                self.now = self.now.max(until);
                self.is_behind = true;
                self.advancing.push(to);
            }
            Job::Copy(order) => pending.copy(order),
            Job::Wake => {}
            Job::Stop => return true,
        }
        self.submit_if_full();
        false
    }

    /// Refuses or postpones a job that would have to be stored; returns any other.
    fn refuse(&mut self, job: Job) -> Option<Job> {
        match job {
            // Without a response, the request gets 503.
            Job::Execute(..) | Job::ExecuteDetails(..) | Job::Erase(..) | Job::SignOut(..) => None,
            Job::Advance(..) => {
                self.postponed.push(job);
                None
            }
            other => Some(other),
        }
    }

    /// Waits for the flusher if the open group is full, and submits it.
    fn submit_if_full(&mut self) {
        if self.pending.is_full() {
            self.wait_for_flush();
            self.submit();
        }
    }

    /// Takes back the submitted group if it is durable by now.
    fn poll_flushed(&mut self) {
        let was_full = self.pending.is_disk_full();
        if let Some(unstored) = self.pending.poll_flushed(&self.state) {
            self.reload(*unstored);
        }
        if was_full && !self.pending.is_disk_full() {
            self.context.metrics.disk_full.dec();
            for job in std::mem::take(&mut self.postponed) {
                self.context.metrics.queued.inc();
                self.execute(job);
            }
        }
    }

    /// Waits for the submitted group.
    fn wait_for_flush(&mut self) {
        if let Some(unstored) = self.pending.wait_for_flush(&self.state) {
            self.reload(*unstored);
        }
    }

    /// Discards the changes that the disk has no room for, and serves what is stored.
    fn reload(&mut self, Unstored { commit, journal }: Unstored) {
        let responses = commit.responses.into_iter().chain(self.pending.take_responses());
        let until = self.now;
        let mut index = JournalIndex::new(self.state.users.capacity());
        let time = self.stored_time(&*journal);
        (self.now, self.shift) = (time.now, time.shift);
        self.state.replace();
        if let Err(error) = restore::load(&*journal, &mut self.state, &mut index, time) {
            stop_everything(&error);
        }
        let (link, thread) = self.context.start(journal, true);
        self.pending = Pending::without_room(link, index);
        if let Some(ended) = self.flusher.replace(thread) {
            drop(ended.join());
        }
        self.is_behind = true;
        self.context.metrics.disk_full.inc();
        self.postponed.extend(self.advancing.drain(..).map(|to| Job::Advance(until, to)));
        for response in responses {
            match response {
                Response::Read(to, view) => drop(to.send(self.state.read(self.now, view.user))),
                Response::Explained(to, earlier) => drop(to.send(self.state.explain(self.now, earlier.user))),
                Response::ReadMany(to, views) => {
                    let users: Vec<_> = views.iter().map(|view| view.user).collect();
                    drop(to.send(self.state.read_many(self.now, &users)));
                }
                Response::Advanced(to) => self.postponed.push(Job::Advance(until, to)),
                // Without a response, a command gets 503 and a reader of changes asks again.
                Response::Executed(..) | Response::Changes(..) | Response::FullScan(..) | Response::Listed(..) => {}
            }
        }
    }

    /// Returns the time for what is stored in the journal: without a shift, or an advance of a virtual clock, that is not.
    fn stored_time(&self, journal: &dyn Journal) -> Time {
        let time = self.clock.time();
        let now = time.now.saturating_add(time.shift.since(self.stored_shift));
        let advanced = match journal.metadata() {
            // This shard may have stored an advance for which another has no room yet.
            Ok(metadata) if self.clock.is_virtual() => Instant::from_millis(metadata.virtual_now),
            Ok(_) => now,
            Err(error) => stop_everything(&error),
        };
        Time { now: now.max(advanced), shift: self.stored_shift }
    }

    /// Applies due transitions, at most [`MAX_STEPS`], and responds to advances when none is left.
    fn advance(&mut self) {
        self.is_behind = (0..MAX_STEPS).all(|_| self.state.advance(self.now));
        self.pending.mark_changed_details(&mut self.state);
        self.submit_if_full();
        if !self.is_behind {
            for to in self.advancing.drain(..) {
                // The response shows the new clock, which must be durable.
                self.pending.respond(Response::Advanced(to), true);
            }
            for job in std::mem::take(&mut self.reading) {
                self.context.metrics.queued.inc();
                self.execute(job);
            }
        }
    }

    /// Submits pending changes, and publishes the latest cursor if everything is durable.
    fn submit(&mut self) {
        self.user_count.set(self.state.users.len() as i64);
        let virtual_now = if self.clock.is_virtual() { self.now.as_millis() } else { 0 };
        if self.pending.submit(&mut self.state, self.now, virtual_now) {
            self.context.published.publish(self.state.cursor());
        }
    }
}
