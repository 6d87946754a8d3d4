//! What every implementation of [`Journal`] must do, as tests for it.
//!
//! An implementation calls [`check_all`] in a test of its own, and [`check_room`] if its room can be limited. Each check panics
//! where the journal differs from a list in memory.

use super::{Group, Journal, JournalError, Metadata, Position, Record, Row};
use crate::clock::Shift;
use presence_core::{Instant, SessionId, UserId};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// A place for one journal, which can be opened again.
pub trait Place {
    /// Makes the place empty.
    fn clear(&mut self);

    /// Opens the journal: a new one, or what an earlier handle has stored, which is gone by now.
    fn open(&mut self) -> Box<dyn Journal>;
}

/// A row as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Appended {
    number: i64,
    record: Record,
    user: UserId,
    taken_at: Instant,
    bytes: Vec<u8>,
}

impl Appended {
    fn of(row: Row<'_>) -> Self {
        let Row { number, record, user, taken_at, bytes } = row;
        Self { number, record, user, taken_at, bytes: bytes.to_vec() }
    }
}

/// A journal, and what must be in it.
struct Checked {
    journal: Box<dyn Journal>,
    /// All rows that were ever appended.
    rows: Vec<Appended>,
    /// The rows that may be overwritten.
    removed: HashSet<i64>,
    /// The first row that must still be there.
    first: i64,
    metadata: Metadata,
    random: u64,
}

impl Checked {
    fn new(place: &mut dyn Place, seed: u64) -> Self {
        place.clear();
        let random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let (rows, removed, metadata) = (Vec::new(), HashSet::new(), Metadata::default());
        let mut checked = Self { journal: place.open(), rows, removed, first: 1, metadata, random };
        checked.compare();
        checked
    }

    /// Returns a number below this one, of a series that a seed decides.
    fn next(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn position(&self) -> Position {
        Position { row: self.rows.len() as i64, metadata: self.metadata.number }
    }

    /// Makes a group of so many rows.
    fn group(&mut self, rows: u64) -> Group {
        let mut group = Group::default();
        for _ in 0..rows {
            let (user, at) = (UserId::from_bytes([self.next(9) as u8; 16]), Instant::from_millis(self.next(1 << 40)));
            let bytes = vec![self.next(256) as u8; [0, 1, 40, 300, 5000][self.next(5) as usize]];
            match self.next(4) {
                0 => group.push(Record::User, user, at, &bytes),
                1 => group.push_created(user, at, SessionId::from_bytes([7; 16]), &bytes),
                2 => group.push(Record::Details, user, at, &bytes),
                _ => group.push(Record::Erased, user, at, &[]),
            }
        }
        group
    }

    fn next_metadata(&mut self) -> Metadata {
        let mut next = |below| self.next(below);
        let (version_floor, virtual_now) = (next(1 << 40), next(2) * next(1 << 40));
        let (newest, shift) = (next(1 << 40), Shift::from_millis(next(2) * next(1 << 30)));
        Metadata { number: self.metadata.number + 1, version_floor, virtual_now, newest, shift }
    }

    /// Appends a group where the journal is, and compares.
    fn append(&mut self, group: &Group) {
        let expected = self.position();
        self.rows.extend(group.rows(expected.row + 1).map(Appended::of));
        self.metadata = group.metadata.unwrap_or(self.metadata);
        self.removed.extend(&group.removed);
        let erased = self.rows.iter().filter(|row| row.number <= expected.row && group.erased.contains(&row.user));
        self.removed.extend(erased.map(|row| row.number));
        assert_eq!(self.journal.append(expected, group).unwrap(), self.position());
        self.compare();
    }

    /// Appends groups at all positions about this one: they are refused, and nothing changes.
    fn append_elsewhere(&mut self) {
        let mut group = self.group(2);
        group.metadata = Some(self.next_metadata());
        group.removed = (self.first..=self.position().row).take(2).collect();
        let found = self.position();
        for (row, number) in [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-found.row, 0), (1, -1)] {
            let expected = Position { row: found.row + row, metadata: found.metadata.wrapping_add_signed(number) };
            if expected == found {
                continue;
            }
            match self.journal.append(expected, &group) {
                Err(JournalError::Conflict { expected: told, found: at }) => {
                    assert_eq!((told, at), (expected, found));
                }
                outcome => panic!("a group for {expected:?} is appended at {found:?}: {outcome:?}"),
            }
        }
        self.compare();
    }

    /// Allows some rows to be removed.
    fn trim(&mut self) {
        let count = self.position().row - self.first + 1;
        self.first += self.next(count.max(1).cast_unsigned()) as i64;
        self.journal.trim(self.first).unwrap();
        self.compare();
    }

    /// Reads from the start, and on from every position.
    fn compare(&mut self) {
        assert_eq!(self.journal.position().unwrap(), self.position());
        assert_eq!(self.journal.metadata().unwrap(), self.metadata);
        let all = read(&*self.journal, 0).unwrap();
        let oldest = all.first().map_or(1, |row| row.number);
        assert!(oldest <= self.first, "row {} is missing", self.first);
        for after in 0..=self.position().row {
            match read(&*self.journal, after) {
                Ok(rows) => self.compare_rows(after.max(oldest - 1), &rows),
                Err(JournalError::Trimmed(row)) => {
                    assert_eq!(row, after);
                    assert!(after + 1 < self.first, "row {} is missing", after + 1);
                }
                Err(error) => panic!("behind {after}: {error}"),
            }
        }
        self.compare_breaks(oldest);
    }

