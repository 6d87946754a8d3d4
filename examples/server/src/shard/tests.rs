//! Tests of a shard without threads and sockets: evictions, damage and kills.

use super::creators::{Creators, Quota};
use super::flusher::{Flushed, FlushedGroup, FlusherContext, FlusherLink};
use super::group::{Group, JournalState, Record};
use super::job::{ActionError, Changes, Job, Response};
use super::journal::{Journal, Metadata};
use super::journal_index::{JournalIndex, MARGIN};
use super::pending::Pending;
use super::restore;
use super::writer::{Parts, Writer};
use super::{Shard, capacity, layout, shard_of, stored_clock};
use crate::clock::{Clock, Shift, Time};
use crate::metrics::Metrics;
use presence_core::details::{DetailsCommand, LocationLayer, OutOfOffice, WorkLocationType, WorkPlace};
use presence_core::directory::Cursor;
use presence_core::{Absence, Command, CommandError, Duration, Instant, Policy, Presence, SessionId, UserId};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::sync::oneshot::channel;
use tokio::sync::watch;

/// A state with the default number of sessions of a user.
type State = super::state::State<8>;

fn id(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

pub(super) fn empty_state(users: usize) -> State {
    State::new(users, Arc::new(Quota::new(users)))
}

fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

/// Returns the time on a clock that was never shifted.
pub(super) fn time(now: Instant) -> Time {
    Time { now, shift: Shift::default() }
}

fn set(lease: u64) -> Command<SessionId> {
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

fn message(text: &str, until: Instant) -> DetailsCommand<'_> {
    DetailsCommand::SetStatusMessage { text, expires_at: until }
}

/// Pending changes, and the flusher's ends of the channels.
fn pending(index: JournalIndex) -> (Pending, Receiver<Group>, SyncSender<Flushed>) {
    let (groups, submitted) = sync_channel(1);
    let (flushed, from_flusher) = sync_channel(1);
    (Pending::new(Some(FlusherLink { groups, flushed: from_flusher }), index), submitted, flushed)
}

/// Makes a group durable, as the flusher does.
pub(super) fn flush(journal: &mut Journal, mut group: Group) -> FlushedGroup {
    journal.commit(&group).unwrap();
    let oldest = if group.review_count == 0 {
        vec![]
    } else {
        journal.rows_from(group.review_from, group.review_count).unwrap()
    };
    group.clear();
    FlushedGroup { group, oldest }
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
    state = State::replacing(state);
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
    let mut state = State::new(4, quota);
    for user in 1..=3 {
        assert!(!is_full());
        state.execute_for(at(0), Some(application), id(user), set(300), &Policy::GRAPH).unwrap();
    }
    // Also if it turns out to need more slots.
    for slots in [4, 8] {
        state = State::with_slots(state, slots);
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
    flushed.send(Flushed::Group(FlushedGroup { group: groups.recv().unwrap(), oldest: vec![] })).unwrap();
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

/// A read in a queue is not carried out for a client that has hung up; a command is.
#[test]
fn jobs_of_clients_that_have_hung_up_are_not_read() {
    let (pending, groups, flushed) = pending(JournalIndex::new(2));
    let (metrics, notify) = (Arc::new(Metrics::new()), watch::channel(()).0);
    let (shard, jobs) = Shard::new(0, &notify);
    let context = FlusherContext { jobs: shard.jobs.clone(), published: shard.published, metrics };
    let (state, clock) = (empty_state(2), Arc::new(Clock::virtual_at(at(7))));
    let writer = Writer::new(Parts { state, pending, clock, time: time(at(7)), jobs, flusher: None, context });
    let send = |job| shard.jobs.send(job).unwrap();
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
    let mut group = loop {
        let group = groups.recv().unwrap();
        if !group.responses.is_empty() {
            break group;
        }
        flushed.send(Flushed::Group(FlushedGroup { group, oldest: vec![] })).unwrap();
        shard.jobs.send(Job::Wake).unwrap();
    };
    assert_eq!(group.responses.len(), 2, "of the command, and of the read that is waited for: {:?}", group.responses);
    group.responses.drain(..).for_each(Response::send);
    assert_eq!(read.blocking_recv().unwrap().presence, Presence::InACall);
    flushed.send(Flushed::Group(FlushedGroup { group, oldest: vec![] })).unwrap();
    shard.jobs.send(Job::Stop).unwrap();
    writer.join().unwrap();
}

/// An explanation waits, as a read does, until what it shows is durable.
#[test]
fn an_explanation_waits_until_the_user_is_durable() {
    let (pending, groups, flushed) = pending(JournalIndex::new(2));
    let (metrics, notify) = (Arc::new(Metrics::new()), watch::channel(()).0);
    let (shard, jobs) = Shard::new(0, &notify);
    let context = FlusherContext { jobs: shard.jobs.clone(), published: shard.published, metrics };
    let (state, clock) = (empty_state(2), Arc::new(Clock::virtual_at(at(7))));
    let writer = Writer::new(Parts { state, pending, clock, time: time(at(7)), jobs, flusher: None, context });
    let (to, executed) = channel();
    shard.jobs.send(Job::Execute(id(1), set(300), &Policy::GRAPH, None, to)).unwrap();
    let (to, mut explained) = channel();
    shard.jobs.send(Job::Explain(id(1), to)).unwrap();
    let (to, other) = channel();
    shard.jobs.send(Job::Explain(id(2), to)).unwrap();
    let writer = std::thread::spawn(|| writer.run());
    // A group that has responses is submitted after the jobs were executed; no sooner is it durable.
    let mut group = loop {
        let group = groups.recv().unwrap();
        if !group.responses.is_empty() {
            break group;
        }
        flushed.send(Flushed::Group(FlushedGroup { group, oldest: vec![] })).unwrap();
        shard.jobs.send(Job::Wake).unwrap();
    };
    assert_eq!(
        other.blocking_recv().unwrap().absence,
        Some(Absence::NeverSeen),
        "it shows nothing that is not durable"
    );
    assert!(explained.try_recv().is_err(), "it waits");
    group.responses.drain(..).for_each(Response::send);
    flushed.send(Flushed::Group(FlushedGroup { group, oldest: vec![] })).unwrap();
    assert_eq!(executed.blocking_recv().unwrap(), Ok(()));
    let explained = explained.blocking_recv().unwrap();
    assert_eq!((explained.why.presence, explained.why.since, explained.at), (Presence::InACall, Some(at(7)), at(7)));
    shard.jobs.send(Job::Stop).unwrap();
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
        group.rows().filter(|row| row.record == Record::Details).map(|row| row.bytes.len()).collect();
    assert!(state.details.get(id(1)).is_some_and(|details| details.out_of_office().is_out_of_office));
    assert!(lengths.iter().all(|len| *len > 0), "{lengths:?}");
}

/// Rule S9: due transitions free slots, also at a start with a smaller directory.
#[test]
fn s9_expired_messages_take_no_slot_after_a_restart() {
    let own = tempfile::TempDir::new().unwrap();
    let mut journal = Journal::create(&own.path().join("x.sqlite")).unwrap();
    let mut state = empty_state(2);
    let (mut pending, groups, _done) = pending(JournalIndex::new(2));
    for user in [1, 2] {
        state.execute_details(at(0), id(user), message("x", at(10))).unwrap();
    }
    pending.mark_changed_details(&mut state);
    pending.submit(&mut state, at(0), 0);
    journal.commit(&groups.recv().unwrap()).unwrap();
    for (users, now) in [(2, 5), (2, 20), (1, 20)] {
        let outcome = restore::load(&journal, &mut empty_state(users), &mut JournalIndex::new(users), time(at(now)));
        assert!(outcome.is_ok(), "{users} {now}: {outcome:?}");
    }
}

/// Damage while the log is moved into the file can mix pages of different moments. Then intact rows may be missing.
#[test]
fn missing_rows_are_reported() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    // Five rows in one group; the next group deletes the two oldest.
    let mut journal = Journal::create(&path).unwrap();
    for (number, oldest, rows) in [(1, 1, 1..=5), (2, 3, 6..=8)] {
        let mut group = Group::default();
        group.journal_state = JournalState { oldest, metadata: number };
        group.metadata = Some(Metadata { number, ..Metadata::default() });
        rows.for_each(|row| group.push(row, Record::User, id(1), at(0), &[7]));
        journal.commit(&group).unwrap();
    }
    journal.close().unwrap();
    let whole = std::fs::read(&path).unwrap();
    for (damage, expected) in [
        ("DELETE FROM log WHERE row = 0", Ok((3, 8))),
        // The end was cut.
        ("DELETE FROM log WHERE row = 8", Ok((3, 7))),
        ("DELETE FROM log WHERE row > 5", Err("Gap(3)")),
        ("DELETE FROM log WHERE row = 3", Err("Gap(4)")),
        ("DELETE FROM log WHERE row = 6", Err("Gap(7)")),
        ("DELETE FROM marks", Err("Metadata")),
        ("UPDATE marks SET number = 3", Err("Damaged(0)")),
    ] {
        std::fs::write(&path, &whole).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute(damage, []).unwrap();
        let rows = Journal::open(&path).unwrap().read(|_, _, _| ()).map_err(|error| format!("{error:?}"));
        assert_eq!(rows, expected.map_err(str::to_owned), "{damage}");
    }
}

/// A row that was overwritten is damage, unless the row that replaced it is there.
#[test]
fn a_row_that_was_overwritten_for_a_missing_one_is_reported() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    let mut journal = Journal::create(&path).unwrap();
    let mut group = Group::default();
    (1..=2).for_each(|row| group.push(row, Record::Details, id(row as u8), at(0), &[7; 40]));
    journal.commit(&group).unwrap();
    let mut group = Group::default();
    (group.stale_texts, group.last_row) = (vec![1], 3);
    group.push(3, Record::Details, id(1), at(1), &[8; 40]);
    journal.commit(&group).unwrap();
    let mut rows = Vec::new();
    let read = journal.read(|row, _, bytes| rows.push((row.row, row.record, bytes.to_vec())));
    assert_eq!(read.unwrap(), (1, 3));
    assert_eq!(rows[2], (1, Record::Scrubbed, vec![0; 32]));
    assert_eq!((&rows[0].2, &rows[1].2), (&vec![8; 40], &vec![7; 40]));
    journal.close().unwrap();
    rusqlite::Connection::open(&path).unwrap().execute("DELETE FROM log WHERE row = 3", []).unwrap();
    let rows = Journal::open(&path).unwrap().read(|_, _, _| ()).map_err(|error| format!("{error:?}"));
    assert_eq!(rows, Err("Gap(3)".to_owned()));
}

/// Texts that an earlier version of the server has left, and those of a search that was interrupted, are found at the start.
#[test]
fn texts_that_were_left_are_found_at_the_start() {
    let own = tempfile::TempDir::new().unwrap();
    let mut journal = Journal::create(&own.path().join("x.sqlite")).unwrap();
    let mut state = empty_state(4);
    let (mut pending, groups, flushed) = pending(JournalIndex::new(4));
    let mut store = |state: &mut State, change: &mut dyn FnMut(&mut State, &mut Pending), now| {
        change(state, &mut pending);
        pending.mark_changed_details(state);
        pending.submit(state, now, 0);
        let mut group = groups.recv().unwrap();
        group.stale_texts.clear();
        flushed.send(Flushed::Group(flush(&mut journal, group))).unwrap();
        assert!(pending.poll_flushed(state).is_none());
    };
    let set_message = |user: u8, text: &'static str, until| {
        move |state: &mut State, _: &mut Pending| {
            state.execute_details(at(0), id(user), message(text, at(until))).unwrap();
        }
    };
    // Each writes the rows of details and of the user, in some order.
    store(&mut state, &mut set_message(1, "first", 900), at(0));
    store(&mut state, &mut set_message(1, "second", 900), at(0));
    store(&mut state, &mut set_message(2, "expires", 10), at(0));
    store(
        &mut state,
        &mut |state, pending| {
            state.erase(at(0), id(1));
            pending.mark_erased(state, id(1));
        },
        at(0),
    );
    let mut texts = Vec::new();
    journal.read(|row, _, bytes| texts.extend((!bytes.is_empty()).then_some(row))).unwrap();
    let mut index = JournalIndex::new(4);
    restore::load(&journal, &mut empty_state(4), &mut index, time(at(20))).unwrap();
    let mut found = index.stale_texts.clone();
    found.sort_unstable();
    let mut expected: Vec<_> = texts
        .iter()
        .filter(|row| row.user == id(1) && row.row < 7 || row.user == id(2) && row.record == Record::Details)
        .map(|row| row.row)
        .collect();
    expected.sort_unstable();
    assert_eq!((found.len(), &found), (5, &expected), "{texts:?}");
    journal.scrub(&found, index.next_row - 1).unwrap();
    let mut index = JournalIndex::new(4);
    restore::load(&journal, &mut empty_state(4), &mut index, time(at(20))).unwrap();
    assert!(index.stale_texts.is_empty());
}

