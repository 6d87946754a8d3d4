//! Tests of the edges of pieces: whatever is read, written or executed a piece at a time, nothing is lost where one piece ends.

use super::commit::Commit;
use super::flusher::{Flushed, FlushedGroup};
use super::job::{Changes, Job, Response};
use super::journal_index::JournalIndex;
use super::pending::{MAX_GROUP, MAX_STALE_TEXTS};
use super::running::user;
use super::state::{CHUNK, MAX_BEHIND, MAX_SLOTS};
use super::tests::{at, empty_state, first_with_responses, id, message, pending, set, writer_of};
use super::writer::{MAX_JOBS, MAX_STEPS};
use crate::journal::Record;
use crate::testing::edges;
use presence_core::directory::Cursor;
use presence_core::{Command, Policy, SessionId, UserId};
use std::collections::HashSet;
use tokio::sync::oneshot::channel;

/// The end of the session of [`set`].
const END: Command<SessionId> = Command::ClearPresence { session: SessionId::from_bytes([9; 16]) };

/// Returns a state with this many users in as many slots, each of whom has changed once.
fn state_of(users: usize) -> super::state::State<8> {
    let mut state = empty_state(users);
    (0..users as u32).for_each(|number| assert_eq!(state.execute(at(0), user(number), set(300)), Ok(true)));
    state
}

/// Rule V2.
#[test]
fn v2_a_reader_that_is_behind_by_full_pieces_gets_each_change_once() {
    let most = MAX_BEHIND as usize;
    let state = state_of(most + 1);
    let cursor = state.cursor().to_number();
    for behind in [0, 1].into_iter().chain(edges(CHUNK)).chain([most - 1, most]) {
        let (mut since, mut read) = (cursor - behind as u64, Vec::new());
        loop {
            let changes = state.changes_since(at(1), Cursor::from_number(since));
            let Changes::Users(users) = changes else { panic!("{behind}: it starts over") };
            let Some((_, last)) = users.last() else { break };
            assert_eq!(users.len(), CHUNK.min(behind - read.len()), "{behind}");
            since = last.to_number();
            read.extend(users.iter().map(|(view, _)| view.user));
        }
        let expected: Vec<_> = (most + 1 - behind..most + 1).map(|number| user(number as u32)).collect();
        assert_eq!((read, since), (expected, cursor), "{behind}");
    }
    assert!(matches!(state.changes_since(at(1), Cursor::START), Changes::StartOver));
}

#[test]
fn v2_a_scan_of_full_pieces_has_each_user_once_from_each_position() {
    for count in edges(CHUNK) {
        for slots in [count, count + 1, count + CHUNK] {
            let mut state = empty_state(slots);
            (0..count as u32).for_each(|number| assert!(state.execute(at(0), user(number), set(300)).is_ok()));
            let scan = |mut offset| {
                let (mut found, mut pieces) = (Vec::new(), 0);
                loop {
                    let scan = state.scan(at(1), offset);
                    assert!(scan.users.len() <= CHUNK && pieces <= slots / CHUNK, "{count} of {slots}");
                    found.extend(scan.users.into_iter().map(|(view, behind)| (view.user, behind)));
                    pieces += 1;
                    match scan.next {
                        Some(next) => offset = next,
                        None => return found,
                    }
                }
            };
            let all = scan(0);
            assert_eq!(all.iter().map(|(user, _)| *user).collect::<HashSet<_>>().len(), count);
            assert_eq!(all.len(), count);
            for (number, (_, behind)) in all.iter().enumerate().filter(|(_, (_, behind))| *behind < slots) {
                assert_eq!(scan(*behind), all[number + 1..], "{count} of {slots}, resumed behind {number}");
            }
        }
    }
}

/// Walks over a list in pieces of at most `limit` users.
fn list(state: &super::state::State<8>, limit: usize) -> Vec<UserId> {
    let (mut listed, mut offset) = (Vec::new(), 0);
    loop {
        let piece = state.list(at(1), offset, limit);
        assert!(piece.users.len() <= limit);
        listed.extend(piece.users.iter().map(|user| user.view.user));
        match piece.next {
            Some(next) => {
                assert!(next > offset, "it goes on");
                offset = next;
            }
            None => return listed,
        }
    }
}

#[test]
fn a_list_of_full_pieces_has_each_user_once() {
    let state = state_of(60);
    for limit in edges(30).into_iter().chain(edges(20)).chain([1, 7]) {
        let listed = list(&state, limit);
        assert_eq!((listed.len(), listed.into_iter().collect::<HashSet<_>>().len()), (60, 60), "{limit}");
    }
}

/// So many slots without a user are looked at for one piece, that the next one begins between two users.
#[test]
fn a_list_misses_nobody_behind_many_empty_slots() {
    let slots = 2 * MAX_SLOTS + 2;
    let mut state = state_of(slots);
    let stays = |index: usize| edges(MAX_SLOTS).into_iter().any(|edge| edge == index || edge == index + 1);
    let index = |state: &super::state::State<8>, user| state.users.handle(user).unwrap().index();
    let (stay, go): (Vec<_>, Vec<_>) = (0..slots as u32).map(user).partition(|user| stays(index(&state, *user)));
    assert_eq!(stay.len(), 7);
    go.iter().for_each(|user| assert_eq!(state.execute(at(1), *user, END), Ok(true)));
    let expected: HashSet<_> = stay.iter().copied().collect();
    for limit in [1, 2, 3, 100, 999, MAX_SLOTS - 1, MAX_SLOTS, MAX_SLOTS + 1] {
        let listed = list(&state, limit);
        assert_eq!((listed.len(), listed.into_iter().collect::<HashSet<_>>()), (7, expected.clone()), "{limit}");
    }
}

