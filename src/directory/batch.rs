//! Many commands, or many reads, at once: their memory is fetched side by side instead of one miss after the other.

use super::Directory;
use super::memory::Memory;
use crate::directory::table::buckets::Homes;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition, User};
use core::hash::{BuildHasher, Hash};

/// How many are looked up side by side.
const PREFETCHED: usize = 64;

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Carries out commands at `now`, in order, with the same results as [`execute`](Self::execute) one by one, which are
    /// handed to `done` with the command's place. A large directory waits for memory most of the time; here it waits for
    /// up to 64 users at once. Rules S7 to S9. O(commands × `SESSIONS`), and for each whatever more
    /// [`execute`](Self::execute) may take.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineMemory};
    /// use presence_core::{Command, CommandError, Instant, Policy, Presence};
    ///
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 4>::new(), Policy::GRAPH);
    /// let set = Command::SetPresence { session: 1, presence: Presence::Away, lease: None };
    /// let commands = [(7, set), (8, Command::ClearPresence { session: 1 })];
    /// let mut outcomes = Vec::new();
    /// directory.execute_batch(Instant::ZERO, &commands, |_, _| {}, |place, outcome| outcomes.push((place, outcome)));
    /// assert_eq!(outcomes, [(0, Ok(())), (1, Err(CommandError::NotFound))]);
    /// ```
    pub fn execute_batch(
        &mut self,
        now: Instant,
        commands: &[(U, Command<S>)],
        mut sink: impl FnMut(U, &Transition<S>),
        mut done: impl FnMut(usize, Result<(), CommandError>),
    ) {
        let mut places = 0usize..;
        for chunk in commands.chunks(PREFETCHED) {
            let found = self.find_many(chunk.iter().map(|(user, _)| *user));
            for ((user, command), slot) in chunk.iter().zip(found) {
                // An earlier command may have given the place away, or given this user one.
                let slot = match slot.filter(|slot| self.slot(*slot).is_some_and(|slot| slot.id == Some(*user))) {
                    Some(slot) => Some(slot),
                    None => self.find(*user).map(|(number, _)| number),
                };
                let outcome = self.execute_found(slot, now, *user, *command, &mut sink);
                if let Some(place) = places.next() {
                    done(place, outcome);
                }
            }
        }
    }

    /// Reads users as they are at `now`, in order, each handed to `read`; see [`read`](Self::read). Up to 64 are fetched
    /// side by side. Rules M4, M5. O(users asked for × `SESSIONS`), O(`SESSIONS`²) for each of whom something is overdue.
    ///
    /// ```
    /// use presence_core::directory::{Directory, InlineMemory};
    /// use presence_core::{Instant, Policy, Presence};
    ///
    /// let mut directory = Directory::new(InlineMemory::<u8, u8, 2, 4>::new(), Policy::GRAPH);
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

    /// The slots of up to [`PREFETCHED`] users. Each round touches one piece of memory for all of them before the next
    /// one needs it, and the processor fetches them side by side.
    fn find_many(&self, users: impl Iterator<Item = U> + Clone) -> [Option<u32>; PREFETCHED] {
        let (tags, slots) = (self.memory.tags(), self.memory.slots());
        let (mut hashes, mut guesses) = ([0; PREFETCHED], [u32::MAX; PREFETCHED]);
        for ((hash, guess), user) in hashes.iter_mut().zip(&mut guesses).zip(users.clone()) {
            *hash = self.hash(user);
            *guess = Homes::of(*hash, tags.len()).guess(tags);
        }
        // A user is a handful of cache lines: asking what it publishes, and what is due, touches them all.
        for guess in guesses {
            if let Some(slot) = slots.get(guess as usize) {
                core::hint::black_box((slot.published, slot.user.presence()));
            }
        }
        let mut found = [None; PREFETCHED];
        for (((found, hash), guess), user) in found.iter_mut().zip(hashes).zip(guesses).zip(users) {
            *found = self.find_guessed(guess, hash, user).map(|(number, _)| number);
        }
        found
    }
}