/// Compacts journals whose rows are of many lengths, half of them with texts. Returns how many texts are left when all rows
/// are overwritten.
fn texts_left(seed: u32, margin: i64) -> usize {
    const ROWS: i64 = 3000;
    const STEP: i64 = 7;
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    let mut journal = Journal::create(&path).unwrap();
    let mut random = seed.wrapping_mul(2_654_435_761).wrapping_add(99);
    let mut group = Group::default();
    for row in 1..=ROWS {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let len = [30, 60, 120, 400, 900][(random >> 8) as usize % 5];
        let start: &[u8] = if random >> 31 == 0 { b"a text to be removed" } else { b"something else here" };
        group.push(row, Record::Details, id(1), at(0), &[start, &vec![b'x'; len]].concat());
    }
    journal.commit(&group).unwrap();
    let (mut first, mut appended) = (1, ROWS);
    while first <= ROWS {
        let mut group = Group::default();
        let end = (first + STEP).min(ROWS + 1);
        appended += 1;
        (group.stale_texts, group.last_row) = ((first..end).collect(), appended);
        first = end;
        // The last third is overwritten where it is.
        group.journal_state.oldest = (first.min(ROWS * 2 / 3) - margin).max(1);
        group.push(group.last_row, Record::User, id(2), at(0), &[7; 50]);
        journal.commit(&group).unwrap();
    }
    journal.close().unwrap();
    let text = b"a text to be removed";
    std::fs::read(&path).unwrap().windows(text.len()).filter(|bytes| bytes == text).count()
}

