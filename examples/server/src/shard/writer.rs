//! The writer: one thread that owns a directory, carries out what it is asked, and hands what must be durable to the
//! flusher before anybody hears of it.
//!
//! A command is decided and applied at once; the record of it is appended to the group that is open. While the flusher
//! writes a group, the next one fills: commits become larger the slower the disk is, and reads never wait for it unless
//! they tell of something that is not durable yet. Nothing can be refused after it was recorded, for one thread does both.

use super::Published;
use super::book::Book;
use super::flusher::Done;
use super::group::Group;
use super::job::{Answer, Changes, Everybody, Job};
use super::users::{Users, shown};
use crate::clock::Clock;
use crate::metrics::Metrics;
use presence_core::directory::{Cursor, Progress};
use presence_core::{Cause, CommandError, Instant, UserId};
use prometheus_client::metrics::gauge::Gauge;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use tokio::sync::oneshot::Sender;

/// Most jobs that are carried out at one moment.
const JOBS_AT_ONCE: usize = 256;
/// Most steps of time between two looks at the queue.
const STEPS_AT_ONCE: usize = 256;
/// Most users and answers that a group collects while the one before is written.
const MAX_GROUP: usize = 8192;
/// Users in one answer about changes, or about everybody.
const CHUNK: usize = 128;
/// Most changes that are looked through for a reader that is behind; one that is further behind starts over. A look
/// through so many takes about as long as a hundred commands.
const MAX_BEHIND: u64 = 4096;

/// The way to the flusher and back.
#[derive(Debug)]
pub struct Disk {
    /// Takes a group.
    pub groups: SyncSender<Group>,
    /// Gives it back.
    pub done: Receiver<Done>,
}

/// A writer, to be run on a thread of its own.
pub struct Writer {
    users: Users,
    book: Book,
    clock: Arc<Clock>,
    now: Instant,
    jobs: Receiver<Job>,
    /// Without one nothing is durable, and nobody waits for it.
    disk: Option<Disk>,
    is_flushing: bool,
    group: Group,
    /// Whose records the open group will have, and whose the one has that is being written.
    touched: HashSet<UserId>,
    in_flight: HashSet<UserId>,
    spare: Group,
    is_behind: bool,
    advancing: Vec<Sender<()>>,
    published: Arc<Published>,
    metrics: Arc<Metrics>,
    places: Gauge,
}

/// What a writer is made of.
pub struct Parts {
    /// The users, as they were restored.
    pub users: Users,
    /// What is known of the journal.
    pub book: Book,
    /// What time it is.
    pub clock: Arc<Clock>,
    /// Where jobs come from.
    pub jobs: Receiver<Job>,
    /// Where groups go.
    pub disk: Option<Disk>,
    /// What readers of changes look at.
    pub published: Arc<Published>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Writer {
    /// A writer of these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { users, book, clock, jobs, disk, published, metrics } = parts;
        Self {
            now: clock.now(),
            users,
            book,
            clock,
            jobs,
            disk,
            is_flushing: false,
            group: Group::default(),
            touched: HashSet::new(),
            in_flight: HashSet::new(),
            spare: Group::default(),
            is_behind: true,
            advancing: Vec::new(),
            places: metrics.users.get_or_create_owned(&published.label()),
            published,
            metrics,
        }
    }

