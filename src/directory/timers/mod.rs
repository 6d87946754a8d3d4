//! The queue of deadlines: a calendar for those to come, a heap for the near ones and those beyond the calendar. Rule S8.

pub(in crate::directory) mod calendar;
pub(in crate::directory) mod heap;

use crate::directory::Directory;
use crate::directory::memory::{Memory, Parts};
use crate::directory::timers::calendar::Calendar;
use crate::directory::timers::heap::{End, Entry, Link, Linked, Queue};
use crate::time::Instant;
use core::hash::{BuildHasher, Hash};

/// How many users are taken off the calendar at a time: enough for their memory to be fetched side by side, few enough
/// for a call to stay short.
const AT_A_TIME: usize = 8;

/// As long as so few are in the heap, in a large directory, nobody is put on a page. Otherwise a large directory with hardly
/// any users would turn thousands of pages for each, and be opened so far ahead that those who come next find no page.
const FEW: usize = 256;

/// Both parts while they are worked on.
struct Deadlines<'a, L: ?Sized> {
    calendar: &'a mut Calendar,
    heap: Queue<'a, L>,
}

impl<L: Linked + ?Sized> Deadlines<'_, L> {
    /// Enters a slot under this deadline. It stands under another one until now, or nowhere, when that is never.
    fn set(&mut self, slot: u32, old: Instant, deadline: Instant, now: Instant) {
        let is_in_heap = old != Instant::NEVER && self.is_in_heap(slot);
        if old != Instant::NEVER && !is_in_heap {
            self.calendar.leave(self.heap.slots, self.heap.cells, slot, old);
        }
        // In a heap of few, each is found at once, however far away.
        let is_of_few = (*self.heap.len as usize) < FEW.min(self.heap.cells.len() / 64);
        match self.calendar.day_of(self.heap.cells, deadline, now).filter(|_| !is_of_few) {
            Some(day) => {
                if is_in_heap {
                    self.heap.remove(slot);
                }
                self.calendar.enter(self.heap.slots, self.heap.cells, slot, day);
            }
            None => {
                self.heap.set(slot, deadline);
                if let Some(link) = self.heap.slots.link_mut(slot) {
                    link.after = Link::IN_HEAP;
                }
            }
        }
    }

    /// Removes a slot, which stands under this deadline, or nowhere, when that is never.
    fn remove(&mut self, slot: u32, old: Instant) {
        if old == Instant::NEVER {
            return;
        }
        if self.is_in_heap(slot) {
            self.heap.remove(slot);
        } else {
            self.calendar.leave(self.heap.slots, self.heap.cells, slot, old);
        }
    }

    /// Of a slot that stands somewhere: whether that is the heap.
    fn is_in_heap(&self, slot: u32) -> bool {
        self.heap.slots.link(slot).is_some_and(|link| link.after == Link::IN_HEAP)
    }
}

/// The queue of deadlines of a directory, from what the directory is made of.
macro_rules! deadlines {
    ($slots:expr, $cells:expr, $directory:expr) => {
        Deadlines {
            calendar: &mut $directory.calendar,
            heap: Queue { slots: $slots, cells: $cells, end: End::Front, len: &mut $directory.queued },
        }
    };
}

