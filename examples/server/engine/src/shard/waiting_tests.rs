//! Tests of a disk that has not answered yet: nothing is shown before it is durable, and what a disk has no room for is not shown.
//!
//! The test is the flusher. A group that it has taken and not given back is one that the disk has not answered.

use super::commit::Commit;
use super::creators::Quota;
use super::flusher::{Flushed, FlushedGroup, FlusherContext, Unstored};
use super::job::{ActionError, ActionOutcome, Changes, Job, OwnedDetailsCommand, Response, UserView};
use super::pending::MAX_GROUP;
use super::state::State;
use super::tests::{at, first_with_responses, id, message, set, writer_of};
use super::user_limit::UserLimit;
use super::writer::MAX_JOBS;
use super::{Published, Shard};
use crate::clock::Shift;
use crate::journal::sqlite::SqliteJournal;
use crate::journal::{Group, Journal, JournalError, Metadata, Position, Record, Row};
use crate::metrics::Metrics;
use presence_core::details::DetailsError;
use presence_core::directory::Cursor;
use presence_core::{Command, CommandError, Instant, Policy, Presence, SessionId};
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::oneshot::{Sender, channel};
use tokio::sync::watch;

/// The application that users count for.
const APPLICATION: Option<SessionId> = Some(SessionId::from_bytes([8; 16]));
/// A user of whom nothing is ever stored.
const NOBODY: u8 = 99;

/// A journal on a disk that answers when the test says so: it tells of each group, and waits before it stores it.
#[derive(Debug)]
struct HeldJournal {
    journal: SqliteJournal,
    begun: std::sync::mpsc::Sender<()>,
    answer: Receiver<()>,
}

impl HeldJournal {
    /// Returns the journal, what it tells, and the answers of the disk; without the latter the disk answers at once.
    fn new(journal: SqliteJournal) -> (Self, Receiver<()>, std::sync::mpsc::Sender<()>) {
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (answered, answer) = std::sync::mpsc::channel();
        (Self { journal, begun, answer }, has_begun, answered)
    }
}

impl Journal for HeldJournal {
    fn name(&self) -> String {
        self.journal.name()
    }

    fn position(&self) -> Result<Position, JournalError> {
        self.journal.position()
    }

    fn metadata(&self) -> Result<Metadata, JournalError> {
        self.journal.metadata()
    }

    fn append(&self, expected: Position, group: &Group) -> Result<Position, JournalError> {
        let _ = (self.begun.send(()), self.answer.recv());
        self.journal.append(expected, group)
    }

    fn read(&self, after: i64, each: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>) -> Result<i64, JournalError> {
        self.journal.read(after, each)
    }

    fn trim(&self, before: i64) -> Result<(), JournalError> {
        self.journal.trim(before)
    }
}

/// A running writer and a disk that answers when the test says so.
struct Held {
    jobs: SyncSender<Job>,
    groups: Receiver<Commit>,
    flushed: SyncSender<Flushed>,
    published: Arc<Published>,
    writer: std::thread::JoinHandle<()>,
}

impl Held {
    /// Starts a writer that finds these jobs in its queue, for at most so many users, of one application too.
    fn start(users: usize, quota: usize, jobs: Vec<Job>) -> Self {
        let state = State::new(users, Arc::new(UserLimit::new(users)), Arc::new(Quota::new(quota)));
        let (writer, Shard { jobs: queue, published }, groups, flushed) = writer_of(state);
        jobs.into_iter().for_each(|job| queue.send(job).unwrap());
        Self { jobs: queue, groups, flushed, published, writer: std::thread::spawn(|| writer.run()) }
    }

    /// Takes the next group that responses wait for; groups of the clock alone are durable at once.
    fn take(&self) -> Commit {
        first_with_responses(&self.jobs, &self.groups, &self.flushed)
    }

    /// Makes a group durable.
    fn give_back(&self, mut group: Commit) {
        group.responses.drain(..).for_each(Response::send);
        group.clear();
        self.flushed.send(Flushed::Group(FlushedGroup { commit: group, oldest: vec![] })).unwrap();
        self.jobs.send(Job::Wake).unwrap();
    }

