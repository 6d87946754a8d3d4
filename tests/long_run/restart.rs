//! Crashes, restarts, and clocks that are set. What is written to disk are snapshots and a journal of transitions.

use super::person::{Person, SESSIONS};
use super::world::{Entry, Real, World, directory};
use presence_core::{Duration, Instant, User, snapshot};

/// What was written to disk at some moment, and what was known then.
pub struct Checkpoint {
    taken_at: u64,
    users: Vec<(u32, Vec<u8>)>,
    people: Vec<Option<Person>>,
}

impl World {
    /// Writes everybody down, and begins the journal anew. Nothing may be overdue.
    pub fn checkpoint(&mut self) -> Checkpoint {
        let users = self.snapshots();
        self.journal.clear();
        Checkpoint { taken_at: self.now, users, people: self.people.clone() }
    }

    /// Everybody's snapshot, in the order of ids. None is longer than it may be.
    pub fn snapshots(&self) -> Vec<(u32, Vec<u8>)> {
        let mut users: Vec<_> = self.real.users().collect();
        users.sort_unstable_by_key(|(id, _)| *id);
        let mut buffer = [0; snapshot::max_len::<u8, SESSIONS>()];
        let mut take = |(id, user): (u32, &User<u8, SESSIONS>)| {
            let taken = snapshot::save(user.at(self.at()).expect("nothing is overdue"), &mut buffer).expect("room");
            (id, taken.to_vec())
        };
        users.into_iter().map(&mut take).collect()
    }

    /// A crash after which the journal is there: the clock reads `gap` more than when it happened, and the journal goes on;
    /// or it is another clock, on which it is `to` now, and everybody must be written down anew. Everyone goes on as if
    /// nothing had been.
    pub fn crash(&mut self, checkpoint: &Checkpoint, gap: u64, to: Option<u64>) {
        let crashed_at = self.now;
        let mut users = self.replayed(checkpoint);
        let came_back = crashed_at + gap;
        self.now = to.unwrap_or(came_back);
        let old = self.begin_anew();
        for (id, user) in &mut users {
            assert_eq!(old.get(*id), Some(&*user), "the journal leads to another {id}");
            if to.is_some() {
                // Another clock: by way of a snapshot, which must be of a moment at which nothing was overdue.
                let bytes = stored(user, crashed_at);
                *user = snapshot::restore(&bytes, self.at(), Some(Duration::from_millis(gap))).expect("what was taken");
                self.people[*id as usize].as_mut().expect("a place").shift(came_back, self.now);
            }
        }
        self.take_in(users);
    }

    /// Power that came back after nobody knows how long, and a journal that is gone: all there is are the snapshots.
    pub fn lose_power(&mut self, checkpoint: &Checkpoint, to: u64) {
        for (had, person) in self.had.iter_mut().zip(&self.people) {
            *had = person.as_ref().map_or(0, |person| person.version).max(*had);
        }
        let told = self.people.iter().flatten().map(|person| person.revision + 1).max().unwrap_or(0);
        self.start = self.start.max(told);
        self.people.clone_from(&checkpoint.people);
        self.now = to;
        self.counts.lost += 1;
        self.begin_anew();
        let restore = |(id, bytes): &(u32, Vec<u8>)| (*id, snapshot::restore(bytes, self.at(), None).expect("taken"));
        let users: Vec<(u32, User<u8, SESSIONS>)> = checkpoint.users.iter().map(restore).collect();
        for (person, had) in self.people.iter_mut().zip(&self.had) {
            let Some(person) = person else { continue };
            person.shift(checkpoint.taken_at, to);
            person.lose_sessions(to);
            assert!(person.version > *had, "a version that was told before gets a second meaning (V1)");
        }
        self.take_in(users);
    }

    /// The users of a checkpoint, after everything that the journal says.
    fn replayed(&self, checkpoint: &Checkpoint) -> Vec<(u32, User<u8, SESSIONS>)> {
        let mut users: Vec<Option<User<u8, SESSIONS>>> = vec![None; self.people.len()];
        for (id, bytes) in &checkpoint.users {
            let taken_at = Instant::from_millis(checkpoint.taken_at);
            users[*id as usize] = snapshot::restore(bytes, taken_at, Some(Duration::ZERO)).ok();
        }
        for entry in &self.journal {
            match entry {
                Entry::Happened(id, transition) => {
                    let user = &mut users[*id as usize];
                    let user = user.get_or_insert_with(|| User::with_version(transition.revision()));
                    user.apply(transition).expect("what was applied once");
                }
                Entry::Forgotten(id) => users[*id as usize] = None,
                Entry::Returned(id, start) => users[*id as usize] = Some(User::with_version(*start)),
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

    /// A new directory; the old one for whoever wants to compare.
    fn begin_anew(&mut self) -> Real {
        self.counts.restarts += 1;
        (self.changes, self.forgotten) = (0, 0);
        self.latest.fill(0);
        for (id, person) in self.people.iter().enumerate() {
            self.forgotten_before[id] |= person.is_none();
        }
        std::mem::replace(&mut self.real, directory())
    }

    fn take_in(&mut self, users: Vec<(u32, User<u8, SESSIONS>)>) {
        self.present = users.len();
        self.count_empty();
        for (id, user) in users {
            self.real.insert(id, user).expect("as many places as before");
            self.changes += 1;
            self.latest[id as usize] = self.changes;
        }
        assert_eq!(self.real.len(), self.people.iter().flatten().count());
    }

    /// The clock is set, and everything stored moves with it. Rule C2.
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

/// A user as it was last carried out, on its own clock: at the last moment at which nothing was overdue.
fn stored(user: &User<u8, SESSIONS>, now: u64) -> Vec<u8> {
    let mut buffer = [0; snapshot::max_len::<u8, SESSIONS>()];
    snapshot::save(user.at(Instant::from_millis(now)).expect("nothing is overdue"), &mut buffer).expect("room").to_vec()
}
