//! Tests of a shard without threads and sockets: evictions, damage and kills.

use super::commit::Commit;
use super::creators::{Creators, Quota};
use super::flusher::{Flushed, FlushedGroup, FlusherContext, FlusherLink, oldest_rows};
use super::job::{ActionError, Changes, Job, Response};
use super::journal_index::JournalIndex;
use super::pending::Pending;
use super::restore;
use super::user_limit::UserLimit;
use super::writer::{Parts, Writer};
use super::{Shard, slots, stored_clock};
use crate::clock::{Clock, Shift, Time};
use crate::data;
use crate::journal::sqlite::SqliteJournal;
use crate::journal::{Group, Journal, Record, Row};
use crate::metrics::Metrics;
use presence_core::details::{DetailsCommand, LocationLayer, OutOfOffice, WorkLocationType, WorkPlace};
use presence_core::directory::Cursor;
use presence_core::{Absence, Command, CommandError, Duration, Instant, Policy, Presence, SessionId, UserId};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::sync::oneshot::channel;
use tokio::sync::watch;

/// A state with the default number of sessions of a user.
type State = super::state::State<8>;

pub(super) fn id(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

pub(super) fn empty_state(users: usize) -> State {
    State::new(users, Arc::new(UserLimit::new(users)), Arc::new(Quota::new(users)))
}

pub(super) fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

/// Returns the time on a clock that was never shifted.
pub(super) fn time(now: Instant) -> Time {
    Time { now, shift: Shift::default() }
}

pub(super) fn set(lease: u64) -> Command<SessionId> {
    Command::SetPresence {
        session: SessionId::from_bytes([9; 16]),
        presence: Presence::InACall,
        lease: Some(Duration::from_secs(lease)),
    }
}

impl State {
    /// Executes a command under Graph's policy.
    pub(super) fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
    ) -> Result<bool, CommandError> {
        self.execute_under(now, user, command, &Policy::GRAPH)
    }
}

pub(super) fn message(text: &str, until: Instant) -> DetailsCommand<'_> {
    DetailsCommand::SetStatusMessage { text, expires_at: until }
}

/// Pending changes, and the flusher's ends of the channels.
pub(super) fn pending(index: JournalIndex) -> (Pending, Receiver<Commit>, SyncSender<Flushed>) {
    let (groups, submitted) = sync_channel(1);
    let (flushed, from_flusher) = sync_channel(1);
    (Pending::new(Some(FlusherLink { groups, flushed: from_flusher }), index), submitted, flushed)
}

/// Makes a group durable, as the flusher does.
pub(super) fn flush(journal: &dyn Journal, mut commit: Commit) -> FlushedGroup {
    if !commit.group.writes_nothing() {
        journal.append(commit.expected, &commit.group).unwrap();
        journal.trim(commit.first_row).unwrap();
    }
    let oldest = oldest_rows(journal, commit.first_row, commit.review_count).unwrap();
    commit.clear();
    FlushedGroup { commit, oldest }
}

/// Appends a group where the journal is.
pub(super) fn append(journal: &dyn Journal, group: &Group) {
    let position = journal.position().unwrap();
    journal.append(position, group).unwrap();
}

pub(super) fn refs(journals: &[Box<dyn Journal>]) -> Vec<&dyn Journal> {
    journals.iter().map(AsRef::as_ref).collect()
}

/// Returns the number of rows that are left in a journal.
pub(super) fn count_rows(journal: &dyn Journal) -> usize {
    let mut count = 0;
    let each = &mut |_: Row<'_>| {
        count += 1;
        ControlFlow::Continue(())
    };
    journal.read(0, each).unwrap();
    count
}

/// The same user of two is evicted for a third, however often or late time is advanced.
#[test]
fn m4_eviction_does_not_depend_on_when_time_is_advanced() {
    let run = |advance_at: &[u64]| {
        let mut state = empty_state(2);
        state.execute(at(0), id(1), set(300)).unwrap();
        state.execute_details(at(0), id(1), message("x", at(400))).unwrap();
        state.execute(at(50), id(2), set(300)).unwrap();
        for moment in advance_at {
            while state.advance(at(*moment)) {}
        }
        state.execute(at(1000), id(3), set(300)).unwrap();
        [1, 2].map(|user| state.read(at(1000), id(user)).version)
    };
    assert_eq!(run(&[320, 360, 420]), run(&[]));
}

