//! A reader of changes that follows a directory with cursors. Rule V2: its state is correct, or it is told to start over.

use super::world::World;
use presence_core::Presence;
use presence_core::directory::Cursor;

pub struct Reader {
    cursor: Cursor,
    presences: Vec<Presence>,
}

impl Reader {
    pub fn new() -> Self {
        Self { cursor: Cursor::START, presences: vec![Presence::Offline; super::world::IDS] }
    }

    pub fn read(&mut self, world: &mut World) {
        let since = self.cursor.to_number();
        let is_evicted = since < world.evicted;
        match world.real.changes_since(self.cursor) {
            Ok(changes) => {
                assert!(!is_evicted, "a silent gap after {since}");
                let (mut count, mut last) = (0, since);
                for changed in changes {
                    let at = changed.cursor.to_number();
                    assert!(at > last, "each once, oldest first");
                    assert_eq!(at, world.latest[changed.id as usize], "of {}", changed.id);
                    self.presences[changed.id as usize] = changed.user.presence();
                    (count, last) = (count + 1, at);
                }
                self.cursor = Cursor::from_number(last);
                let changed = world.latest.iter().filter(|latest| **latest > since).count();
                assert_eq!(count, changed, "a user that changed after {since} is missing");
                world.counts.read += count as u64;
            }
            Err(_) => {
                assert!(is_evicted, "told to start over after {since} without a reason");
                world.counts.start_over += 1;
                self.start_over(world);
            }
        }
        for (id, person) in world.people.iter().enumerate() {
            let published = person.as_ref().map_or(Presence::Offline, |person| person.published);
            assert_eq!(self.presences[id], published, "of {id}");
        }
    }

    /// Reads all users again, after being told so or in another directory.
    pub fn start_over(&mut self, world: &World) {
        self.presences.fill(Presence::Offline);
        for (id, user) in world.real.users() {
            self.presences[id as usize] = user.presence();
        }
        self.cursor = world.real.cursor();
    }
}
