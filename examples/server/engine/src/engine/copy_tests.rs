//! A test of a journal whose copy fails only when it is closed.

use super::*;
use crate::journal::memory::MemoryJournal;
use crate::journal::{Copying, Group, JournalError, Metadata, Position, Row};
use presence_core::Presence;
use std::path::Path;
use std::sync::mpsc::channel as queue;

/// A journal in memory whose copy has no end. It tells when one has begun.
#[derive(Debug)]
struct Endless(MemoryJournal, std::sync::mpsc::Sender<()>);

impl Copying for Endless {
    fn step(&mut self) -> Result<bool, JournalError> {
        Ok(false)
    }

    fn finish(&mut self) -> Result<(), JournalError> {
        Ok(())
    }
}

impl Journal for Endless {
    fn name(&self) -> String {
        self.0.name()
    }

    fn position(&self) -> Result<Position, JournalError> {
        self.0.position()
    }

    fn metadata(&self) -> Result<Metadata, JournalError> {
        self.0.metadata()
    }

    fn append(&self, expected: Position, group: &Group) -> Result<Position, JournalError> {
        self.0.append(expected, group)
    }

    fn read(&self, after: i64, each: &mut dyn FnMut(Row<'_>) -> ControlFlow<()>) -> Result<i64, JournalError> {
        self.0.read(after, each)
    }

    fn trim(&self, before: i64) -> Result<(), JournalError> {
        self.0.trim(before)
    }

    fn copy(&self, _: &Path, serve: &mut dyn FnMut(&mut dyn Copying)) -> Result<(), JournalError> {
        let _ = self.1.send(());
        serve(&mut Self(self.0.clone(), self.1.clone()));
        Err(JournalError::Failed("the copy cannot be closed".into()))
    }
}

/// The group for which there is no room must go back to the writer, or every later call waits for ever.
#[test]
fn a_shard_without_room_goes_on_although_its_copy_fails_too() {
    let (journal, (began, has_begun)) = (MemoryJournal::default(), queue());
    let spread = Spread::keyed(1, System::REAL.new_key).unwrap();
    let store = Store::Journals(vec![Box::new(Endless(journal.clone(), began))], spread);
    let engine = Engine::open(Options { users: 20, is_clock_virtual: true, ..Options::new(store) }).unwrap();
    let session = SessionId::from_bytes([9; 16]);
    let command = Command::SetPresence { session, presence: Presence::Away, lease: None };
    let set = |number: u8| engine.execute(UserId::from_bytes([number; 16]), command, &Policy::GRAPH, None).wait();
    assert_eq!(set(1), Ok(Ok(())));
    std::thread::scope(|scope| {
        let copy = scope.spawn(|| engine.shards().copy_journals(Path::new("copies")));
        has_begun.recv().unwrap();
        journal.set_room(Some(0));
        assert_eq!(set(2), Err(CallError::Unavailable));
        copy.join().unwrap().unwrap_err();
    });
    journal.set_room(None);
    // It looks for room every second.
    while set(2) == Err(CallError::Unavailable) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(engine.read(UserId::from_bytes([2; 16])).wait().unwrap().presence, Presence::Away);
}
