//! Somebody who asks for changes now and then, and believes what it is told. Rule V2: what it believes is right, or it has
//! been told to start over.

use super::world::World;
use presence_core::Presence;
use presence_core::directory::Cursor;

pub struct Reader {
    cursor: Cursor,
    believes: Vec<Presence>,
}

impl Reader {
    pub fn new() -> Self {
        Self { cursor: Cursor::START, believes: vec![Presence::Offline; super::world::IDS] }
    }

    pub fn read(&mut self, world: &mut World) {
        let since = self.cursor.to_number();
        let is_forgotten = since < world.forgotten;
        match world.real.changes_since(self.cursor) {
            Ok(changes) => {
                assert!(!is_forgotten, "a silent gap after {since}");
                let (mut told, mut last) = (0, since);
                for changed in changes {
                    let at = changed.cursor.to_number();
                    assert!(at > last, "each once, oldest first");
                    assert_eq!(at, world.latest[changed.id as usize], "of {}", changed.id);
                    self.believes[changed.id as usize] = changed.user.presence();
                    (told, last) = (told + 1, at);
                }
                self.cursor = Cursor::from_number(last);
                let changed = world.latest.iter().filter(|latest| **latest > since).count();
                assert_eq!(told, changed, "somebody who changed after {since} was left out");
                world.counts.read += told as u64;
            }
            Err(_) => {
                assert!(is_forgotten, "told to start over after {since} for nothing");
                world.counts.start_over += 1;
                self.start_over(world);
            }
        }
        for (id, person) in world.people.iter().enumerate() {
            let published = person.as_ref().map_or(Presence::Offline, |person| person.published);
            assert_eq!(self.believes[id], published, "of {id}");
        }
    }

    /// Reads everything anew: what it was told to do, or because this is another directory.
    pub fn start_over(&mut self, world: &World) {
        self.believes.fill(Presence::Offline);
        for (id, user) in world.real.users() {
            self.believes[id as usize] = user.presence();
        }
        self.cursor = world.real.cursor();
    }
}
