//! Where users are: finding a user's slot, giving a new user a place, and what is forgotten when a place is reused.

use super::memory::{Memory, Parts, Slot};
use super::queue::Queue;
use super::{Directory, index};
use crate::time::Instant;
use crate::user::{ApplyError, Transition, User};
use core::hash::{BuildHasher, Hash};

/// A place for a new user.
#[derive(Clone, Copy)]
pub(super) enum Room {
    /// The next one that nobody has ever had.
    Unused,
    /// That of a user with nothing stored, who is forgotten. Rule M5.
    Of(u32),
}

/// Which of two slots comes first when their deadlines are the same: that of the smaller user id. Rule S8.
fn is_before<U: Copy + Ord, S, const SESSIONS: usize>(slots: &[Slot<U, S, SESSIONS>], one: u32, other: u32) -> bool {
    let id = |slot: u32| slots.get(slot as usize).and_then(|slot| slot.id);
    id(one) < id(other)
}

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// The half of the hash that mixes best.
    fn hash(&self, user: U) -> u32 {
        (self.hasher.hash_one(user) >> 32) as u32
    }

    pub(super) fn slot(&self, slot: u32) -> Option<&Slot<U, S, SESSIONS>> {
        self.memory.slots().get(slot as usize)
    }

    pub(super) fn find(&self, user: U) -> Option<u32> {
        let slots = self.memory.slots();
        index::find(self.memory.index(), self.hash(user), |slot| {
            slots.get(slot as usize).is_some_and(|slot| slot.id == Some(user))
        })
    }

    /// A place for a new user: an unused one, or that of the user who has had nothing stored for longest. O(1), O(users)
    /// when no place is unused.
    pub(super) fn room(&self) -> Option<Room> {
        if self.len() < self.capacity() {
            return Some(Room::Unused);
        }
        let slots = self.memory.slots().iter().take(self.len()).zip(0u32..);
        let forgettable = slots.filter(|(slot, _)| slot.user.is_empty());
        forgettable.min_by_key(|(slot, _)| (slot.user.since(), slot.id)).map(|(_, number)| Room::Of(number))
    }

    /// Where the revision and version of a new user start in this place: above those of every user forgotten until then.
    pub(super) fn number_for(&self, room: Room) -> u64 {
        let revision = match room {
            Room::Unused => 0,
            Room::Of(slot) => self.slot(slot).map_or(0, |slot| slot.user.revision().saturating_add(1)),
        };
        self.forgotten.max(revision)
    }

    /// Gives a new user its place.
    pub(super) fn settle(&mut self, room: Room, id: U, user: User<S, SESSIONS>) {
        self.forgotten = self.number_for(room);
        let number = match room {
            Room::Unused => {
                let number = self.taken;
                self.taken = number.saturating_add(1);
                number
            }
            Room::Of(number) => {
                if let Some(old) = self.slot(number).and_then(|slot| slot.id) {
                    let hash = self.hash(old);
                    index::remove(self.memory.parts().index, hash, number);
                }
                self.unqueue(number);
                number
            }
        };
        let hash = self.hash(id);
        let Parts { slots, index, .. } = self.memory.parts();
        if let Some(slot) = slots.get_mut(number as usize) {
            *slot = Slot { id: Some(id), user, queued: Instant::NEVER };
            index::insert(index, hash, number);
        }
        self.requeue(number);
    }

    pub(super) fn apply_at(&mut self, number: u32, transition: &Transition<S>) -> Result<(), ApplyError> {
        if let Some(slot) = self.memory.parts().slots.get_mut(number as usize) {
            slot.user.apply(transition)?;
        }
        self.requeue(number);
        Ok(())
    }

    /// Sees to it that the queue knows of no later deadline for a user than the user's own. One that has only moved later
    /// is left for when it comes up.
    fn requeue(&mut self, number: u32) {
        let Some(slot) = self.slot(number) else { return };
        if let Some(deadline) = slot.user.next_deadline().filter(|deadline| *deadline < slot.queued) {
            self.queue_under(number, deadline);
        }
    }

    /// Enters a user in the queue under this deadline, whatever it was under before.
    pub(super) fn queue_under(&mut self, number: u32, deadline: Instant) {
        let Parts { slots, queue: cells, .. } = self.memory.parts();
        if let Some(slot) = slots.get_mut(number as usize) {
            slot.queued = deadline;
        }
        let is_before = |one, other| is_before(slots, one, other);
        Queue { cells, len: &mut self.queued, is_before }.set(number, deadline);
    }

    pub(super) fn unqueue(&mut self, number: u32) {
        let Parts { slots, queue: cells, .. } = self.memory.parts();
        if let Some(slot) = slots.get_mut(number as usize) {
            slot.queued = Instant::NEVER;
        }
        let is_before = |one, other| is_before(slots, one, other);
        Queue { cells, len: &mut self.queued, is_before }.remove(number);
    }

    pub(super) fn rebuild_queue(&mut self) {
        let Parts { slots, queue: cells, .. } = self.memory.parts();
        let is_before = |one, other| is_before(slots, one, other);
        Queue { cells, len: &mut self.queued, is_before }
            .rebuild(|number| slots.get(number as usize).map_or(Instant::NEVER, |slot| slot.queued));
    }
}