    /// Waits until the jobs sent so far have been executed: a read of somebody of whom nothing is stored waits for no disk.
    fn settle(&self) -> UserView {
        let (to, view) = channel();
        self.jobs.send(Job::Read(id(NOBODY), to)).unwrap();
        view.blocking_recv().unwrap()
    }

    /// Returns the cursor that readers of changes are told of.
    fn published(&self) -> u64 {
        self.published.cursor()
    }

    /// Stops the writer, whose last groups are durable at once.
    fn stop(self) {
        self.jobs.send(Job::Stop).unwrap();
        let Self { groups, flushed, writer, .. } = self;
        while let Ok(mut group) = groups.recv() {
            group.responses.drain(..).for_each(Response::send);
            if flushed.send(Flushed::Group(FlushedGroup { commit: group, oldest: vec![] })).is_err() {
                break;
            }
        }
        writer.join().unwrap();
    }
}

/// A job, and the question whether it was answered.
type Asked = (Job, Answer);
type Answer = Box<dyn FnMut() -> Option<String>>;

/// Makes a job whose answer can be looked for, once.
fn ask<T: Debug + 'static>(job: impl FnOnce(Sender<T>) -> Job) -> Asked {
    let (to, mut response) = channel();
    let answered = move || match response.try_recv() {
        Ok(response) => Some(format!("{response:?}")),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Closed) => Some("closed".to_owned()),
    };
    (job(to), Box::new(answered))
}

fn execute(user: u8, command: Command<SessionId>) -> impl FnOnce(Sender<ActionOutcome>) -> Job {
    move |to| Job::Execute(id(user), command, &Policy::GRAPH, APPLICATION, to)
}

fn set_message(user: u8, text: &str) -> impl FnOnce(Sender<ActionOutcome>) -> Job {
    let command = OwnedDetailsCommand::from_command(message(text, Instant::NEVER));
    move |to| Job::ExecuteDetails(id(user), Box::new(command), Shift::default(), APPLICATION, to)
}

/// A bulk read of so many users of whom nothing is stored, and of the first user behind them.
fn bulk(others: usize) -> Asked {
    let mut users = vec![id(NOBODY); others];
    users.push(id(1));
    ask(|to| Job::ReadMany(users, to))
}

/// Makes what shows something of the first user, or follows from it.
fn about_the_first_user() -> Vec<Asked> {
    let clear = |session| Command::ClearPresence { session: SessionId::from_bytes([session; 16]) };
    let mut all = vec![
        ask(|to| Job::Read(id(1), to)),
        ask(|to| Job::Explain(id(1), to)),
        ask(|to| Job::Changes(Cursor::START, to)),
        ask(|to| Job::FullScan(0, to)),
        ask(|to| Job::List(0, 9, to)),
        ask(execute(1, set(300))),
        // Two that change nothing, and one that is refused.
        ask(execute(1, Command::ClearPreferredPresence)),
        ask(set_message(1, "x")),
        ask(execute(1, clear(7))),
        ask(execute(1, clear(9))),
        ask(set_message(1, "")),
        ask(|to| Job::SignOut(id(1), to)),
        ask(|to| Job::Erase(id(1), to)),
        ask(|to| Job::Advance(at(100), to)),
    ];
    // Beyond every number of users that might be looked at at a time.
    all.extend([0, 15, 16, 63, 64, 127, 255, 649].map(bulk));
    all
}