    /// Carries out jobs until it is told to stop. Everything asked before that is answered then, and durable.
    pub fn run(mut self) {
        let mut is_stopping = false;
        while !is_stopping {
            self.take_back();
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
        self.wait_for_flusher();
        self.hand_over();
        self.wait_for_flusher();
    }

    /// Waits for the next job, or until something is due; `None` when nobody can ask any more.
    fn next_job(&self) -> Option<Job> {
        if self.is_behind {
            return Some(self.jobs.try_recv().unwrap_or(Job::Wake));
        }
        match self.users.next_deadline().filter(|_| !self.clock.is_virtual()) {
            None => self.jobs.recv().ok(),
            Some(deadline) => {
                let wait = deadline.saturating_since(self.clock.now());
                match self.jobs.recv_timeout(wait.into()) {
                    Ok(job) => Some(job),
                    Err(RecvTimeoutError::Timeout) => Some(Job::Wake),
                    Err(RecvTimeoutError::Disconnected) => None,
                }
            }
        }
    }

    /// Carries out a job. Returns whether it was the last.
    fn carry_out(&mut self, job: Job) -> bool {
        if !matches!(job, Job::Wake | Job::Stop) {
            self.metrics.queued.dec();
        }
        match job {
            Job::Execute { user, command, answer } => {
                let mut is_changed = false;
                let outcome = self.users.execute(self.now, user, command, |_, transition| {
                    // What time does follows from what is recorded already.
                    is_changed |=
                        !matches!(transition.cause(), Cause::Faded | Cause::Expired | Cause::PreferredExpired);
                });
                if is_changed {
                    self.touched.insert(user);
                }
                let depends_on_all = outcome == Err(CommandError::UsersFull);
                let waits = if depends_on_all { self.is_any_pending() } else { self.is_pending(user) };
                self.answer(Answer::Outcome(answer, outcome), waits);
            }
            Job::Read { user, answer } => {
                let found = self.users.read(user, self.now, |found| shown(user, found));
                self.answer(Answer::Shown(answer, found), self.is_pending(user));
            }
            Job::ReadMany { users, answer } => {
                let mut found = Vec::with_capacity(users.len());
                self.users.read_batch(&users, self.now, |user, read| found.push(shown(user, read)));
                let waits = users.iter().any(|user| self.is_pending(*user));
                self.answer(Answer::ShownMany(answer, found), waits);
            }
            Job::Changes { since, answer } => {
                let changes = self.changes_since(since);
                self.answer(Answer::Changes(answer, changes), self.is_any_pending());
            }
            Job::Everybody { from, answer } => {
                let everybody = self.everybody(from);
                self.answer(Answer::Everybody(answer, everybody), self.is_any_pending());
            }
            Job::Advance { to, answer } => {
                self.now = self.now.max(to);
                self.is_behind = true;
                self.advancing.push(answer);
            }
            Job::Wake => {}
            Job::Stop => return true,
        }
        if self.touched.len() + self.group.answers.len() >= MAX_GROUP {
            self.wait_for_flusher();
            self.hand_over();
        }
        false
    }

    fn is_pending(&self, user: UserId) -> bool {
        self.touched.contains(&user) || self.in_flight.contains(&user)
    }

    fn is_any_pending(&self) -> bool {
        !self.touched.is_empty() || !self.in_flight.is_empty()
    }

    fn answer(&mut self, answer: Answer, waits: bool) {
        if waits && self.disk.is_some() {
            self.group.answers.push(answer);
        } else {
            answer.send();
        }
    }

    fn changes_since(&self, since: Cursor) -> Changes {
        let behind = self.users.cursor().to_number().saturating_sub(since.to_number());
        match self.users.changes_since(since) {
            Ok(changed) if behind <= MAX_BEHIND => Changes::Users(
                changed.take(CHUNK).map(|change| (shown(change.id, change.user), change.cursor)).collect(),
            ),
            _ => Changes::StartOver,
        }
    }

    fn everybody(&self, from: usize) -> Everybody {
        let mut users: Vec<_> =
            self.users.users().skip(from).take(CHUNK + 1).map(|(id, user)| shown(id, user)).collect();
        let next = (users.len() > CHUNK).then_some(from + CHUNK);
        users.truncate(CHUNK);
        Everybody { users, next, cursor: self.users.cursor() }
    }

    /// Lets time pass, some steps of it.
    fn advance(&mut self) {
        for _ in 0..STEPS_AT_ONCE {
            if let Progress::Idle { .. } = self.users.advance(self.now) {
                self.is_behind = false;
                for answer in std::mem::take(&mut self.advancing) {
                    self.answer(Answer::Advanced(answer), true);
                }
                return;
            }
        }
        self.is_behind = true;
    }

    /// Takes a group back that is durable, and sees which of the oldest rows still count.
    fn take_back(&mut self) {
        let done = match &self.disk {
            Some(disk) if self.is_flushing => disk.done.try_recv().ok(),
            _ => None,
        };
        if let Some(done) = done {
            self.is_done(done);
        }
    }

    fn wait_for_flusher(&mut self) {
        let done = match &self.disk {
            Some(disk) if self.is_flushing => disk.done.recv().ok(),
            _ => None,
        };
        if let Some(done) = done {
            self.is_done(done);
        }
    }

    fn is_done(&mut self, done: Done) {
        self.is_flushing = false;
        self.in_flight.clear();
        self.spare = done.group;
        for old in &done.oldest {
            if self.book.counts(&self.users, old) {
                self.touched.insert(old.user);
            }
            self.group.drop_below = Some(old.row + 1);
        }
    }

    /// Hands the open group over, if there is anything in it and the flusher is free; publishes what changed if nothing
    /// needs to be durable first.
    fn hand_over(&mut self) {
        self.places.set(self.users.len() as i64);
        let Some(disk) = self.disk.as_ref() else {
            self.touched.clear();
            return self.published.publish(self.users.cursor());
        };
        if self.is_flushing {
            return;
        }
        let has_work = !self.touched.is_empty() || !self.group.answers.is_empty() || self.group.drop_below.is_some();
        if !has_work {
            return self.published.publish(self.users.cursor());
        }
        let group = &mut self.group;
        for user in self.touched.drain() {
            self.book.append(group, &self.users, user, self.now);
            self.in_flight.insert(user);
        }
        let virtual_now = if self.clock.is_virtual() { self.now.as_millis() } else { 0 };
        group.marks = self.book.changed_marks(self.now, virtual_now, forgotten(&self.users));
        if let Some(row) = group.drop_below {
            self.book.first_row = row;
        }
        group.look_at = self.book.look_at(&self.users, group.len());
        group.cursor = self.users.cursor();
        let group = std::mem::replace(group, std::mem::take(&mut self.spare));
        // The flusher ends the process rather than go away.
        self.is_flushing = disk.groups.send(group).is_ok();
    }
}

/// The number above every version of a user that was forgotten.
fn forgotten(_users: &Users) -> u64 {
    0
}