impl<U, S, const SESSIONS: usize, M, H> Directory<U, S, SESSIONS, M, H>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Enters a user in the queue under this deadline, whatever it was under before.
    pub(in crate::directory) fn queue_under(&mut self, number: u32, deadline: Instant, now: Instant) {
        let Parts { slots, queue: cells, .. } = self.memory.parts();
        let Some(slot) = slots.get_mut(number as usize) else { return };
        let old = core::mem::replace(&mut slot.queued, deadline);
        deadlines!(slots, cells, self).set(number, old, deadline, now);
    }

    /// Takes a user out of the queue.
    pub(in crate::directory) fn unqueue(&mut self, number: u32) {
        let Parts { slots, queue: cells, .. } = self.memory.parts();
        let Some(slot) = slots.get_mut(number as usize) else { return };
        let old = core::mem::replace(&mut slot.queued, Instant::NEVER);
        deadlines!(slots, cells, self).remove(number, old);
    }

    /// The first entry, and whether it is known to be first; if not, [`take_off_calendar`](Self::take_off_calendar).
    pub(in crate::directory) fn first_queued(&self, now: Instant) -> First {
        let cells = self.memory.queue();
        if self.calendar.is_far_ahead(cells, now) {
            return First::Unknown;
        }
        let open_until = self.calendar.is_open_until(cells);
        match End::Front.first(cells, self.queued) {
            Some(first) if first.key < open_until => First::Known(first),
            _ if open_until != Instant::NEVER => First::Unknown,
            _ => First::None,
        }
    }

    /// No later than any deadline; exact when the first is known and up to date.
    pub(in crate::directory) fn first_deadline(&self) -> Option<Instant> {
        let cells = self.memory.queue();
        let first = End::Front.first(cells, self.queued).map_or(Instant::NEVER, |first| first.key);
        let first = first.min(self.calendar.is_open_until(cells));
        (first != Instant::NEVER).then_some(first)
    }

    /// Takes the next few users off the calendar: into the heap, or onto the page of a deadline that has moved since.
    pub(in crate::directory) fn take_off_calendar(&mut self) {
        let mut taken = [u32::MAX; AT_A_TIME];
        let Parts { slots, queue: cells, .. } = self.memory.parts();
        let count = self.calendar.take(slots, cells, &mut taken);
        // However few are left, the calendar stays open where it is.
        let now = self.calendar.opened_at(cells);
        // One piece of memory for all of them before the next: so the processor fetches them side by side.
        let deadlines = taken.map(|number| slots.get(number as usize).and_then(|slot| slot.user.next_deadline()));
        let firsts = deadlines.map(|deadline| Some(self.calendar.day_of(cells, deadline?, now)?.first(cells)));
        for first in firsts {
            core::hint::black_box(first.and_then(|first| slots.link(first)));
        }
        for (number, deadline) in taken.into_iter().zip(deadlines).take(count) {
            let Some(slot) = slots.get_mut(number as usize) else { continue };
            slot.queued = deadline.unwrap_or(Instant::NEVER);
            if let Some(deadline) = deadline {
                deadlines!(slots, cells, self).set(number, Instant::NEVER, deadline, now);
            }
        }
    }

    /// Enters every user anew, after the clock was shifted to this moment.
    pub(in crate::directory) fn queue_all_anew(&mut self, now: Instant) {
        let Parts { slots, queue: cells, .. } = self.memory.parts();
        self.calendar.clear(cells);
        self.queued = 0;
        for number in 0..u32::try_from(slots.len()).unwrap_or(u32::MAX) {
            let Some(slot) = slots.get_mut(number as usize) else { continue };
            if slot.queued != Instant::NEVER {
                slot.queued = slot.user.next_deadline().unwrap_or(Instant::NEVER);
                let deadline = slot.queued;
                if deadline != Instant::NEVER {
                    deadlines!(slots, cells, self).set(number, Instant::NEVER, deadline, now);
                }
            }
        }
    }
}

/// What comes first in the queue of deadlines.
pub(in crate::directory) enum First {
    Known(Entry),
    Unknown,
    None,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{InlineMemory, Progress};
    use crate::{Duration, Policy, Presence, User, set_preferred_presence};

    type Small = Directory<u8, u8, 1, InlineMemory<u8, u8, 1, 256>>;

    /// Whether a lease that begins now is found on a page, as it is in a directory of which only this is known.
    fn has_pages(directory: &mut Small, now: Instant) -> bool {
        while !matches!(directory.advance(now), Progress::Idle { .. }) {}
        directory.set_presence(now, 9, 1, Presence::InACall, None, |_, _| {}).unwrap();
        directory.calendar.is_open_until(directory.memory.queue()) < now.saturating_add(Duration::from_mins(5))
    }

