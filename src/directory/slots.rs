//! Where users are: finding a user's slot, giving a new user a place, and what is forgotten when a place is reused.

use super::Directory;
use super::memory::{Memory, Parts, Slot, Standing};
use super::table::buckets::{self, Homes};
use super::table::overflow;
use crate::directory::timers::heap::{End, Queue};
use crate::presence::Presence;
use crate::time::{Duration, Instant};
use crate::user::{ApplyError, Transition, User};
use core::hash::{BuildHasher, Hash};

/// A place for a new user.
#[derive(Clone, Copy)]
pub(super) enum Vacancy {
    /// The next one that nobody has ever had.
    Unused,
    /// That of a user with nothing stored, who is forgotten. Rule M5.
    Evict(u32),
}

/// Since when a user with nothing stored has been so; one who never showed anything is the first to be forgotten.
fn forgettable_since<U, S, const SESSIONS: usize>(slot: &Slot<U, S, SESSIONS>) -> Instant {
    slot.user.since().unwrap_or(Instant::ZERO)
}

/// A user's slot, and its number.
pub(super) type Found<'a, U, S, const SESSIONS: usize> = (u32, &'a Slot<U, S, SESSIONS>);

/// The slot with this number, if it is this user's.
#[inline]
fn found<U: Copy + Eq, S, const SESSIONS: usize>(
    slots: &[Slot<U, S, SESSIONS>],
    number: u32,
    user: U,
) -> Option<Found<'_, U, S, SESSIONS>> {
    slots.get(number as usize).filter(|slot| slot.id == Some(user)).map(|slot| (number, slot))
}

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    #[inline]
    pub(super) fn hash(&self, user: U) -> u64 {
        self.hasher.hash_one(user)
    }

    pub(super) fn slot(&self, slot: u32) -> Option<&Slot<U, S, SESSIONS>> {
        self.memory.slots().get(slot as usize)
    }

    /// A user's slot, and its number.
    #[inline]
    pub(super) fn find(&self, user: U) -> Option<Found<'_, U, S, SESSIONS>> {
        self.find_hashed(self.hash(user), user)
    }

    #[inline]
    fn find_hashed(&self, hash: u64, user: U) -> Option<Found<'_, U, S, SESSIONS>> {
        let tags = self.memory.tags();
        self.find_guessed(Homes::of(hash, tags.len()).guess(tags), hash, user)
    }

    /// The same by one who has guessed its place.
    #[inline]
    pub(super) fn find_guessed(&self, guess: u32, hash: u64, user: U) -> Option<Found<'_, U, S, SESSIONS>> {
        let guessed = found(self.memory.slots(), guess, user);
        // What nearly everybody needs is short, so that the processor looks for several at a time.
        if guessed.is_some() { guessed } else { self.find_elsewhere(hash, user) }
    }

    /// The same where the first guess is wrong.
    #[inline(never)]
    fn find_elsewhere(&self, hash: u64, user: U) -> Option<Found<'_, U, S, SESSIONS>> {
        let (slots, tags) = (self.memory.slots(), self.memory.tags());
        let look = |number| found(slots, number, user);
        Homes::of(hash, tags.len()).find(tags, look).or_else(|| overflow::find(self.memory.index(), hash, look))
    }

    /// A place for a new user: an unused one, or that of a user with nothing stored, whose presence has not
    /// changed for longest. O(1).
    pub(super) fn vacancy(&self) -> Option<Vacancy> {
        if self.len() < self.capacity() {
            return Some(Vacancy::Unused);
        }
        End::Back.first(self.memory.queue(), self.forgettable).map(|first| Vacancy::Evict(first.slot))
    }

    /// Where the revision and version of a new user start in this place: above those of every user forgotten until then.
    pub(super) fn number_for(&self, room: Vacancy) -> u64 {
        let above = match room {
            Vacancy::Unused => 0,
            Vacancy::Evict(slot) => self.slot(slot).map_or(0, |slot| slot.user.revision().saturating_add(1)),
        };
        self.forgotten.max(above)
    }

    /// Gives a new user its place, and carries out the first transition, which was decided about this very start.
    pub(super) fn settle(&mut self, room: Vacancy, id: U, transition: &Transition<S>) {
        let number = self.take_place(room, id);
        self.apply_unchecked(number, transition);
    }

    /// Gives a new user its place.
    pub(super) fn take_place(&mut self, room: Vacancy, id: U) -> u32 {
        let start = self.number_for(room);
        let hash = self.hash(id);
        let homes = Homes::of(hash, self.memory.tags().len());
        let number = match room {
            Vacancy::Unused => {
                self.taken = self.taken.saturating_add(1);
                self.unused_place(homes)
            }
            Vacancy::Evict(number) => {
                self.forgotten = start;
                self.forget(number);
                number
            }
        };
        let Parts { slots, tags, index, .. } = self.memory.parts();
        if let Some(slot) = slots.get_mut(number as usize) {
            slot.id = Some(id);
            slot.user = User::with_version(start);
            slot.published = Presence::Offline;
            slot.standing = Standing::Stored;
            if !homes.take(tags, number) {
                overflow::insert(index, hash, number);
            }
        }
        number
    }

    /// A place that nobody has ever had: at home if there is one, otherwise the first there is. O(1), also in the latter
    /// case if all users are taken together, for no place becomes unused again.
    fn unused_place(&mut self, homes: Homes) -> u32 {
        // There may be more tags than there is memory for the rest.
        let tags = self.memory.tags().get(..self.capacity()).unwrap_or_default();
        homes.vacancy(tags).unwrap_or_else(|| {
            self.unused_from = buckets::vacancy_from(tags, self.unused_from).unwrap_or(u32::MAX);
            self.unused_from
        })
    }

    /// Puts another record in a user's place.
    pub(super) fn replace(&mut self, number: u32, user: User<S, SESSIONS>) {
        self.unqueue(number);
        if let Some(slot) = self.memory.parts().slots.get_mut(number as usize) {
            slot.published = user.presence();
            slot.user = user;
        }
        self.changes.note(self.memory.parts().slots, number);
        let Some(slot) = self.slot(number) else { return };
        let (may_be_forgotten, deadline) = (slot.may_be_forgotten(), slot.user.next_deadline());
        self.set_forgettable(number, may_be_forgotten);
        if let Some(deadline) = deadline {
            // What time it is nobody has said: most likely not much earlier.
            self.queue_under(number, deadline, deadline.saturating_sub(Duration::from_mins(5)));
        }
    }

    /// Takes a user out of everything that leads to its place.
    fn forget(&mut self, number: u32) {
        if let Some(old) = self.slot(number).and_then(|slot| slot.id) {
            let hash = self.hash(old);
            let tags = self.memory.tags();
            if !Homes::of(hash, tags.len()).contain(tags, number) {
                let hasher = &self.hasher;
                let Parts { slots, index, .. } = self.memory.parts();
                let hash_of =
                    |other: u32| slots.get(other as usize).and_then(|slot| slot.id).map_or(0, |id| hasher.hash_one(id));
                overflow::remove(index, hash, number, hash_of);
            }
        }
        self.changes.forget(self.memory.parts().slots, number);
        if let Some(slot) = self.memory.parts().slots.get_mut(number as usize) {
            slot.generation = slot.generation.wrapping_add(1);
        }
        // It had nothing stored, so no deadline is queued for it.
        self.set_forgettable(number, false);
    }

    pub(super) fn apply_at(&mut self, number: u32, transition: &Transition<S>) -> Result<(), ApplyError> {
        if let Some(slot) = self.memory.parts().slots.get_mut(number as usize) {
            slot.user.apply(transition)?;
            slot.published = transition.after();
        }
        self.follow(number, transition);
        Ok(())
    }

    /// Carries out a transition that was decided about this very state.
    pub(super) fn apply_unchecked(&mut self, number: u32, transition: &Transition<S>) {
        if let Some(slot) = self.memory.parts().slots.get_mut(number as usize) {
            slot.user.apply_unchecked(transition);
            slot.published = transition.after();
        }
        self.follow(number, transition);
    }

    /// After a transition: notes a visible change, and sees to it that the queue knows of no later deadline than the
    /// user's own, and that a user with nothing stored may be forgotten. A deadline that has only moved later is left for
    /// when it comes up.
    fn follow(&mut self, number: u32, transition: &Transition<S>) {
        if transition.is_visible() {
            self.changes.note(self.memory.parts().slots, number);
        }
        let Some(slot) = self.slot(number) else { return };
        let (may_be_forgotten, queued) = (slot.may_be_forgotten(), slot.queued);
        if may_be_forgotten != (slot.standing == Standing::Forgettable) {
            self.set_forgettable(number, may_be_forgotten);
        }
        if transition.deadline() < queued {
            self.queue_under(number, transition.deadline(), transition.at());
        }
    }

    /// Enters a user with nothing stored among those that may be forgotten, or takes it out again.
    pub(super) fn set_forgettable(&mut self, number: u32, is_forgettable: bool) {
        if is_forgettable {
            self.unqueue(number);
        }
        let Parts { slots, queue: cells, .. } = self.memory.parts();
        let Some(slot) = slots.get_mut(number as usize) else { return };
        if slot.standing != Standing::Held {
            slot.standing = if is_forgettable { Standing::Forgettable } else { Standing::Stored };
        }
        let since = forgettable_since(slot);
        let mut queue = Queue { slots, cells, end: End::Back, len: &mut self.forgettable };
        if is_forgettable {
            queue.set(number, since);
        } else {
            queue.remove(number);
        }
    }

    /// Restores the order of those that may be forgotten, after the clock was shifted.
    pub(super) fn reorder_forgettable(&mut self) {
        let Parts { slots, queue: cells, .. } = self.memory.parts();
        Queue { slots, cells, end: End::Back, len: &mut self.forgettable }
            .rebuild(|slots, number| slots.get(number as usize).map_or(Instant::ZERO, forgettable_since));
    }
}