/// Rules V1, M5: nothing visible changes, so no version and no slot is used.
#[test]
fn v1_unchanged_out_of_office_counts_nothing() {
    let mut state = empty_state(1);
    state.execute(at(0), id(1), set(300)).unwrap();
    while state.advance(at(300)) {}
    let before = [1, 2].map(|user| state.read(at(300), id(user)).version);
    let out = OutOfOffice { is_out_of_office: false, message: None };
    state.execute_details(at(300), id(2), DetailsCommand::SetOutOfOffice(out)).unwrap();
    assert_eq!([1, 2].map(|user| state.read(at(300), id(user)).version), before);
}

/// The command changes nothing, so it succeeds although every slot is used.
#[test]
fn s9_unchanged_out_of_office_needs_no_slot() {
    let mut state = empty_state(1);
    state.execute(at(0), id(1), set(300)).unwrap();
    let out = OutOfOffice { is_out_of_office: false, message: None };
    state.execute_details(at(1), id(2), DetailsCommand::SetOutOfOffice(out)).unwrap();
}

/// A reader of a state that was reloaded from the journal must not miss what the number of its cursor stands for now.
#[test]
fn readers_of_a_replaced_state_start_over() {
    let mut state = empty_state(4);
    (1..=3).for_each(|user| assert_eq!(state.execute(at(0), id(user), set(300)), Ok(true)));
    let earlier = state.cursor();
    state.replace();
    state.execute(at(0), id(1), set(300)).unwrap();
    for since in [Cursor::START, earlier] {
        assert!(matches!(state.changes_since(at(0), since), Changes::StartOver), "{since:?}");
    }
    let scan = state.scan(at(0), 0);
    let scanned = scan.cursor;
    assert!((earlier.to_number() + 1..=scanned.to_number()).contains(&scan.generation), "{scan:?}");
    state.execute(at(0), id(2), set(300)).unwrap();
    let Changes::Users(users) = state.changes_since(at(0), scanned) else { panic!() };
    assert_eq!(users.iter().map(|(view, cursor)| (view.user, *cursor)).collect::<Vec<_>>(), [(id(2), state.cursor())]);
}

/// Others must not take the places of users who are about to be restored.
#[test]
fn users_count_for_their_application_while_a_state_is_loaded_anew() {
    let (quota, application) = (Arc::new(Quota::new(3)), SessionId::from_bytes([9; 16]));
    let other_shard = Creators::new(quota.clone());
    let is_full = || {
        let has_place = other_shard.reserve(Some(application)).is_ok();
        other_shard.cancel(Some(application).filter(|_| has_place));
        !has_place
    };
    let mut state = State::new(4, Arc::new(UserLimit::new(4)), quota);
    for user in 1..=3 {
        assert!(!is_full());
        state.execute_for(at(0), Some(application), id(user), set(300), &Policy::GRAPH).unwrap();
    }
    // Also if it turns out to need more slots.
    for slots in [4, 8] {
        state.replace_with_slots(slots);
        assert!(is_full());
        state.creators.restore(id(1), application);
        assert!(is_full());
    }
    // The third user was not stored.
    state.creators.restore(id(2), application);
    assert!(is_full());
    state.creators.end_restoring();
    assert!(!is_full());
    other_shard.reserve(Some(application)).unwrap();
    assert!(is_full());
}

/// Rule V1: one version stands for one presence object.
#[test]
fn v1_changes_and_reads_show_the_same() {
    let mut state = empty_state(2);
    state.execute(at(0), id(1), set(300)).unwrap();
    state.execute_details(at(0), id(1), message("x", at(400))).unwrap();
    let shown = |view: &super::job::UserView| {
        let details = view.details.as_ref();
        (view.version + details.map_or(0, |details| details.version()), view.presence, details.is_some())
    };
    let on_time = state.read(at(350), id(1));
    let Changes::Users(users) = state.changes_since(at(450), Cursor::START) else { panic!() };
    let late = shown(&users[0].0);
    assert!(late.0 != shown(&on_time).0 || late == shown(&on_time), "{late:?} {:?}", shown(&on_time));
}