/// SQLite leaves copies of rows that it moves, but not of those that are far enough from removed ones.
#[test]
fn no_row_with_a_text_is_moved_while_others_are_removed() {
    // Copies are rare: one of 30 seeds finds any.
    assert!(texts_left(4, 0) > 0, "without a margin there are copies");
    assert_eq!([3, 4].map(|seed| texts_left(seed, MARGIN)), [0, 0]);
}

/// An earlier version of the server did not overwrite what SQLite deleted.
#[test]
fn deleted_content_of_an_earlier_version_is_overwritten() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    let has_text = || std::fs::read(&path).unwrap().windows(12).any(|bytes| bytes == b"a lost text!");
    let mut journal = Journal::create(&path).unwrap();
    let mut group = Group::default();
    (1..=60).for_each(|row| group.push(row, Record::Details, id(row as u8), at(0), &b"a lost text!".repeat(9)));
    journal.commit(&group).unwrap();
    journal.close().unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let delete = "PRAGMA secure_delete = OFF; PRAGMA application_id = 0; DELETE FROM log WHERE row <> 30";
    connection.execute_batch(delete).unwrap();
    connection.execute("UPDATE log SET bytes = x'0708'", []).unwrap();
    drop(connection);
    assert!(has_text());
    Journal::open(&path).unwrap();
    assert!(!has_text());
    let kept: (i64, Vec<u8>) = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT row, bytes FROM log", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(kept, (30, vec![7, 8]));
}