    /// Rule C1: one bad clock reading poisons nothing that is not set under it, the speed of others included.
    #[test]
    fn c1_a_bad_clock_reading_does_not_keep_the_calendar_in_the_future() {
        let mut directory = Small::new(InlineMemory::new(), Policy::GRAPH);
        let (now, bad) = (Instant::from_secs(1000), Instant::from_secs(1_000_000_000));
        for user in 1..9 {
            let lease = Some(Duration::from_mins(7 * u64::from(user)));
            directory.set_presence(bad, user, 1, Presence::InACall, lease, |_, _| {}).unwrap();
        }
        assert!(directory.calendar.is_open_until(directory.memory.queue()) >= bad);
        assert!(has_pages(&mut directory, now));
        assert_eq!(directory.presence(bad, 1), Presence::InACall);
    }

    /// The first who come from elsewhere may have nothing but a preferred presence for a week.
    #[test]
    fn those_from_elsewhere_do_not_keep_the_calendar_in_the_future() {
        let mut directory = Small::new(InlineMemory::new(), Policy::GRAPH);
        let now = Instant::from_secs(1000);
        for id in 1..9 {
            let mut user: User<u8, 1> = User::new();
            let week = Some(Duration::from_mins(7 * 24 * 60 + 7 * u64::from(id)));
            let preferred = set_preferred_presence(user.at(now).unwrap(), Presence::OffWork, week, &Policy::GRAPH);
            user.apply(&preferred.unwrap()).unwrap();
            directory.insert(id, user).unwrap();
        }
        assert!(has_pages(&mut directory, now));
    }

    /// A directory of many places and few users has nothing to look for.
    #[test]
    fn few_users_are_in_the_heap() {
        let mut directory = Directory::<u16, u8, 1, _>::new(InlineMemory::<u16, u8, 1, 1024>::new(), Policy::GRAPH);
        for (user, minutes) in [(1, 60), (2, 30), (3, 200)] {
            let lease = Some(Duration::from_mins(minutes));
            directory.set_presence(Instant::ZERO, user, 1, Presence::InACall, lease, |_, _| {}).unwrap();
        }
        assert_eq!(directory.advance(Instant::ZERO), Progress::Idle { until: Some(Instant::from_secs(1800)) });
    }

    /// Who is not near is left on its page, however often it is asked when to come back.
    #[test]
    fn many_users_stay_on_their_pages() {
        let mut directory = Small::new(InlineMemory::new(), Policy::GRAPH);
        for user in 1..9 {
            let lease = Some(Duration::from_mins(7 * u64::from(user)));
            directory.set_presence(Instant::ZERO, user, 1, Presence::InACall, lease, |_, _| {}).unwrap();
        }
        for minutes in 0..35 {
            while !matches!(directory.advance(Instant::from_secs(60 * minutes)), Progress::Idle { .. }) {}
            assert_ne!(directory.calendar.is_open_until(directory.memory.queue()), Instant::NEVER, "{minutes}");
        }
    }

    /// Rule S8: also where some of those who are due together are in the heap, and some on a page that begins just then.
    #[test]
    fn s8_by_id_where_a_page_begins() {
        let mut directory = Small::new(InlineMemory::new(), Policy::GRAPH);
        let begins = Duration::from_millis(1 << 19);
        for user in (1..=30).rev() {
            directory.set_presence(Instant::ZERO, user, 1, Presence::InACall, Some(begins), |_, _| {}).unwrap();
        }
        for expected in 1..=30 {
            let mut progress = core::iter::repeat_with(|| directory.advance(Instant::from_millis(1 << 19)));
            let next = progress.find(|progress| *progress != Progress::Working);
            assert!(matches!(next, Some(Progress::Changed { user, .. }) if user == expected), "{expected}: {next:?}");
        }
    }
}