/// A read of an evicted user must wait too, because a kill would undo the eviction.
#[test]
fn an_eviction_is_pending_until_it_is_durable() {
    let mut state = empty_state(1);
    let (mut pending, groups, flushed) = pending(JournalIndex::new(2));
    state.execute(at(0), id(1), set(300)).unwrap();
    pending.mark_dirty(&state.users, id(1));
    pending.submit(&mut state, at(0), 0);
    flushed.send(Flushed::Group(FlushedGroup { commit: groups.recv().unwrap(), oldest: vec![] })).unwrap();
    assert!(pending.poll_flushed(&state).is_none());
    assert!(pending.is_empty());
    assert_eq!(state.read(at(300), id(1)).version, 2);
    // The second user evicts the first; nothing is durable yet.
    state.execute(at(300), id(2), set(300)).unwrap();
    pending.mark_dirty(&state.users, id(2));
    assert_eq!(state.read(at(300), id(1)).version, 0);
    assert!(pending.contains(id(1)), "a read would not wait, and a kill would undo what it showed");
    pending.submit(&mut state, at(300), 0);
    assert!(pending.contains(id(1)), "while it is written, too");
}

/// Clients that have hung up hold no memory, however slow the disk is.
#[test]
fn responses_of_clients_that_have_hung_up_are_dropped() {
    let (mut pending, groups, _flushed) = pending(JournalIndex::new(2));
    let mut state = empty_state(2);
    state.execute(at(7), id(1), set(300)).unwrap();
    pending.mark_dirty(&state.users, id(1));
    let mut waiting = Vec::new();
    let mut most = 0;
    for round in 0..3_000 {
        let (to, views) = channel();
        if round % 100 == 0 {
            waiting.push(views);
        } else {
            drop(views);
        }
        pending.respond(Response::ReadMany(to, state.read_many(at(7), &[id(1); 65])), true);
        most = most.max(pending.waiting());
    }
    assert!(most <= 64.max(2 * waiting.len()), "{most} responses of {} clients", waiting.len());
    pending.submit(&mut state, at(7), 0);
    groups.recv().unwrap().responses.drain(..).for_each(Response::send);
    for views in waiting {
        assert_eq!(views.blocking_recv().unwrap().len(), 65, "those who wait are answered");
    }
}

/// A writer of a state at the instant 7, its handle, and the flusher's ends of the channels: the test is the flusher.
pub(super) fn writer_of(state: State) -> (Writer<8>, Shard, Receiver<Commit>, SyncSender<Flushed>) {
    let (pending, groups, flushed) = pending(JournalIndex::new(state.users.capacity()));
    let (metrics, notify) = (Arc::new(Metrics::default()), watch::channel(()).0);
    let (shard, queue) = Shard::new(0, &notify);
    let context = FlusherContext { jobs: shard.jobs.clone(), published: shard.published.clone(), metrics };
    let clock = Arc::new(Clock::virtual_at(at(7)));
    let parts = Parts { state, pending, clock, time: time(at(7)), jobs: queue, flusher: None, context };
    (Writer::new(parts), shard, groups, flushed)
}

/// A writer of two users, its queue, and the flusher's ends of the channels.
fn writer() -> (Writer<8>, SyncSender<Job>, Receiver<Commit>, SyncSender<Flushed>) {
    let (writer, Shard { jobs, .. }, groups, flushed) = writer_of(empty_state(2));
    (writer, jobs, groups, flushed)
}

/// Waits for the first group that has responses: it is submitted after the jobs were executed.
pub(super) fn first_with_responses(
    jobs: &SyncSender<Job>,
    groups: &Receiver<Commit>,
    flushed: &SyncSender<Flushed>,
) -> Commit {
    loop {
        let group = groups.recv().unwrap();
        if !group.responses.is_empty() {
            return group;
        }
        flushed.send(Flushed::Group(FlushedGroup { commit: group, oldest: vec![] })).unwrap();
        jobs.send(Job::Wake).unwrap();
    }
}

/// A read in a queue is not carried out for a client that has hung up; a command is.
#[test]
fn jobs_of_clients_that_have_hung_up_are_not_read() {
    let (writer, jobs, groups, flushed) = writer();
    let send = |job| jobs.send(job).unwrap();
    send(Job::Execute(id(1), set(300), &Policy::GRAPH, None, channel().0));
    send(Job::Read(id(1), channel().0));
    send(Job::Explain(id(1), channel().0));
    send(Job::ReadMany(vec![id(1); 650], channel().0));
    send(Job::Changes(Cursor::START, channel().0));
    send(Job::FullScan(0, channel().0));
    send(Job::List(0, 2, channel().0));
    let (to, read) = channel();
    send(Job::Read(id(1), to));
    let writer = std::thread::spawn(|| writer.run());
    let mut group = first_with_responses(&jobs, &groups, &flushed);
    assert_eq!(group.responses.len(), 2, "of the command, and of the read that is waited for: {:?}", group.responses);
    group.responses.drain(..).for_each(Response::send);
    assert_eq!(read.blocking_recv().unwrap().presence, Presence::InACall);
    flushed.send(Flushed::Group(FlushedGroup { commit: group, oldest: vec![] })).unwrap();
    jobs.send(Job::Stop).unwrap();
    writer.join().unwrap();
}