/// Pages that can be read must still not be written to, if they are used twice.
#[test]
fn inconsistent_pages_are_reported() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    Journal::create(&path).unwrap().close().unwrap();
    let mut content = std::fs::read(&path).unwrap();
    // The head of the file holds the number of free pages.
    content[39] += 1;
    std::fs::write(&path, content).unwrap();
    let error = Journal::open(&path).map_err(|error| error.to_string()).unwrap_err();
    assert!(error.starts_with("damaged: ") && error.contains("reelist"), "{error}");
}

/// Random commands and kills. The durable state is that of the last flushed group, and a read that need not wait shows the
/// same after a kill.
#[test]
fn a_kill_at_any_moment_changes_no_read_that_did_not_wait() {
    let own = tempfile::TempDir::new().unwrap();
    for seed in 0..20u32 {
        let mut journal = Journal::create(&own.path().join(format!("{seed}.sqlite"))).unwrap();
        const CAPACITY: usize = 3;
        let mut state = empty_state(CAPACITY);
        let (mut pending, mut submitted, mut flushed) = self::pending(JournalIndex::new(CAPACITY));
        let mut random = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
        let mut next = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 12) % below
        };
        let mut now = at(0);
        let read_all = |state: &State, now| {
            (1..8)
                .map(|user| {
                    let view = state.read(now, id(user));
                    let details = view.details.as_ref();
                    (
                        view.presence,
                        view.version + details.map_or(0, |details| details.version()),
                        details.map(|details| (**details).clone()),
                    )
                })
                .collect::<Vec<_>>()
        };
        let restored = |journal: &Journal, now| {
            let mut state = empty_state(CAPACITY);
            restore::load(journal, &mut state, &mut JournalIndex::new(CAPACITY), time(now)).unwrap();
            state
        };
        let mut in_flight: Option<Group> = None;
        for step in 0..400 {
            let user = id(1 + next(7) as u8);
            if next(40) == 0 {
                // Killed, and started again.
                let mut index = JournalIndex::new(CAPACITY);
                state = empty_state(CAPACITY);
                restore::load(&journal, &mut state, &mut index, time(now)).unwrap();
                (pending, submitted, flushed) = self::pending(index);
                in_flight = None;
            }
            match next(15) {
                14 => {
                    state.erase(now, user);
                    pending.mark_erased(&mut state, user);
                }
                13 => {
                    if let Ok(true) = state.sign_out(now, user) {
                        pending.mark_dirty(&state.users, user);
                    }
                }
                12 => {
                    let out = OutOfOffice { is_out_of_office: next(2) == 0, message: None };
                    let _ = state.execute_details(now, user, DetailsCommand::SetOutOfOffice(out));
                    pending.mark_changed_details(&mut state);
                }
                0 | 1 => {
                    if let Ok(true) = state.execute(now, user, set(300 + 60 * u64::from(next(5)))) {
                        pending.mark_dirty(&state.users, user);
                    }
                }
                2 => {
                    let set_preferred = Command::SetPreferredPresence {
                        presence: Presence::Busy,
                        duration: Some(Duration::from_secs(u64::from(next(500)) + 1)),
                    };
                    if let Ok(true) = state.execute(now, user, set_preferred) {
                        pending.mark_dirty(&state.users, user);
                    }
                }
                3 => {
                    let clear = Command::ClearPresence { session: SessionId::from_bytes([9; 16]) };
                    if let Ok(true) = state.execute(now, user, clear) {
                        pending.mark_dirty(&state.users, user);
                    }
                }
                4 | 5 => {
                    let until = now.saturating_add(Duration::from_secs(u64::from(next(400))));
                    let _ = state.execute_details(now, user, message("x", until));
                    pending.mark_changed_details(&mut state);
                }
                6 => {
                    let place = WorkPlace { kind: WorkLocationType::Office, id: None };
                    let until = now.saturating_add(Duration::from_secs(u64::from(next(400))));
                    let layer = if next(2) == 0 { LocationLayer::Manual } else { LocationLayer::Automatic };
                    let _ = state.execute_details(now, user, DetailsCommand::SetLocation { layer, place, until });
                    pending.mark_changed_details(&mut state);
                }
                7 => {
                    let _ = state.execute_details(now, user, message("", Instant::NEVER));
                    pending.mark_changed_details(&mut state);
                }
                8 => {
                    now = now.saturating_add(Duration::from_secs(u64::from(next(200))));
                    // Sometimes the directory is advanced late.
                    if next(3) > 0 {
                        while state.advance(now) {}
                        pending.mark_changed_details(&mut state);
                    }
                }
                9 | 10 => {
                    if in_flight.is_none() {
                        let before = read_all(&state, now);
                        pending.submit(&mut state, now, 0);
                        assert_eq!(read_all(&state, now), before);
                        in_flight = submitted.try_recv().ok();
                    }
                }
                _ => {
                    if let Some(group) = in_flight.take() {
                        flushed.send(Flushed::Group(flush(&mut journal, group))).unwrap();
                        assert!(pending.poll_flushed(&state).is_none());
                    }
                }
            }
            // A kill, now.
            let after = restored(&journal, now);
            let (live, after_kill) = (read_all(&state, now), read_all(&after, now));
            for user in 1..8u8 {
                let index = usize::from(user) - 1;
                if pending.contains(id(user)) || live[index] == after_kill[index] {
                    continue;
                }
                panic!("seed {seed} step {step} user {user}: {:?} then {:?}", live[index], after_kill[index]);
            }
            if pending.is_empty() && in_flight.is_none() {
                assert_eq!(live, after_kill, "seed {seed} step {step}");
            }
        }
        let rows = journal.rows_from(0, 100_000).unwrap().len();
        assert!(rows < 60, "{rows}");
    }
}

