//! Crashes, restarts, and clocks that are set. The disk holds snapshots and a journal of transitions.

use super::person::{Person, SESSIONS};
use super::world::{Entry, Real, World, directory};
use presence_core::{Duration, Instant, User, snapshot};

/// Snapshots of all users on disk, and the model at that instant.
pub struct Checkpoint {
    saved_at: u64,
    users: Vec<(u32, Vec<u8>)>,
    people: Vec<Option<Person>>,
}

impl World {
    /// Saves all users, and starts a new journal. Nothing may be overdue.
    pub fn checkpoint(&mut self) -> Checkpoint {
        let users = self.snapshots();
        self.journal.clear();
        Checkpoint { saved_at: self.now, users, people: self.people.clone() }
    }

    /// Returns the snapshots of all users, in the order of their ids.
    pub fn snapshots(&self) -> Vec<(u32, Vec<u8>)> {
        let mut users: Vec<_> = self.real.users().collect();
        users.sort_unstable_by_key(|(id, _)| *id);
        let mut buffer = [0; snapshot::max_len::<u8, SESSIONS>()];
        let mut save = |(id, user): (u32, &User<u8, SESSIONS>)| {
            let saved = snapshot::save(user.at(self.at()).expect("nothing is overdue"), &mut buffer).expect("it fits");
            (id, saved.to_vec())
        };
        users.into_iter().map(&mut save).collect()
    }

    /// Crashes and restarts with the journal, `gap` later. All users continue as if nothing last_version happened.
    ///
    /// The clock and the journal continue, or the clock reads `to` afterwards, and a new checkpoint is needed.
    pub fn crash(&mut self, checkpoint: &Checkpoint, gap: u64, to: Option<u64>) {
        let crashed_at = self.now;
        let mut users = self.replayed(checkpoint);
        let came_back = crashed_at + gap;
        self.now = to.unwrap_or(came_back);
        let old = self.replace_directory();
        for (id, user) in &mut users {
            assert_eq!(old.get(*id), Some(&*user), "the journal leads to another {id}");
            if to.is_some() {
                // For another clock by way of a snapshot, of an instant at which nothing was overdue.
                let bytes = saved(user, crashed_at);
                *user = snapshot::restore(&bytes, self.at(), Some(Duration::from_millis(gap))).expect("a snapshot");
                self.people[*id as usize].as_mut().expect("a slot").shift(came_back, self.now);
            }
        }
        self.insert_all(users);
    }

    /// Restarts after a gap of unknown length without the journal: only the snapshots remain.
    pub fn lose_power(&mut self, checkpoint: &Checkpoint, to: u64) {
        for (last_version, person) in self.last_version.iter_mut().zip(&self.people) {
            *last_version = person.as_ref().map_or(0, |person| person.version).max(*last_version);
        }
        let next = self.people.iter().flatten().map(|person| person.revision + 1).max().unwrap_or(0);
        self.start = self.start.max(next);
        self.people.clone_from(&checkpoint.people);
        self.now = to;
        self.counts.lost += 1;
        self.replace_directory();
        let restore =
            |(id, bytes): &(u32, Vec<u8>)| (*id, snapshot::restore(bytes, self.at(), None).expect("a snapshot"));
        let users: Vec<(u32, User<u8, SESSIONS>)> = checkpoint.users.iter().map(restore).collect();
        for (person, last_version) in self.people.iter_mut().zip(&self.last_version) {
            let Some(person) = person else { continue };
            person.shift(checkpoint.saved_at, to);
            person.lose_sessions(to);
            assert!(person.version > *last_version, "a version is used twice (V1)");
        }
        self.insert_all(users);
    }

    /// Returns the users of a checkpoint after all transitions of the journal.
    fn replayed(&self, checkpoint: &Checkpoint) -> Vec<(u32, User<u8, SESSIONS>)> {
        let mut users: Vec<Option<User<u8, SESSIONS>>> = vec![None; self.people.len()];
        for (id, bytes) in &checkpoint.users {
            let saved_at = Instant::from_millis(checkpoint.saved_at);
            users[*id as usize] = snapshot::restore(bytes, saved_at, Some(Duration::ZERO)).ok();
        }
        for entry in &self.journal {
            match entry {
                Entry::Applied(id, transition) => {
                    let user = &mut users[*id as usize];
                    let user = user.get_or_insert_with(|| User::with_version(transition.revision()));
                    user.apply(transition).expect("it was applied before");
                }
                Entry::Evicted(id) => users[*id as usize] = None,
                Entry::Inserted(id, start) => users[*id as usize] = Some(User::with_version(*start)),
                Entry::Rebased { from, to } => {
                    for user in users.iter_mut().flatten() {
                        let moments = (Instant::from_millis(*from), Instant::from_millis(*to));
                        user.rebase(moments.0, moments.1).expect("nothing was overdue");
                    }
                }
            }
        }
        let users = users.into_iter().enumerate();
        users.filter_map(|(id, user)| Some((id as u32, user?))).collect()
    }

    /// Starts with a new directory, and returns the old one to compare.
    fn replace_directory(&mut self) -> Real {
        self.counts.restarts += 1;
        (self.changes, self.evicted) = (0, 0);
        self.latest.fill(0);
        for (id, person) in self.people.iter().enumerate() {
            self.evicted_before[id] |= person.is_none();
        }
        std::mem::replace(&mut self.real, directory())
    }

    fn insert_all(&mut self, users: Vec<(u32, User<u8, SESSIONS>)>) {
        self.present = users.len();
        self.count_empty();
        for (id, user) in users {
            self.real.insert(id, user).expect("as many slots as before");
            self.changes += 1;
            self.latest[id as usize] = self.changes;
        }
        assert_eq!(self.real.len(), self.people.iter().flatten().count());
    }

    /// Sets the clock, and moves all deadlines with it. Rule C2.
    pub fn rebase(&mut self, to: u64) {
        self.advance();
        let from = self.now;
        self.real.rebase(self.at(), Instant::from_millis(to)).expect("nothing is overdue");
        for person in self.people.iter_mut().flatten() {
            person.shift(from, to);
            person.revision += 1;
        }
        self.count_empty();
        self.now = to;
        self.journal.push(Entry::Rebased { from, to });
    }
}

/// Returns the snapshot of a user at the last instant at which nothing was overdue.
fn saved(user: &User<u8, SESSIONS>, now: u64) -> Vec<u8> {
    let mut buffer = [0; snapshot::max_len::<u8, SESSIONS>()];
    snapshot::save(user.at(Instant::from_millis(now)).expect("nothing is overdue"), &mut buffer)
        .expect("it fits")
        .to_vec()
}
