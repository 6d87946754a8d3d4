//! Batches of commands and of reads: the memory of many users is prefetched, instead of waiting for one after the other.

use super::memory::Memory;
use super::slot_index::SlotIndex;
use super::state::Directory;
use super::table::buckets::Buckets;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition, User};
use core::hash::{BuildHasher, Hash};

/// The number of users that are prefetched at a time.
const PREFETCHED: usize = 64;

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Executes commands at `now`, in order, with the same results as [`execute`](Self::execute) one by one.
    ///
    /// `done` is called with each command's index and result. A large directory waits for memory most of the time; here it
    /// waits for up to 64 users at once.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{Command, CommandError, Instant, Policy, Presence};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
    /// let set = Command::SetPresence { session: 1, presence: Presence::Away, lease: None };
    /// let commands = [(7, set), (8, Command::ClearPresence { session: 1 })];
    /// let mut outcomes = Vec::new();
    /// directory.execute_batch(Instant::ZERO, &commands, |_, _| {}, |index, outcome| outcomes.push((index, outcome)));
    /// assert_eq!(outcomes, [(0, Ok(())), (1, Err(CommandError::NotFound))]);
    /// ```
    pub fn execute_batch(
        &mut self,
        now: Instant,
        commands: &[(U, Command<S>)],
        mut on_change: impl FnMut(U, &Transition<S>),
        mut done: impl FnMut(usize, Result<(), CommandError>),
    ) {
        let mut indices = 0usize..;
        for chunk in commands.chunks(PREFETCHED) {
            let found = self.find_many(chunk.iter().map(|(user, _)| *user));
            for ((user, command), slot) in chunk.iter().zip(found) {
                // An earlier command may have evicted this user, or given it a slot.
                let slot = match slot.filter(|slot| self.slot(*slot).is_some_and(|slot| slot.id == Some(*user))) {
                    Some(slot) => Some(slot),
                    None => self.find(*user).map(|(index, _)| index),
                };
                let outcome = self.execute_found(slot, now, *user, *command, None, &mut on_change);
                if let Some(index) = indices.next() {
                    done(index, outcome);
                }
            }
        }
    }

    /// Reads users as they are at `now`, in order, and calls `read` with each; see [`read`](Self::read).
    ///
    /// Up to 64 users are prefetched at a time.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineDirectory};
    /// use presence_core::{Instant, Policy, Presence};
    ///
    /// let mut directory = InlineDirectory::<u8, u8, 2, 4>::with_policy(Policy::GRAPH);
    /// directory.set_presence(Instant::ZERO, 7, 1, Presence::Away, None, |_, _| {})?;
    /// let mut read = Vec::new();
    /// directory.read_batch(Instant::ZERO, &[8, 7], |id, user| read.push((id, user.presence())));
    /// assert_eq!(read, [(8, Presence::Offline), (7, Presence::Away)]);
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    pub fn read_batch(&self, now: Instant, users: &[U], mut read: impl FnMut(U, &User<S, SESSIONS>)) {
        for chunk in users.chunks(PREFETCHED) {
            let found = self.find_many(chunk.iter().copied());
            for (user, slot) in chunk.iter().zip(found) {
                let slot = slot.and_then(|slot| self.slot(slot));
                self.read_found(slot.map(|slot| &slot.user), now, |found| read(*user, found));
            }
        }
    }

    /// Returns the slots of up to [`PREFETCHED`] users. Each round touches one piece of memory for all of them before the
    /// next one needs it, so that the processor fetches them at the same time.
    fn find_many(&self, users: impl Iterator<Item = U> + Clone) -> [Option<SlotIndex>; PREFETCHED] {
        let (fingerprints, slots) = (self.memory.fingerprints(), self.memory.slots());
        let (mut hashes, mut matches) = ([0; PREFETCHED], [SlotIndex::NONE; PREFETCHED]);
        for ((hash, first), user) in hashes.iter_mut().zip(&mut matches).zip(users.clone()) {
            *hash = self.hash(user);
            *first = Buckets::of(*hash, fingerprints.len()).first_match(fingerprints);
        }
        // A user is a handful of cache lines: its presence and its deadlines touch them all.
        for first in matches {
            if let Some(slot) = slots.get(first.as_usize()) {
                core::hint::black_box((slot.published, slot.user.presence()));
            }
        }
        let mut found = [None; PREFETCHED];
        for (((found, hash), first), user) in found.iter_mut().zip(hashes).zip(matches).zip(users) {
            *found = self.find_from(first, hash, user).map(|(index, _)| index);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::directory::InlineDirectory;
    use crate::edges::edges;
    use crate::{Policy, Presence};
    use std::vec::Vec;

    const MOST: usize = 2 * PREFETCHED + 1;

    type Crowd = InlineDirectory<usize, u8, 2, MOST>;

    /// Users of every kind: never seen, up to date, overdue, and with nothing stored any more, in no order of ids.
    fn crowd(users: usize) -> (Crowd, Vec<usize>) {
        let mut directory = Crowd::with_policy(Policy::GRAPH);
        let ids: Vec<_> = (0..users).map(|number| number * 71 % 257).collect();
        for (number, id) in ids.iter().enumerate() {
            for session in 0..(number % 4).min(2) as u8 {
                let presence = if number % 2 == 0 { Presence::Available } else { Presence::InACall };
                let moment = Instant::from_secs((number % 5) as u64 * 100);
                directory.set_presence(moment, *id, session, presence, None, |_, _| {}).unwrap();
            }
        }
        (directory, ids)
    }

    /// Rule M4: at the edge of every piece, a batch is its users one by one.
    #[test]
    fn m4_batches_of_every_size_around_a_piece() {
        for users in edges(PREFETCHED) {
            let (directory, ids) = crowd(users);
            for now in [400, 450, 1000].map(Instant::from_secs) {
                let mut read = Vec::new();
                directory.read_batch(now, &ids, |id, user| read.push((id, user.clone())));
                let one_by_one: Vec<_> = ids.iter().map(|id| (*id, directory.read(now, *id, Clone::clone))).collect();
                assert_eq!(read, one_by_one, "{users} users");

                let set = |session| Command::SetPresence { session, presence: Presence::Presenting, lease: None };
                let command = |number: usize| [set(0), Command::ClearPresence { session: 1 }, set(2)][number % 3];
                let commands: Vec<_> = ids.iter().enumerate().map(|(number, id)| (*id, command(number))).collect();
                let (mut batched, mut single) = (directory.clone(), directory.clone());
                let (mut changes, mut outcomes) = (Vec::new(), Vec::new());
                batched.execute_batch(
                    now,
                    &commands,
                    |user, change| changes.push((user, *change)),
                    |index, outcome| outcomes.push((index, outcome)),
                );
                let mut expected = Vec::new();
                for (index, (user, command)) in commands.iter().enumerate() {
                    let outcome = single.execute(now, *user, *command, |user, change| expected.push((user, *change)));
                    assert_eq!(outcomes.get(index), Some(&(index, outcome)), "{users} users");
                }
                assert_eq!((outcomes.len(), &changes), (users, &expected), "{users} users");
                assert!(batched.users().eq(single.users()), "{users} users");
            }
        }
    }
}