/// A group without rows deletes none, so it must not ask for a review.
#[test]
fn stale_rows_are_dropped_despite_groups_without_rows() {
    let own = tempfile::TempDir::new().unwrap();
    let mut journal = Journal::create(&own.path().join("x.sqlite")).unwrap();
    // Far more rows than the directory needs, as after a start with far fewer users.
    let mut group = Group::default();
    (1..=3000).for_each(|row| group.push(row, Record::User, id(255), at(0), &[]));
    journal.commit(&group).unwrap();
    let (mut state, mut index) = (empty_state(100), JournalIndex::new(100));
    restore::load(&journal, &mut state, &mut index, time(at(0))).unwrap();
    let (mut pending, submitted, flushed) = pending(index);
    for round in 0..200 {
        let now = at(round);
        if round % 2 == 0 {
            for user in (1..=100).map(id) {
                state.execute(now, user, set(300 + round % 7)).unwrap();
                pending.mark_dirty(&state.users, user);
            }
        } else {
            pending.respond(super::job::Response::Advanced(tokio::sync::oneshot::channel().0), true);
        }
        pending.submit(&mut state, now, 0);
        flushed.send(Flushed::Group(flush(&mut journal, submitted.recv().unwrap()))).unwrap();
        assert!(pending.poll_flushed(&state).is_none());
    }
    let rows = journal.rows_from(0, 100_000).unwrap().len();
    assert!(rows <= 400, "{rows}");
}