/// An explanation waits, as a read does, until what it shows is durable.
#[test]
fn an_explanation_waits_until_the_user_is_durable() {
    let (writer, jobs, groups, flushed) = writer();
    let (to, executed) = channel();
    jobs.send(Job::Execute(id(1), set(300), &Policy::GRAPH, None, to)).unwrap();
    let (to, mut explained) = channel();
    jobs.send(Job::Explain(id(1), to)).unwrap();
    let (to, other) = channel();
    jobs.send(Job::Explain(id(2), to)).unwrap();
    let writer = std::thread::spawn(|| writer.run());
    let mut group = first_with_responses(&jobs, &groups, &flushed);
    assert_eq!(
        other.blocking_recv().unwrap().absence,
        Some(Absence::NeverSeen),
        "it shows nothing that is not durable"
    );
    assert!(explained.try_recv().is_err(), "it waits");
    group.responses.drain(..).for_each(Response::send);
    flushed.send(Flushed::Group(FlushedGroup { commit: group, oldest: vec![] })).unwrap();
    assert_eq!(executed.blocking_recv().unwrap(), Ok(()));
    let explained = explained.blocking_recv().unwrap();
    assert_eq!((explained.why.presence, explained.why.since, explained.at), (Presence::InACall, Some(at(7)), at(7)));
    jobs.send(Job::Stop).unwrap();
    writer.join().unwrap();
}

/// Details that are partly overdue must not be written as an empty row.
#[test]
fn overdue_details_are_advanced_before_they_are_written() {
    let mut state = empty_state(2);
    let (mut pending, groups, _done) = pending(JournalIndex::new(2));
    state.execute_details(at(0), id(1), message("x", at(10))).unwrap();
    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
    let location = DetailsCommand::SetLocation { layer: LocationLayer::Manual, place, until: at(20) };
    state.execute_details(at(0), id(1), location).unwrap();
    state
        .execute_details(
            at(0),
            id(1),
            DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office: true, message: None }),
        )
        .unwrap();
    state.details.take_changed();
    state.execute(at(0), id(2), set(300)).unwrap();
    // The directory is full: due transitions are applied to free a slot, the expiry of the message among them.
    assert!(state.execute(at(10), id(3), set(300)).is_err());
    // In the same round of the writer a virtual clock advances, and the group is full.
    pending.submit(&mut state, at(30), 30_000);
    let group = groups.recv().unwrap();
    let lengths: Vec<usize> =
        group.group.rows(1).filter(|row| row.record == Record::Details).map(|row| row.bytes.len()).collect();
    assert!(state.details.get(id(1)).is_some_and(|details| details.out_of_office().is_out_of_office));
    assert!(lengths.iter().all(|len| *len > 0), "{lengths:?}");
}

/// Rule S9: due transitions free slots, also at a start with a smaller directory.
#[test]
fn s9_expired_messages_take_no_slot_after_a_restart() {
    let own = tempfile::TempDir::new().unwrap();
    let journal = SqliteJournal::create(&own.path().join("x.sqlite")).unwrap();
    let mut state = empty_state(2);
    let (mut pending, groups, _done) = pending(JournalIndex::new(2));
    for user in [1, 2] {
        state.execute_details(at(0), id(user), message("x", at(10))).unwrap();
    }
    pending.mark_changed_details(&mut state);
    pending.submit(&mut state, at(0), 0);
    flush(&journal, groups.recv().unwrap());
    for (users, now) in [(2, 5), (2, 20), (1, 20)] {
        let outcome = restore::load(&journal, &mut empty_state(users), &mut JournalIndex::new(users), time(at(now)));
        assert!(outcome.is_ok(), "{users} {now}: {outcome:?}");
    }
}

/// No clock starts before a stored instant, whatever the order of the rows.
#[test]
fn the_newest_instant_survives_a_change_of_shards() {
    let own = tempfile::TempDir::new().unwrap();
    for shards in [1, 2, 1] {
        let journals = data::open(own.path(), shards).unwrap().journals;
        if stored_clock(&refs(&journals)).unwrap().newest == Instant::ZERO {
            let mut group = Group::default();
            group.push(Record::User, id(1), at(5), &[7]);
            group.push(Record::User, id(2), at(6), &[7]);
            append(&*journals[0], &group);
        }
        assert_eq!(stored_clock(&refs(&journals)).unwrap().newest, at(6), "{shards}");
    }
}

