//! Tests of a journal: missing and damaged rows, and texts that must not be left in it.

use super::flusher::Flushed;
use super::journal_index::{JournalIndex, MARGIN};
use super::pending::Pending;
use super::restore;
use super::tests::{at, empty_state, flush, id, message, pending, time};
use crate::journal::group::{Group, JournalState, Record};
use crate::journal::sqlite::{Journal, Metadata};

/// A state with the default number of sessions of a user.
type State = super::state::State<8>;

/// Damage while the log is moved into the file can mix pages of different moments. Then intact rows may be missing.
#[test]
fn missing_rows_are_reported() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    // Five rows in one group; the next group deletes the two oldest.
    let journal = Journal::create(&path).unwrap();
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
    let journal = Journal::create(&path).unwrap();
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
    let journal = Journal::create(&path).unwrap();
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
    let journal = Journal::create(&path).unwrap();
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
