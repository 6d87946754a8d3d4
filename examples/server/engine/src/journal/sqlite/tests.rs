//! Tests of a journal in a file: missing and damaged rows, and texts that must not be left in it.

use super::cleaner::STEP;
use super::*;
use crate::journal::conformance::{Place, check_all, check_room};
use crate::testing::edges;

fn id(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

/// Appends a group where the journal is.
fn append(journal: &SqliteJournal, group: &Group) {
    let position = journal.position().unwrap();
    journal.append(position, group).unwrap();
}

/// Reads all rows that are left.
fn rows(journal: &SqliteJournal) -> Result<Vec<(i64, Record, Vec<u8>)>, String> {
    let mut rows = Vec::new();
    let read = journal.read(0, &mut |row| {
        rows.push((row.number, row.record, row.bytes.to_vec()));
        ControlFlow::Continue(())
    });
    match read {
        Ok(_) => Ok(rows),
        Err(JournalError::Failed(error)) => Err(format!("{:?}", error.downcast::<SqliteError>().unwrap())),
        Err(error) => panic!("{error:?}"),
    }
}

fn close(journal: SqliteJournal) {
    Box::new(journal).close().unwrap();
}

/// Damage while the log is moved into the file can mix pages of different moments. Then intact rows may be missing.
#[test]
fn missing_rows_are_reported() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    // Five rows in one group; the next group deletes the two oldest.
    let journal = SqliteJournal::create(&path).unwrap();
    for (number, oldest, rows) in [(1, 1, 1..=5), (2, 3, 6..=8)] {
        let mut group = Group::default();
        journal.trim(oldest + MARGIN_HERE).unwrap();
        group.metadata = Some(Metadata { number, ..Metadata::default() });
        rows.for_each(|_| group.push(Record::User, id(1), at(0), &[7]));
        append(&journal, &group);
    }
    close(journal);
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
        ("UPDATE log SET bytes = x'08' WHERE row = 8", Err("Damaged(8)")),
        ("UPDATE log SET bytes = x'08' WHERE row = 5", Err("Damaged(5)")),
    ] {
        std::fs::write(&path, &whole).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute(damage, []).unwrap();
        let rows = rows(&SqliteJournal::open(&path).unwrap());
        let numbers = rows.map(|rows| (rows[0].0, rows[rows.len() - 1].0));
        assert_eq!(numbers, expected.map_err(str::to_owned), "{damage}");
    }
}

/// A row that was overwritten is damage, unless the row that replaced it is there.
#[test]
fn a_row_that_was_overwritten_for_a_missing_one_is_reported() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    let journal = SqliteJournal::create(&path).unwrap();
    let mut group = Group::default();
    (1..=2).for_each(|user| group.push(Record::Details, id(user), at(0), &[7; 40]));
    append(&journal, &group);
    let mut group = Group::default();
    group.removed = vec![1];
    group.push(Record::Details, id(1), at(1), &[8; 40]);
    append(&journal, &group);
    let expected =
        [(1, Record::Scrubbed, vec![0; 32]), (2, Record::Details, vec![7; 40]), (3, Record::Details, vec![8; 40])];
    assert_eq!(rows(&journal).unwrap(), expected);
    close(journal);
    rusqlite::Connection::open(&path).unwrap().execute("DELETE FROM log WHERE row = 3", []).unwrap();
    assert_eq!(rows(&SqliteJournal::open(&path).unwrap()), Err("Gap(3)".to_owned()));
}

/// Compacts journals whose rows are of many lengths, half of them with texts. Returns how many texts are left when all rows
/// are overwritten.
fn texts_left(seed: u32, margin: i64) -> usize {
    const ROWS: i64 = 3000;
    const STEP: i64 = 7;
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("x.sqlite");
    let mut journal = SqliteJournal::create(&path).unwrap();
    let mut random = seed.wrapping_mul(2_654_435_761).wrapping_add(99);
    let mut group = Group::default();
    for _ in 1..=ROWS {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let len = [30, 60, 120, 400, 900][(random >> 8) as usize % 5];
        let start: &[u8] = if random >> 31 == 0 { b"a text to be removed" } else { b"something else here" };
        group.push(Record::Details, id(1), at(0), &[start, &vec![b'x'; len]].concat());
    }
    append(&journal, &group);
    journal.margin = margin;
    let mut first = 1;
    while first <= ROWS {
        let mut group = Group::default();
        let end = (first + STEP).min(ROWS + 1);
        group.removed = (first..end).collect();
        first = end;
        // The last third is overwritten where it is.
        journal.trim(first.min(ROWS * 2 / 3)).unwrap();
        group.push(Record::User, id(2), at(0), &[7; 50]);
        append(&journal, &group);
    }
    close(journal);
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
    let journal = SqliteJournal::create(&path).unwrap();
    let mut group = Group::default();
    (1..=60).for_each(|user| group.push(Record::Details, id(user), at(0), &b"a lost text!".repeat(9)));
    append(&journal, &group);
    close(journal);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let delete = "PRAGMA secure_delete = OFF; PRAGMA application_id = 0; DELETE FROM log WHERE row <> 30";
    connection.execute_batch(delete).unwrap();
    connection.execute("UPDATE log SET bytes = x'0708'", []).unwrap();
    drop(connection);
    assert!(has_text());
    SqliteJournal::open(&path).unwrap();
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
    close(SqliteJournal::create(&path).unwrap());
    let mut content = std::fs::read(&path).unwrap();
    // The head of the file holds the number of free pages.
    content[39] += 1;
    std::fs::write(&path, content).unwrap();
    let error = SqliteJournal::open(&path).map_err(|error| error.to_string()).unwrap_err();
    assert!(error.starts_with("damaged: ") && error.contains("reelist"), "{error}");
}