#[test]
fn one_shard_has_exactly_the_requested_capacity() {
    assert_eq!(slots(5, 1), 5);
    assert!(slots(1000, 4) * 4 >= 1000);
}

/// Random commands of three applications and of a caller without a limit, evictions, expiries, kills. A user counts for the
/// caller that stored something of it first, until nothing is stored; no application passes the limit; a restart changes
/// nothing.
#[test]
fn users_count_for_their_creators() {
    const CAPACITY: usize = 6;
    const LIMIT: usize = 2;
    let own = tempfile::TempDir::new().unwrap();
    let mut rejected = [0; 2];
    for seed in 0..12u32 {
        let journal = SqliteJournal::create(&own.path().join(format!("{seed}.sqlite"))).unwrap();
        let mut random = seed.wrapping_mul(2_654_435_761).wrapping_add(777);
        let mut next = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 12) % below
        };
        let new_state = || State::new(CAPACITY, Arc::new(UserLimit::new(CAPACITY)), Arc::new(Quota::new(LIMIT)));
        let mut state = new_state();
        let (mut pending, mut groups, mut flushed) = self::pending(JournalIndex::new(CAPACITY));
        let (mut now, mut model) = (at(0), std::collections::BTreeMap::new());
        for step in 0..200 {
            let user = id(1 + next(9) as u8);
            let application = SessionId::from_bytes([100 + next(4) as u8; 16]);
            let creator = Some(application).filter(|application| application.to_bytes()[0] != 100);
            let was_empty = state.is_empty(now, user);
            let outcome = match next(8) {
                0..3 => state.execute_for(now, creator, user, set(300 + 60 * u64::from(next(4))), &Policy::GRAPH),
                3 => {
                    let clear = Command::ClearPresence { session: SessionId::from_bytes([9; 16]) };
                    state.execute_for(now, creator, user, clear, &Policy::GRAPH)
                }
                4 | 5 => {
                    let until = now.saturating_add(Duration::from_secs(u64::from(next(900))));
                    state.execute_details_for(now, creator, user, message("x", until)).map(|()| false)
                }
                6 => state.execute_details_for(now, creator, user, message("", Instant::NEVER)).map(|()| false),
                _ => {
                    now = now.saturating_add(Duration::from_secs(u64::from(next(300))));
                    Ok(false)
                }
            };
            if outcome == Ok(true) {
                pending.mark_dirty(&state.users, user);
            }
            pending.mark_changed_details(&mut state);
            model.retain(|user, _| !state.is_empty(now, *user));
            let count = |application| model.values().filter(|creator| **creator == Some(application)).count();
            if outcome == Err(ActionError::ApplicationFull) {
                assert!(was_empty && creator.is_some_and(|application| count(application) == LIMIT), "{seed} {step}");
                rejected[0] += 1;
            } else if was_empty && !state.is_empty(now, user) {
                assert!(creator.is_none_or(|application| count(application) < LIMIT), "{seed} {step}");
                model.insert(user, creator);
            }
            rejected[1] += usize::from(outcome == Err(ActionError::Command(CommandError::UsersFull)));
            while state.advance(now) {}
            let found = |state: &State| -> Vec<_> {
                (1..10).filter_map(|user| Some((id(user), state.creators.get(id(user))?))).collect()
            };
            let expected: Vec<_> = model.iter().filter_map(|(user, creator)| Some((*user, (*creator)?))).collect();
            assert_eq!(found(&state), expected, "{seed} {step}");
            if next(4) == 0 {
                pending.submit(&mut state, now, 0);
                let durable = groups.try_recv().map(|group| flush(&journal, group));
                durable.into_iter().for_each(|group| flushed.send(Flushed::Group(group)).unwrap());
                assert!(pending.poll_flushed(&state).is_none());
            }
            if next(8) == 0 && pending.is_empty() {
                let mut index = JournalIndex::new(CAPACITY);
                state = new_state();
                restore::load(&journal, &mut state, &mut index, time(now)).unwrap();
                (pending, groups, flushed) = self::pending(index);
                assert_eq!(found(&state), expected, "{seed} {step}, after a restart");
            }
        }
    }
    assert!(rejected.iter().all(|count| *count > 10), "{rejected:?}");
}
