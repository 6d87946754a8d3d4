//! Scheduling the deadlines of users.

use super::cells::Parts;
use super::memory::Memory;
use super::slot_index::SlotIndex;
use super::state::Directory;
use super::timers::cell::Linked;
use super::timers::deadlines::Deadlines;
use super::timers::heap::{End, Entry, Heap};
use super::tuning::IS_FAST;
use crate::time::Instant;
use core::hash::{BuildHasher, Hash};

/// The number of users that are drained from the calendar at a time: enough for their memory to be prefetched together, few
/// enough for a call to stay short.
const AT_A_TIME: usize = 8;

/// The first entry in the queue of deadlines.
pub(super) enum First {
    Known(Entry),
    /// It may still be in the calendar.
    Unknown,
    None,
}

/// The queue of deadlines of a directory, from its parts.
macro_rules! deadlines {
    ($slots:expr, $cells:expr, $directory:expr) => {
        Deadlines {
            calendar: &mut $directory.calendar,
            heap: Heap { slots: $slots, cells: $cells, end: End::Front, len: &mut $directory.near },
        }
    };
}

impl<U, S, M, H, const SESSIONS: usize> Directory<U, S, M, H, SESSIONS>
where
    U: Copy + Ord + Hash,
    S: Copy + Ord,
    M: Memory<U, S, SESSIONS>,
    H: BuildHasher,
{
    /// Schedules a user for this deadline, whatever it was scheduled for before.
    // Out of line: a keep-alive, which most commands are, needs neither.
    #[inline(never)]
    pub(super) fn schedule(&mut self, index: SlotIndex, deadline: Instant, now: Instant) {
        let Parts { slots, timers: cells, .. } = self.memory.parts();
        let Some(slot) = slots.get_mut(index.as_usize()) else { return };
        let old = core::mem::replace(&mut slot.scheduled, deadline);
        deadlines!(slots, cells, self).set(index, old, deadline, now);
    }

    /// Schedules the user whose entry was first for the deadline that it has by now, if any.
    pub(super) fn correct_first(&mut self, index: SlotIndex, deadline: Option<Instant>, now: Instant) {
        let Some(deadline) = deadline else { return self.cancel(index) };
        if !IS_FAST {
            return self.schedule(index, deadline, now);
        }
        let Parts { slots, timers: cells, .. } = self.memory.parts();
        let Some(slot) = slots.get_mut(index.as_usize()) else { return };
        slot.scheduled = deadline;
        deadlines!(slots, cells, self).set_first(index, deadline, now);
    }

    /// Removes a user from the queue of deadlines.
    pub(super) fn cancel(&mut self, index: SlotIndex) {
        let Parts { slots, timers: cells, .. } = self.memory.parts();
        let Some(slot) = slots.get_mut(index.as_usize()) else { return };
        let old = core::mem::replace(&mut slot.scheduled, Instant::NEVER);
        deadlines!(slots, cells, self).remove(index, old);
    }

    /// Returns the first entry, if it is known to be first; if not, call [`drain_calendar`](Self::drain_calendar).
    pub(super) fn first_scheduled(&self, now: Instant) -> First {
        let cells = self.memory.timers();
        if self.calendar.is_far_ahead(cells, now) {
            return First::Unknown;
        }
        let drained_until = self.calendar.drained_until(cells);
        match End::Front.first(cells, self.near) {
            Some(first) if first.key < drained_until => First::Known(first),
            _ if drained_until != Instant::NEVER => First::Unknown,
            _ => First::None,
        }
    }

    /// Returns a moment no later than any deadline; the first one exactly when it is known and up to date.
    pub(super) fn first_deadline(&self) -> Option<Instant> {
        let cells = self.memory.timers();
        let first = End::Front.first(cells, self.near).map_or(Instant::NEVER, |first| first.key);
        let first = first.min(self.calendar.drained_until(cells));
        (first != Instant::NEVER).then_some(first)
    }

    /// Drains the next few users from the calendar: into the heap, or into the bucket of a deadline that has moved since.
    pub(super) fn drain_calendar(&mut self) {
        let mut drained = [SlotIndex::NONE; AT_A_TIME];
        let Parts { slots, timers: cells, .. } = self.memory.parts();
        let count = self.calendar.drain(slots, cells, &mut drained);
        // However few are left, the calendar stays where it is.
        let now = self.calendar.window_start(cells);
        // One piece of memory for all of them before the next, so that the processor prefetches them.
        let deadlines = drained.map(|index| slots.get(index.as_usize()).and_then(|slot| slot.user.next_deadline()));
        let firsts = deadlines.map(|deadline| Some(self.calendar.bucket_of(cells, deadline?, now)?.first(cells)));
        for first in firsts {
            core::hint::black_box(first.and_then(|first| slots.link(first)));
        }
        for (index, deadline) in drained.into_iter().zip(deadlines).take(count) {
            let Some(slot) = slots.get_mut(index.as_usize()) else { continue };
            slot.scheduled = deadline.unwrap_or(Instant::NEVER);
            if let Some(deadline) = deadline {
                deadlines!(slots, cells, self).set(index, Instant::NEVER, deadline, now);
            }
        }
    }

    /// Schedules every user anew, after the clock was shifted to this moment.
    pub(super) fn reschedule_all(&mut self, now: Instant) {
        let Parts { slots, timers: cells, .. } = self.memory.parts();
        self.calendar.clear(cells);
        self.near = 0;
        for index in (0..u32::try_from(slots.len()).unwrap_or(u32::MAX)).map(SlotIndex::new) {
            let Some(slot) = slots.get_mut(index.as_usize()) else { continue };
            if slot.scheduled != Instant::NEVER {
                slot.scheduled = slot.user.next_deadline().unwrap_or(Instant::NEVER);
                let deadline = slot.scheduled;
                if deadline != Instant::NEVER {
                    deadlines!(slots, cells, self).set(index, Instant::NEVER, deadline, now);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::directory::cells::Cells;
    use crate::directory::{InlineDirectory, Progress};
    use crate::edges::edges;
    use crate::{Duration, Policy, Presence, User, set_preferred_presence};
    use std::vec::Vec;

    /// One with buckets, once it has more than 32 users.
    type Large = InlineDirectory<u8, u8, 1, 2048>;

    /// Returns what happened. A directory that never becomes idle fails the test at once, instead of running out of time.
    fn advance_until_idle(directory: &mut Large, now: Instant) -> (Vec<(Instant, u8)>, Option<Instant>) {
        let mut happened = Vec::new();
        let until = (0..100_000).find_map(|_| match directory.advance(now) {
            Progress::Changed { user, transition } => {
                happened.push((transition.at(), user));
                None
            }
            Progress::Working => None,
            Progress::Idle { until } => Some(until),
        });
        (happened, until.unwrap())
    }

    /// Reports whether a lease that begins now is put into a bucket, in a directory of which only this is known.
    fn has_buckets(directory: &mut Large, now: Instant) -> bool {
        advance_until_idle(directory, now);
        directory.set_presence(now, 250, 1, Presence::InACall, None, |_, _| {}).unwrap();
        directory.calendar.drained_until(directory.memory.timers()) < now.saturating_add(Duration::from_mins(5))
    }

    /// Rule C1: one bad clock reading affects only what is set under it, the speed of others included.
    #[test]
    fn c1_a_bad_clock_reading_does_not_keep_the_calendar_in_the_future() {
        let mut directory = Large::with_policy(Policy::GRAPH);
        let (now, bad) = (Instant::from_secs(1000), Instant::from_secs(1_000_000_000));
        for user in 1..50 {
            let lease = Some(Duration::from_mins(5 + u64::from(user)));
            directory.set_presence(bad, user, 1, Presence::InACall, lease, |_, _| {}).unwrap();
        }
        assert!(directory.calendar.drained_until(directory.memory.timers()) >= bad);
        assert!(has_buckets(&mut directory, now));
        assert_eq!(directory.presence(bad, 1), Presence::InACall);
    }

    /// The first users who are inserted may have only a preferred presence for a week.
    #[test]
    fn inserted_users_do_not_keep_the_calendar_in_the_future() {
        let mut directory = Large::with_policy(Policy::GRAPH);
        let now = Instant::from_secs(1000);
        for id in 1..50 {
            let mut user: User<u8, 1> = User::new();
            let week = Some(Duration::from_mins(7 * 24 * 60 + u64::from(id)));
            let preferred = set_preferred_presence(user.at(now).unwrap(), Presence::OffWork, week, &Policy::GRAPH);
            user.apply(&preferred.unwrap()).unwrap();
            directory.insert(id, user).unwrap();
        }
        assert!(has_buckets(&mut directory, now));
    }

    /// A directory of many slots and few users has no buckets to search.
    #[test]
    fn few_users_are_in_the_heap() {
        let mut directory = Large::with_policy(Policy::GRAPH);
        for (user, minutes) in [(1, 60), (2, 30), (3, 200)] {
            let lease = Some(Duration::from_mins(minutes));
            directory.set_presence(Instant::ZERO, user, 1, Presence::InACall, lease, |_, _| {}).unwrap();
        }
        assert_eq!(directory.advance(Instant::ZERO), Progress::Idle { until: Some(Instant::from_secs(1800)) });
    }

    /// The heap holds a user in 64 who is not near, and no more: the next deadline is exact while there is no other, and then
    /// that of a window. In a small directory it holds all.
    #[test]
    fn the_next_deadline_is_exact_for_few_users() {
        fn run<const USERS: usize>(few: usize) {
            let mut directory = InlineDirectory::<usize, u8, 1, USERS>::with_policy(Policy::GRAPH);
            for user in 1..=50 {
                // Each is due before the others, and before their windows begin.
                let lease = Duration::from_millis(3_600_000 - 60_001 * user as u64);
                directory.set_presence(Instant::ZERO, user, 1, Presence::InACall, Some(lease), |_, _| {}).unwrap();
                let exact = Instant::ZERO.saturating_add(lease);
                let promised = directory.next_deadline().unwrap();
                assert_eq!(promised == exact, user <= few, "user {user} of {USERS}: {promised:?} for {exact:?}");
                assert!(promised <= exact);
            }
        }
        run::<64>(64);
        run::<1024>(1024);
        run::<2048>(32);
    }

    /// Rule S8: however many are due in one window, they come in order, each once.
    #[test]
    fn s8_a_window_of_every_size_around_a_piece() {
        for users in edges(AT_A_TIME).into_iter().chain(edges(2 * AT_A_TIME)) {
            for apart in [0, 1, 7] {
                let mut directory = Large::with_policy(Policy::GRAPH);
                // More users than few, so that the others are in buckets; they end much later.
                let late = Some(Duration::from_hours(4));
                for user in 128..200 {
                    directory.set_presence(Instant::ZERO, user, 1, Presence::Away, late, |_, _| {}).unwrap();
                }
                // In no order of ids.
                let mut expected: Vec<_> = (0..users)
                    .map(|number| {
                        let user = (number * 101 % 127) as u8;
                        let lease = Duration::from_millis((1 << 20) + (number as u64 * 3 % 4) * apart);
                        directory.set_presence(Instant::ZERO, user, 1, Presence::Away, Some(lease), |_, _| {}).unwrap();
                        (Instant::ZERO.saturating_add(lease), user)
                    })
                    .collect();
                expected.sort_unstable();
                let (seen, until) = advance_until_idle(&mut directory, Instant::from_millis(1 << 21));
                assert_eq!(until, Some(Instant::ZERO.saturating_add(Duration::from_hours(4))));
                assert_eq!(seen, expected, "{users} users, {apart} ms apart");
            }
        }
    }

    /// A user whose deadline is not near stays in its bucket, however often the directory is advanced.
    #[test]
    fn many_users_stay_in_their_buckets() {
        let mut directory = Large::with_policy(Policy::GRAPH);
        for user in 1..80 {
            let lease = Some(Duration::from_mins(u64::from(user)).max(Duration::from_mins(5)));
            directory.set_presence(Instant::ZERO, user, 1, Presence::InACall, lease, |_, _| {}).unwrap();
        }
        for minutes in 0..35 {
            advance_until_idle(&mut directory, Instant::from_secs(60 * minutes));
            assert_ne!(directory.calendar.drained_until(directory.memory.timers()), Instant::NEVER, "{minutes}");
        }
    }

    /// The entry of a user is corrected by the call that applies its transition.
    #[test]
    fn a_call_for_each_transition() {
        let mut directory = InlineDirectory::<u8, u8, 3, 4>::with_policy(Policy::GRAPH);
        for session in 0..3 {
            let lease = Some(Duration::from_mins(5 + u64::from(session)));
            directory.set_presence(Instant::ZERO, 1, session, Presence::InACall, lease, |_, _| {}).unwrap();
        }
        for minutes in 5..8 {
            let progress = directory.advance(Instant::from_secs(600));
            let at = Instant::from_secs(60 * minutes);
            assert!(matches!(progress, Progress::Changed { transition, .. } if transition.at() == at), "{progress:?}");
        }
        assert_eq!(directory.advance(Instant::from_secs(600)), Progress::Idle { until: None });
    }

    /// Rule S8: also where some users who are due together are in the heap, and some in a bucket that begins just then.
    #[test]
    fn s8_by_id_where_a_bucket_begins() {
        let mut directory = Large::with_policy(Policy::GRAPH);
        let begins = Duration::from_millis(1 << 19);
        for user in (1..=100).rev() {
            directory.set_presence(Instant::ZERO, user, 1, Presence::InACall, Some(begins), |_, _| {}).unwrap();
        }
        for expected in 1..=100 {
            let mut progress =
                core::iter::repeat_with(|| directory.advance(Instant::from_millis(1 << 19))).take(100_000);
            let next = progress.find(|progress| *progress != Progress::Working);
            assert!(matches!(next, Some(Progress::Changed { user, .. }) if user == expected), "{expected}: {next:?}");
        }
    }
}