/// The rows of an erased user are overwritten, all of them, however many a step looks at.
#[test]
fn an_erased_users_rows_at_the_edges_of_steps_are_overwritten() {
    let own = tempfile::TempDir::new().unwrap();
    for count in edges(STEP) {
        let journal = SqliteJournal::create(&own.path().join(format!("{count}.sqlite"))).unwrap();
        let mut group = Group::default();
        // Rows of the erased user, but for two of another at the edges.
        let of = |row: i64| if row == STEP as i64 - 2 || row == count as i64 - 2 { id(2) } else { id(1) };
        (1..=count as i64).for_each(|row| group.push(Record::User, of(row), at(5), &[7]));
        append(&journal, &group);
        let mut group = Group::default();
        group.push(Record::Erased, id(1), at(6), &[]);
        group.erased = vec![id(1)];
        append(&journal, &group);
        while journal.upkeep_due().is_some() {
            journal.upkeep().unwrap();
        }
        let (rows, last_row) = (rows(&journal).unwrap(), count as i64 + 1);
        assert_eq!(rows.len() as i64, last_row, "no row is missing");
        for (number, record, _) in rows {
            let expected = match number {
                row if row == last_row => Record::Erased,
                row if of(row) == id(2) => Record::User,
                _ => Record::Scrubbed,
            };
            assert_eq!(record, expected, "{number} of {count}");
        }
    }
}

/// A file in a directory of its own.
struct File {
    own: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    fn new() -> Self {
        let own = tempfile::TempDir::new().unwrap();
        let path = own.path().join("x.sqlite");
        Self { own, path }
    }
}

impl Place for File {
    fn clear(&mut self) {
        *self = Self::new();
    }

    fn open(&mut self) -> Box<dyn Journal> {
        let opened =
            if self.path.exists() { SqliteJournal::open(&self.path) } else { SqliteJournal::create(&self.path) };
        Box::new(opened.unwrap())
    }
}

#[test]
fn it_does_what_every_journal_must() {
    check_all(&mut File::new());
    let file = File::new();
    let journal = SqliteJournal::create(&file.path).unwrap();
    journal.connection.pragma_update(None, "max_page_count", 30).unwrap();
    check_room(Box::new(journal));
}

/// A kill leaves what SQLite's log holds up to some byte: the groups up to some moment, each as a whole.
#[test]
fn a_torn_log_holds_whole_groups() {
    let mut file = File::new();
    let journal = file.open();
    let mut ends = vec![Position::START];
    for number in 1..=6u8 {
        let mut group = Group::default();
        (0..number).for_each(|user| group.push(Record::User, id(user), at(number.into()), &[number; 700]));
        group.metadata = Some(Metadata { number: number.into(), ..Metadata::default() });
        let position = journal.position().unwrap();
        ends.push(journal.append(position, &group).unwrap());
    }
    let log = file.path.with_extension("sqlite-wal");
    let [database, whole] = [&file.path, &log].map(|path| std::fs::read(path).unwrap());
    let mut seen = std::collections::BTreeSet::new();
    for len in (0..=whole.len()).step_by(509).chain([whole.len()]) {
        let torn = File::new();
        std::fs::write(&torn.path, &database).unwrap();
        std::fs::write(torn.path.with_extension("sqlite-wal"), &whole[..len]).unwrap();
        let journal = SqliteJournal::open(&torn.path).unwrap();
        let position = journal.position().unwrap();
        assert!(ends.contains(&position), "{len} bytes: {position:?}");
        let rows = rows(&journal).unwrap();
        assert_eq!(rows.len() as i64, position.row);
        assert!(rows.iter().all(|(number, _, bytes)| ends[usize::from(bytes[0]) - 1].row < *number));
        seen.insert(position.row);
        assert!(torn.own.path().exists());
    }
    assert_eq!(seen.len(), ends.len(), "each group is the last of some log: {seen:?}");
}

/// Another handle of the same file, of this process or another one, is locked out while a journal is open.
#[test]
fn a_file_has_one_handle_at_a_time() {
    let mut file = File::new();
    let journal = file.open();
    assert!(SqliteJournal::open(&file.path).is_err());
    drop(journal);
    file.open();
}