/// Sends `late` behind `early`, whose changes are written to a disk that does not answer, and requires that it is not answered
/// before they are durable: both in one group, and when theirs is being written already.
fn assert_waits(users: usize, quota: usize, early: &dyn Fn() -> Vec<Asked>, late: &dyn Fn() -> Asked) -> String {
    let mut answers = [false, true].map(|is_written| {
        let (late, mut answer) = late();
        let name = format!("{late:?}, {is_written}");
        let (mut jobs, mut earlier): (Vec<_>, Vec<_>) = early().into_iter().unzip();
        let mut behind = Some(late);
        jobs.extend(behind.take_if(|_| !is_written));
        let held = Held::start(users, quota, jobs);
        let mut group = held.take();
        if let Some(late) = behind {
            held.jobs.send(late).unwrap();
            held.settle();
            assert_eq!(answer(), None, "{name}: before the change that it follows from is durable");
            assert!(earlier.iter_mut().all(|earlier| earlier().is_none()), "{name}");
            held.give_back(group);
            group = held.take();
        }
        held.settle();
        assert_eq!(answer(), None, "{name}: before what it may show itself is durable");
        held.give_back(group);
        let answered = answer();
        held.stop();
        answered.unwrap_or_else(|| panic!("{name}: it is never answered"))
    });
    assert_eq!(answers[0], answers[1]);
    std::mem::take(&mut answers[0])
}

#[test]
fn what_follows_from_a_change_waits_until_the_change_is_durable() {
    let early = || vec![ask(execute(1, set(300))), ask(set_message(1, "x"))];
    for number in 0..about_the_first_user().len() {
        let answer = assert_waits(9, 9, &early, &|| about_the_first_user().swap_remove(number));
        assert_ne!(answer, "closed");
    }
}

/// A refusal for want of room says that others are stored, so it must not come before they are.
#[test]
fn s9_a_refusal_for_want_of_room_waits_for_those_who_take_it() {
    let full = format!("{:?}", Err::<(), _>(ActionError::from(CommandError::UsersFull)));
    let full_of_details = format!("{:?}", Err::<(), _>(ActionError::from(DetailsError::UsersFull)));
    let application_full = format!("{:?}", Err::<(), _>(ActionError::ApplicationFull));
    let sessions = || vec![ask(execute(1, set(300))), ask(execute(2, set(300)))];
    let messages = || vec![ask(set_message(1, "x")), ask(set_message(2, "x"))];
    for early in [&sessions as &dyn Fn() -> Vec<Asked>, &messages] {
        assert_eq!(assert_waits(2, 9, early, &|| ask(execute(3, set(300)))), full);
        assert_eq!(assert_waits(2, 9, early, &|| ask(set_message(3, "x"))), full_of_details);
        assert_eq!(assert_waits(9, 2, early, &|| ask(execute(3, set(300)))), application_full);
        assert_eq!(assert_waits(9, 2, early, &|| ask(set_message(3, "x"))), application_full);
    }
}

/// What follows from nothing that waits is answered while the disk stands still.
#[test]
fn others_do_not_wait_for_the_disk() {
    let held = Held::start(9, 9, vec![ask(execute(1, set(300))).0]);
    let group = held.take();
    let not_found = Command::ClearPresence { session: SessionId::from_bytes([7; 16]) };
    let (jobs, mut answers): (Vec<_>, Vec<_>) = [
        ask(|to| Job::Read(id(2), to)),
        ask(|to| Job::Explain(id(2), to)),
        ask(|to| Job::ReadMany(vec![id(2); 650], to)),
        ask(execute(2, not_found)),
        ask(execute(2, Command::ClearPreferredPresence)),
        ask(|to| Job::SignOut(id(2), to)),
    ]
    .into_iter()
    .unzip();
    jobs.into_iter().for_each(|job| held.jobs.send(job).unwrap());
    held.settle();
    assert!(answers.iter_mut().all(|answer| answer().is_some_and(|answer| answer != "closed")));
    held.give_back(group);
    held.stop();
}

/// Readers of changes are told of a change when it is durable, and not before.
#[test]
fn a_change_is_published_when_it_is_durable() {
    let held = Held::start(9, 9, vec![ask(execute(1, set(300))).0]);
    let first = held.take();
    held.jobs.send(ask(execute(2, set(300))).0).unwrap();
    held.settle();
    assert_eq!(held.published(), 0, "nothing is durable");
    assert_eq!(first.cursor.to_number(), 1, "the group ends before the second change");
    held.give_back(first);
    let second = held.take();
    assert_eq!(second.cursor.to_number(), 2);
    held.settle();
    assert_eq!(held.published(), 0, "the flusher publishes what it has written, and the writer nothing meanwhile");
    held.give_back(second);
    held.stop();
}