/// No clock starts before a stored instant, whatever the order of the rows.
#[test]
fn the_newest_instant_survives_a_change_of_shards() {
    let own = tempfile::TempDir::new().unwrap();
    for shards in [1, 2, 1] {
        let mut journals = layout::open(own.path(), shards).unwrap().journals;
        if stored_clock(&journals).unwrap().newest == Instant::ZERO {
            let mut group = Group::default();
            group.push(1, Record::User, id(1), at(5), &[7]);
            group.push(2, Record::User, id(2), at(6), &[7]);
            journals[0].commit(&group).unwrap();
        }
        assert_eq!(stored_clock(&journals).unwrap().newest, at(6), "{shards}");
    }
}

#[test]
fn users_are_spread_evenly_over_shards() {
    for shards in [1, 2, 3, 16] {
        let mut counts = vec![0usize; shards];
        for number in 0..16_000u32 {
            // Ids that differ in a few digits only, as made by hand.
            let user = format!("fa8bf3dc-eca7-46b7-bad1-db19{number:08x}").parse().unwrap();
            counts[shard_of(user, shards)] += 1;
        }
        let capacity = capacity(16_000, shards);
        assert!(counts.iter().all(|count| *count <= capacity), "{counts:?} > {capacity}");
    }
}

#[test]
fn one_shard_has_exactly_the_requested_capacity() {
    assert_eq!(capacity(5, 1), 5);
    assert!(capacity(1000, 4) * 4 >= 1000);
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
        let mut journal = Journal::create(&own.path().join(format!("{seed}.sqlite"))).unwrap();
        let mut random = seed.wrapping_mul(2_654_435_761).wrapping_add(777);
        let mut next = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 12) % below
        };
        let new_state = || State::new(CAPACITY, Arc::new(Quota::new(LIMIT)));
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
                let durable = groups.try_recv().map(|group| flush(&mut journal, group));
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