    fn compare_rows(&self, after: i64, found: &[Appended]) {
        let expected = &self.rows[after as usize..];
        assert_eq!(found.len(), expected.len(), "behind {after}");
        for (found, expected) in found.iter().zip(expected) {
            let is_overwritten = found.record == Record::Scrubbed && self.removed.contains(&found.number);
            if is_overwritten {
                assert_eq!(found.number, expected.number);
                assert!(expected.bytes.is_empty() || found.bytes != expected.bytes, "{found:?} is as it was");
            } else {
                assert_eq!(found, expected);
            }
        }
    }

    /// Reading ends where it is told to end.
    fn compare_breaks(&mut self, oldest: i64) {
        let last = self.position().row;
        for wanted in [oldest, (oldest + last) / 2, last].into_iter().filter(|row| (oldest..=last).contains(row)) {
            let mut seen = 0;
            let read = self.journal.read(oldest - 1, &mut |row| {
                seen = row.number;
                if row.number == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert_eq!((read.unwrap(), seen), (wanted, wanted));
        }
    }

    fn reopen(&mut self, place: &mut dyn Place) {
        // Closed or dropped, as by a crash.
        let closed = std::mem::replace(&mut self.journal, Box::new(super::memory::MemoryJournal::default()));
        if self.next(2) == 0 {
            closed.close().unwrap()
        } else {
            drop(closed)
        }
        self.journal = place.open();
        self.compare();
    }
}

/// Reads all rows behind this one.
fn read(journal: &dyn Journal, after: i64) -> Result<Vec<Appended>, JournalError> {
    let mut rows = Vec::new();
    let last = journal.read(after, &mut |row| {
        rows.push(Appended::of(row));
        ControlFlow::Continue(())
    })?;
    assert!(rows.last().map_or(last <= after || after == 0, |row: &Appended| row.number == last), "{last}");
    Ok(rows)
}

/// Runs every check.
///
/// # Panics
///
/// When the journal does what it must not.
pub fn check_all(place: &mut dyn Place) {
    check_append(place);
    check_conflicts(place);
    check_trim(place);
    check_removal(place);
    (0..12).for_each(|seed| check_history(place, seed));
}

/// Groups of no, one and many rows, with and without metadata, are there when the journal is opened again.
fn check_append(place: &mut dyn Place) {
    let mut checked = Checked::new(place, 1);
    for (rows, has_metadata) in [(0, false), (0, true), (1, false), (1, true), (40, true), (0, true), (3, false)] {
        let mut group = checked.group(rows);
        group.metadata = if has_metadata { Some(checked.next_metadata()) } else { None };
        checked.append(&group);
    }
    checked.reopen(place);
}

/// Groups for another position are refused, in an empty journal, in one that has rows, and in one that was opened again.
fn check_conflicts(place: &mut dyn Place) {
    let mut checked = Checked::new(place, 2);
    checked.append_elsewhere();
    for _ in 0..3 {
        let mut group = checked.group(3);
        group.metadata = Some(checked.next_metadata());
        checked.append(&group);
        checked.append_elsewhere();
        checked.reopen(place);
        checked.append_elsewhere();
    }
}

/// Rows that are still needed stay, and numbers go on.
fn check_trim(place: &mut dyn Place) {
    let mut checked = Checked::new(place, 3);
    for _ in 0..10 {
        let group = checked.group(20);
        checked.append(&group);
        checked.trim();
    }
    checked.reopen(place);
    let group = checked.group(2);
    checked.append(&group);
}

/// Removed rows and those of erased users are overwritten or as they were, and no others; also after the upkeep.
fn check_removal(place: &mut dyn Place) {
    let mut checked = Checked::new(place, 4);
    for _ in 0..6 {
        let mut group = checked.group(12);
        let last = checked.position().row;
        group.removed = (1..=last).filter(|row| row % 3 == 0).collect();
        if last > 30 {
            let user = UserId::from_bytes([checked.next(9) as u8; 16]);
            group.push(Record::Erased, user, Instant::from_millis(1), &[]);
            group.erased = vec![user];
        }
        checked.append(&group);
    }
    while checked.journal.upkeep_due().is_some() {
        checked.journal.upkeep().unwrap();
        checked.compare();
    }
    checked.reopen(place);
}

/// All of it, in any order.
fn check_history(place: &mut dyn Place, seed: u64) {
    let mut checked = Checked::new(place, 100 + seed);
    for _ in 0..40 {
        match checked.next(8) {
            0..4 => {
                let count = checked.next(6);
                let mut group = checked.group(count);
                group.metadata = if checked.next(3) == 0 { Some(checked.next_metadata()) } else { None };
                checked.append(&group);
            }
            4 => checked.append_elsewhere(),
            5 => checked.trim(),
            6 => checked.reopen(place),
            _ => {
                let last = checked.position().row;
                let mut group = checked.group(1);
                let row = checked.next(last.max(1).cast_unsigned()) as i64 + 1;
                group.removed = if row <= last { vec![row] } else { Vec::new() };
                checked.append(&group);
            }
        }
    }
}

/// Appends to a journal with little room until there is none: then nothing of the group is stored.
///
/// # Panics
///
/// When a part of the group is stored, or when there is always room.
pub fn check_room(journal: Box<dyn Journal>) {
    let mut group = Group::default();
    (0..20)
        .for_each(|user| group.push(Record::User, UserId::from_bytes([user; 16]), Instant::from_millis(5), &[7; 300]));
    for number in 1..=1000 {
        let (position, before) = (journal.position().unwrap(), read(&*journal, 0).unwrap());
        group.metadata = Some(Metadata { number, ..Metadata::default() });
        match journal.append(position, &group) {
            Ok(found) => assert_eq!(found, position.after(&group)),
            Err(JournalError::NoRoom(_)) => {
                assert_eq!(journal.position().unwrap(), position);
                assert_eq!(journal.metadata().unwrap().number, number - 1);
                assert_eq!(read(&*journal, 0).unwrap(), before);
                return;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("there is always room");
}