/// Requests that waited for a group without room on the disk are told what is stored, never what was discarded.
#[test]
fn without_room_only_what_is_stored_is_shown() {
    let own = tempfile::TempDir::new().unwrap();
    let journal = SqliteJournal::create(&own.path().join("x.sqlite")).unwrap();
    let held = Held::start(9, 9, vec![ask(execute(1, set(300))).0]);
    let first = held.take();
    let (to, executed) = channel();
    held.jobs.send(execute(2, set(300))(to)).unwrap();
    let (to, read) = channel();
    held.jobs.send(Job::Read(id(1), to)).unwrap();
    let (to, explained) = channel();
    held.jobs.send(Job::Explain(id(1), to)).unwrap();
    let (to, many) = channel();
    held.jobs.send(Job::ReadMany(vec![id(2), id(1), id(2)], to)).unwrap();
    let (to, scanned) = channel();
    held.jobs.send(Job::FullScan(0, to)).unwrap();
    let (to, listed) = channel();
    held.jobs.send(Job::List(0, 9, to)).unwrap();
    let (to, changes) = channel();
    held.jobs.send(Job::Changes(Cursor::START, to)).unwrap();
    held.settle();
    held.flushed.send(Flushed::Full(Box::new(Unstored { commit: first, journal: Box::new(journal) }))).unwrap();
    held.jobs.send(Job::Wake).unwrap();
    let shown = |view: &UserView| (view.user, view.presence, view.version);
    let nothing = |user| (id(user), Presence::Offline, 0);
    assert_eq!(shown(&read.blocking_recv().unwrap()), nothing(1));
    assert!(explained.blocking_recv().unwrap().sessions.is_empty());
    let many: Vec<_> = many.blocking_recv().unwrap().iter().map(shown).collect();
    assert_eq!(many, [2, 1, 2].map(nothing));
    // Without a response these get 503, or ask again.
    assert!(executed.blocking_recv().is_err());
    assert!(scanned.blocking_recv().is_err());
    assert!(listed.blocking_recv().is_err());
    assert!(changes.blocking_recv().is_err());
    // Who followed changes before starts over: its cursor may stand for what is discarded.
    let (to, changes) = channel();
    held.jobs.send(Job::Changes(Cursor::from_number(1), to)).unwrap();
    assert!(matches!(changes.blocking_recv().unwrap(), Changes::StartOver));
    held.jobs.send(Job::Stop).unwrap();
    held.writer.join().unwrap();
}