/// All jobs before a stop are executed, and those in the queue behind it, wherever the stop is among the jobs of a turn.
#[test]
fn a_stop_ends_the_writer_behind_all_jobs_wherever_it_is() {
    for count in edges(MAX_JOBS) {
        for position in [0, 1, MAX_JOBS - 2, MAX_JOBS - 1, MAX_JOBS, count] {
            let (writer, super::Shard { jobs, .. }, groups, flushed) = writer_of(empty_state(count));
            let mut outcomes = Vec::new();
            for number in 0..=count {
                if number == position.min(count) {
                    jobs.send(Job::Stop).unwrap();
                }
                if number < count {
                    let (to, outcome) = channel();
                    jobs.send(Job::Execute(user(number as u32), set(300), &Policy::GRAPH, None, to)).unwrap();
                    outcomes.push(outcome);
                }
            }
            let (ended, has_ended) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                writer.run();
                ended.send(()).unwrap();
            });
            let mut rows = 0;
            while let Ok(mut group) = groups.recv_timeout(std::time::Duration::from_secs(300)) {
                rows += group.group.count();
                group.responses.drain(..).for_each(Response::send);
                group.clear();
                if flushed.send(Flushed::Group(FlushedGroup { commit: group, oldest: vec![] })).is_err() {
                    break;
                }
            }
            has_ended.recv_timeout(std::time::Duration::from_secs(300)).expect("it does not end");
            assert_eq!(rows, count, "stopped behind {position}");
            assert!(outcomes.into_iter().all(|outcome| outcome.blocking_recv() == Ok(Ok(()))), "{count}, {position}");
        }
    }
}

/// An advance is answered when all that is due has been applied, however much that is.
#[test]
fn an_advance_over_full_pieces_is_answered_when_all_is_applied() {
    for count in edges(MAX_STEPS) {
        let (writer, super::Shard { jobs, .. }, groups, flushed) = writer_of(state_of(count));
        let (to, advanced) = channel();
        jobs.send(Job::Advance(at(1000), to)).unwrap();
        let writer = std::thread::spawn(|| writer.run());
        let mut group = first_with_responses(&jobs, &groups, &flushed);
        assert!(group.responses.iter().all(|response| matches!(response, Response::Advanced(_))));
        assert_eq!(group.cursor.to_number(), 2 * count as u64, "each user came and went");
        group.responses.drain(..).for_each(Response::send);
        advanced.blocking_recv().unwrap();
        flushed.send(Flushed::Group(FlushedGroup { commit: group, oldest: vec![] })).unwrap();
        jobs.send(Job::Stop).unwrap();
        writer.join().unwrap();
    }
}

/// Users, details and responses count together.
#[test]
fn a_group_is_full_of_users_details_and_responses() {
    let mut state = empty_state(MAX_GROUP);
    let (mut pending, _groups, _flushed) = pending(JournalIndex::new(MAX_GROUP));
    let third = MAX_GROUP / 3;
    for number in 0..third {
        state.execute_details(at(0), user(number as u32), message("x", at(400))).unwrap();
    }
    pending.mark_changed_details(&mut state);
    // Each has a record of its own, too.
    let mut count = 2 * third;
    let mut waiting = Vec::new();
    while count < MAX_GROUP - 1 {
        let (to, view) = channel();
        pending.respond(Response::Read(to, state.read(at(0), id(1))), true);
        waiting.push(view);
        count += 1;
    }
    assert!(!pending.is_full());
    let newcomer = user(third as u32);
    state.execute(at(0), newcomer, set(300)).unwrap();
    pending.mark_dirty(&state.users, newcomer);
    assert!(pending.is_full());
}

/// Texts that no longer count are overwritten, all of them, however many a group may have.
#[test]
fn stale_texts_of_full_pieces_are_all_overwritten() {
    for count in edges(MAX_STALE_TEXTS) {
        let mut state = empty_state(count);
        let (mut pending, groups, flushed) = pending(JournalIndex::new(count));
        let flush = |mut group: Commit| {
            group.clear();
            flushed.send(Flushed::Group(FlushedGroup { commit: group, oldest: vec![] })).unwrap();
        };
        for number in 0..count {
            state.execute_details(at(0), user(number as u32), message("x", at(400))).unwrap();
        }
        pending.submit(&mut state, at(0), 0);
        let group = groups.recv().unwrap();
        let texts: HashSet<_> = group
            .group
            .rows(group.expected.row + 1)
            .filter(|row| row.record == Record::Details && !row.bytes.is_empty())
            .map(|row| row.number)
            .collect();
        assert_eq!(texts.len(), count);
        flush(group);
        assert!(pending.poll_flushed(&state).is_none());
        // Nobody has a text any more.
        while state.advance(at(500)) {}
        let mut overwritten = HashSet::new();
        while !pending.submit(&mut state, at(500), 0) {
            let group = groups.recv().unwrap();
            overwritten.extend(group.group.removed.iter().copied());
            assert!(
                group.group.removed.len() <= MAX_STALE_TEXTS + group.group.count(),
                "{count}: {}",
                group.group.removed.len()
            );
            flush(group);
            assert!(pending.poll_flushed(&state).is_none());
        }
        assert!(texts.is_subset(&overwritten), "{count}: {} of {}", overwritten.len(), texts.len());
    }
}
