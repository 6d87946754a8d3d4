//! The users who changed visibly since a cursor, as a reader of a directory would write them down. Rule V2.

use presence_core::directory::{Cursor, Directory, Memory};
use std::collections::BTreeMap;
use std::hash::BuildHasher;

/// For each user, the number of its latest visible change.
#[derive(Default)]
pub struct Log {
    pub count: u64,
    latest: BTreeMap<u8, u64>,
    /// The newest change that can no longer be returned.
    pub evicted: u64,
}

impl Log {
    pub fn note(&mut self, user: u8) {
        self.count += 1;
        self.latest.insert(user, self.count);
    }

    /// Removes evicted users, and remembers the newest of their changes.
    pub fn evict<M, H, const SESSIONS: usize>(&mut self, directory: &Directory<u8, u8, M, H, SESSIONS>)
    where
        M: Memory<u8, u8, SESSIONS>,
        H: BuildHasher,
    {
        let removed: Vec<_> = self.latest.iter().filter(|(user, _)| directory.get(**user).is_none()).collect();
        self.evicted = removed.iter().map(|(_, at)| **at).max().unwrap_or(0).max(self.evicted);
        self.latest.retain(|user, _| directory.get(*user).is_some());
    }

    fn since(&self, cursor: u64) -> Option<Vec<(u8, u64)>> {
        if cursor < self.evicted || cursor > self.count {
            return None;
        }
        let mut changed: Vec<_> =
            self.latest.iter().map(|(user, at)| (*user, *at)).filter(|(_, at)| *at > cursor).collect();
        changed.sort_by_key(|(_, at)| *at);
        Some(changed)
    }

    /// The directory says the same of what changed after this many changes.
    pub fn assert_same_since<M, H, const SESSIONS: usize>(
        &self,
        directory: &Directory<u8, u8, M, H, SESSIONS>,
        cursor: u64,
    ) where
        M: Memory<u8, u8, SESSIONS>,
        H: BuildHasher,
    {
        assert_eq!(directory.cursor().to_number(), self.count, "cursor (V2)");
        let seen = directory.changes_since(Cursor::from_number(cursor)).map(|changes| {
            let noted = changes.map(|changed| {
                assert_eq!(directory.get(changed.id), Some(changed.user));
                (changed.id, changed.cursor.to_number())
            });
            noted.collect::<Vec<_>>()
        });
        assert_eq!(seen.ok(), self.since(cursor), "changes since {cursor} (V2)");
    }
}