/// Waits for an answer, for long on a busy machine: one that never comes fails the test instead of stopping it.
fn wait_for(answered: &mut Answer) -> String {
    let started = std::time::Instant::now();
    loop {
        if let Some(answer) = answered() {
            return answer;
        }
        assert!(started.elapsed().as_secs() < 300, "no answer comes");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// What has to be stored is refused while there is no room, but advances of the clock wait for it.
#[test]
fn without_room_commands_are_refused_and_advances_wait() {
    let own = tempfile::TempDir::new().unwrap();
    let journal = SqliteJournal::create(&own.path().join("x.sqlite")).unwrap();
    let (journal, has_begun, answer) = HeldJournal::new(journal);
    let held = Held::start(9, 9, vec![ask(execute(1, set(300))).0]);
    let first = held.take();
    let advance = |until| {
        let (job, answered) = ask(|to| Job::Advance(at(until), to));
        held.jobs.send(job).unwrap();
        answered
    };
    // The first is in the next group. The second has not got so far: what it makes due fills that group.
    let mut advances = vec![advance(20)];
    (0..=MAX_JOBS).for_each(|_| drop(held.settle()));
    let (job, _executed) = ask(execute(2, set(300)));
    held.jobs.send(job).unwrap();
    let in_group = ["the advance", "the user", "the response about it"].len();
    let (reads, _answers): (Vec<_>, Vec<_>) = (in_group..MAX_GROUP - 1).map(|_| ask(|to| Job::Read(id(2), to))).unzip();
    reads.into_iter().for_each(|job| held.jobs.send(job).unwrap());
    held.settle();
    advances.push(advance(400));
    held.flushed.send(Flushed::Full(Box::new(Unstored { commit: first, journal: Box::new(journal) }))).unwrap();
    held.jobs.send(Job::Wake).unwrap();
    // The disk is asked for room, and has not answered.
    has_begun.recv().unwrap();
    advances.push(advance(30));
    for (job, mut answered) in [
        ask(execute(1, set(300))),
        ask(execute(1, Command::ClearPreferredPresence)),
        ask(set_message(1, "x")),
        ask(|to| Job::SignOut(id(1), to)),
        ask(|to| Job::Erase(id(1), to)),
    ] {
        held.jobs.send(job).unwrap();
        assert_eq!(wait_for(&mut answered), "closed");
    }
    held.settle();
    assert!(advances.iter_mut().all(|answered| answered().is_none()), "they wait");
    // There is room, from now on.
    drop(answer);
    let answers: Vec<_> = advances.iter_mut().map(wait_for).collect();
    assert!(answers.iter().all(|answer| answer != "closed"), "{answers:?}");
    assert_eq!(held.settle().presence, Presence::Offline);
    let (job, mut executed) = ask(execute(1, set(300)));
    held.jobs.send(job).unwrap();
    assert_eq!(wait_for(&mut executed), "Ok(())");
    held.jobs.send(Job::Stop).unwrap();
    held.writer.join().unwrap();
}

/// As long as the disk has not answered, the oldest change waits: that of the group that is written, then that of the next.
#[test]
fn the_oldest_change_waits_until_its_group_is_durable() {
    let (job, _executed) = ask(execute(1, set(300)));
    let held = Held::start(8, 8, vec![job]);
    let first = held.take();
    held.settle();
    let age = || held.published.unflushed();
    let waited = age().unwrap();
    while age().unwrap() <= waited {
        std::thread::yield_now();
    }
    // One that comes meanwhile is younger.
    let (job, _executed) = ask(execute(2, set(300)));
    held.jobs.send(job).unwrap();
    held.settle();
    let before = age().unwrap();
    assert!(before > waited);
    held.give_back(first);
    let second = held.take();
    held.settle();
    assert!(age().is_some());
    held.give_back(second);
    // The writer has seen it when a read is answered after the next look at the flusher.
    while age().is_some() {
        held.settle();
    }
    held.stop();
}

/// The flusher itself: no response and no cursor leaves it before the commit has returned.
#[test]
fn the_flusher_tells_nobody_of_a_group_before_it_is_committed() {
    let own = tempfile::TempDir::new().unwrap();
    let journal = SqliteJournal::create(&own.path().join("x.sqlite")).unwrap();
    let (journal, has_begun, answer) = HeldJournal::new(journal);
    let (Shard { jobs, published }, _queue) = Shard::new(0, &watch::channel(()).0);
    let context = FlusherContext { jobs, published, metrics: Arc::new(Metrics::default()) };
    let (link, thread) = context.start(Box::new(journal), false);
    for number in 1..=3 {
        let (to, mut read) = channel();
        let view = UserView { user: id(1), presence: Presence::Away, version: 1, details: None };
        let mut group = Commit { cursor: Cursor::from_number(number), ..Commit::default() };
        group.expected.row = number as i64 - 1;
        group.group.push(Record::User, id(1), at(number), &[7]);
        group.responses.push(Response::Read(to, view));
        link.groups.send(group).unwrap();
        has_begun.recv().unwrap();
        assert_eq!(read.try_recv().unwrap_err(), TryRecvError::Empty, "the disk has not answered");
        assert_eq!(context.published.cursor(), number - 1);
        assert!(link.flushed.try_recv().is_err());
        answer.send(()).unwrap();
        assert!(read.blocking_recv().is_ok());
        assert!(matches!(link.flushed.recv().unwrap(), Flushed::Group(_)));
        assert_eq!(context.published.cursor(), number);
    }
    drop(link);
    thread.join().unwrap();
}
