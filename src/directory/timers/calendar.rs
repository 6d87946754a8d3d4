//! A calendar queue (Brown 1988) for deadlines that are not near: a bucket for each stretch of time, with the users whose
//! deadline falls into it in no order. Inserting and removing a user costs the same however many there are.
//!
//! Most entries are out of date when their bucket comes up, because keep-alives do not reschedule. Then they only move to
//! another bucket. The others go to the [heap](super::heap), which orders the few of a window. A window is eight buckets
//! that are drained together: users in one of them are prefetched with those in the others.
//!
//! The buckets cover one rotation and are used again for the next: as many as there are users, rounded down to a power of
//! two, so that each holds a handful. Deadlines further away than a rotation go to the heap at once.

use super::cell::{Link, Linked, TimerCell};
use crate::directory::slot_index::SlotIndex;
use crate::time::Instant;

/// The milliseconds in a rotation, in bits: seventy minutes, more than most leases last.
const ROTATION_BITS: u32 = 22;

/// The buckets in a window, in bits.
const WINDOW_BITS: u32 = 3;
const WINDOW: usize = 1 << WINDOW_BITS;

/// The number of windows that may be passed at a time.
const WINDOWS_AT_A_TIME: usize = 32;

/// The division of time in a calendar with so many cells.
#[derive(Clone, Copy)]
struct Division {
    /// Buckets in a rotation, in bits.
    buckets_bits: u32,
    /// Milliseconds in a bucket, in bits.
    bucket_bits: u32,
}

impl Division {
    fn of(cells: &[TimerCell]) -> Self {
        let buckets_bits = cells.len().checked_ilog2().unwrap_or(0);
        Self { buckets_bits, bucket_bits: ROTATION_BITS.saturating_sub(buckets_bits) }
    }

    /// Returns the number of the stretch of time that an instant falls into, counted over all rotations.
    const fn stretch(self, instant: Instant) -> u64 {
        instant.as_millis() >> self.bucket_bits
    }

    const fn window(self, instant: Instant) -> u64 {
        self.stretch(instant) >> WINDOW_BITS
    }

    /// Returns the windows in a rotation, in bits.
    const fn windows_bits(self) -> u32 {
        self.buckets_bits.saturating_sub(WINDOW_BITS)
    }

    /// Returns when a window begins; never for the one after the last.
    fn start(self, window: u64) -> Instant {
        Instant::from_millis(window.saturating_mul((WINDOW as u64) << self.bucket_bits))
    }

    /// Returns the index of the cell that holds the bucket of this stretch of time.
    const fn cell(self, stretch: u64) -> usize {
        (stretch & !(u64::MAX << self.buckets_bits)) as usize
    }

    /// Returns the cells of a window's buckets, which are adjacent.
    fn cells(self, window: u64, cells: &mut [TimerCell]) -> &mut [TimerCell] {
        let first = self.cell(window << WINDOW_BITS);
        cells.get_mut(first..first.saturating_add(WINDOW)).unwrap_or_default()
    }
}

/// The state of a calendar, whose buckets are in the timers' cells.
#[derive(Clone, Copy, Debug)]
pub(in crate::directory) struct Calendar {
    /// The window that is being drained: nothing is inserted there. Earlier ones are over, later ones to come.
    window: u64,
    /// True once the window's buckets are known to be empty.
    is_drained: bool,
    /// The number of users in buckets.
    len: u32,
}

impl Calendar {
    pub(in crate::directory) const EMPTY: Self = Self { window: 0, is_drained: true, len: 0 };

    /// Returns the bucket where a deadline belongs; `None` when it belongs in the heap. An empty calendar moves to `now`
    /// first.
    pub(in crate::directory) fn bucket_of(
        &mut self,
        cells: &[TimerCell],
        deadline: Instant,
        now: Instant,
    ) -> Option<Bucket> {
        let division = Division::of(cells);
        if self.len == 0 {
            (self.window, self.is_drained) = (division.window(now), true);
        }
        let ahead = division.window(deadline).saturating_sub(self.window);
        let is_within = ahead > 0 && ahead >> division.windows_bits() == 0;
        is_within.then_some(Bucket(division.cell(division.stretch(deadline))))
    }

    /// Inserts a user, who is not scheduled, into a bucket.
    pub(in crate::directory) fn insert<L: Linked + ?Sized>(
        &mut self,
        slots: &mut L,
        cells: &mut [TimerCell],
        slot: SlotIndex,
        bucket: Bucket,
    ) {
        let Some(first) = cells.get_mut(bucket.0).map(|cell| &mut cell.first_in_bucket) else { return };
        let next = core::mem::replace(first, slot);
        if let Some(link) = slots.link_mut(slot) {
            link.next = next;
        }
        // Nothing comes before the first, whatever its link says.
        if let Some(link) = slots.link_mut(next) {
            link.position_or_previous = slot.get();
        }
        self.len = self.len.saturating_add(1);
    }

    /// Removes a user from the bucket of this deadline, under which it was inserted.
    pub(in crate::directory) fn remove<L: Linked + ?Sized>(
        &mut self,
        slots: &mut L,
        cells: &mut [TimerCell],
        slot: SlotIndex,
        deadline: Instant,
    ) {
        let division = Division::of(cells);
        let Some(&Link { position_or_previous: previous, next }) = slots.link(slot) else { return };
        let Some(bucket) = cells.get_mut(division.cell(division.stretch(deadline))) else { return };
        if bucket.first_in_bucket == slot {
            bucket.first_in_bucket = next;
        } else if let Some(previous) = slots.link_mut(SlotIndex::new(previous)) {
            previous.next = next;
        }
        if let Some(next) = slots.link_mut(next) {
            next.position_or_previous = previous;
        }
        self.len = self.len.saturating_sub(1);
    }

    /// Returns when the window that is being drained began.
    pub(in crate::directory) fn window_start(&self, cells: &[TimerCell]) -> Instant {
        Division::of(cells).start(self.window)
    }

    /// Returns the moment before which every deadline is in the heap; never when all buckets are empty.
    pub(in crate::directory) fn drained_until(&self, cells: &[TimerCell]) -> Instant {
        if self.len == 0 {
            return Instant::NEVER;
        }
        Division::of(cells).start(self.window.saturating_add(self.is_drained.into()))
    }

    /// Reports whether the window lies more than a rotation after `now`, and the calendar is to be emptied. It comes there
    /// by a clock reading far in the future, or by an inserted user with a deadline far away; no other user would find a
    /// bucket until then.
    pub(in crate::directory) fn is_far_ahead(&self, cells: &[TimerCell], now: Instant) -> bool {
        let division = Division::of(cells);
        self.len > 0 && self.window.saturating_sub(division.window(now)) >> division.windows_bits() != 0
    }

    /// Drains the window into `drained`, and passes empty windows until a user is found, but only some at a time. Returns
    /// how many users were drained.
    pub(in crate::directory) fn drain<L: Linked + ?Sized>(
        &mut self,
        slots: &L,
        cells: &mut [TimerCell],
        drained: &mut [SlotIndex],
    ) -> usize {
        let division = Division::of(cells);
        for _ in 0..WINDOWS_AT_A_TIME {
            let buckets = division.cells(self.window, cells);
            if self.len == 0 || !are_empty(buckets) {
                let count = drain_in_turn(slots, buckets, drained);
                self.len = self.len.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
                self.is_drained = are_empty(buckets);
                return count;
            }
            (self.window, self.is_drained) = (self.window.saturating_add(1), false);
        }
        0
    }

    /// Empties every bucket.
    pub(in crate::directory) fn clear(&mut self, cells: &mut [TimerCell]) {
        for cell in cells {
            cell.first_in_bucket = SlotIndex::NONE;
        }
        *self = Self::EMPTY;
    }
}

/// Reports whether these buckets are empty.
fn are_empty(buckets: &[TimerCell]) -> bool {
    buckets.iter().all(|bucket| bucket.first_in_bucket == SlotIndex::NONE)
}

/// Removes users from these buckets, one from each in turn, so that no bucket waits for another's user to be fetched.
fn drain_in_turn<L: Linked + ?Sized>(slots: &L, buckets: &mut [TimerCell], drained: &mut [SlotIndex]) -> usize {
    let most = drained.len();
    let mut rest = drained.iter_mut();
    loop {
        let before = rest.len();
        for bucket in buckets.iter_mut().filter(|bucket| bucket.first_in_bucket != SlotIndex::NONE) {
            let Some(slot) = rest.next() else { return most };
            *slot = bucket.first_in_bucket;
            bucket.first_in_bucket = slots.link(*slot).map_or(SlotIndex::NONE, |link| link.next);
        }
        if rest.len() == before {
            return most.saturating_sub(before);
        }
    }
}

/// A bucket of a calendar, by its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::directory) struct Bucket(usize);

impl Bucket {
    /// Returns the first slot in this bucket.
    pub(in crate::directory) fn first(self, cells: &[TimerCell]) -> SlotIndex {
        cells.get(self.0).map_or(SlotIndex::NONE, |bucket| bucket.first_in_bucket)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::edges::edges;
    use crate::time::Duration;
    use std::collections::BTreeMap;
    use std::vec;

    /// A user who was inserted is drained once, in the window of its deadline, and windows come in order; a user who was
    /// removed is not.
    #[test]
    fn s8_every_window_has_its_users_and_windows_come_in_order() {
        for users in [1u32, 2, 3, 17, 64] {
            let mut cells = vec![TimerCell::EMPTY; users as usize];
            let mut links = vec![Link::NONE; users as usize];
            let mut calendar = Calendar::EMPTY;
            let mut model: BTreeMap<SlotIndex, Instant> = BTreeMap::new();
            let mut state = 7u32;
            let mut drained_until = Instant::ZERO;
            let mut drained_in_all = 0;
            let rounds = if cfg!(miri) { 200 } else { 20_000 };
            for _ in 0..rounds {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let slot = SlotIndex::new((state >> 20) % users);
                let deadline = drained_until.saturating_add(Duration::from_millis(u64::from(state >> 2) % 6_000_000));
                match state >> 7 & 7 {
                    0 => {
                        let mut drained = [SlotIndex::NONE; 3];
                        let had_users = calendar.len > 0;
                        let count = calendar.drain(&links[..], &mut cells, &mut drained);
                        for slot in &drained[..count] {
                            let deadline = model.remove(slot).unwrap();
                            let division = Division::of(&cells);
                            assert!(division.window(deadline) >= division.window(drained_until), "the past is over");
                            assert!(division.window(deadline) <= calendar.window, "the future is to come");
                            drained_in_all += 1;
                        }
                        if had_users {
                            drained_until = calendar.window_start(&cells);
                        }
                    }
                    1 => {
                        if let Some(deadline) = model.remove(&slot) {
                            calendar.remove(&mut links[..], &mut cells, slot, deadline);
                        }
                    }
                    _ if model.contains_key(&slot) => {}
                    _ => {
                        if let Some(bucket) = calendar.bucket_of(&cells, deadline, drained_until) {
                            calendar.insert(&mut links[..], &mut cells, slot, bucket);
                            model.insert(slot, deadline);
                        }
                    }
                }
                assert_eq!(calendar.len as usize, model.len());
                let earliest = model.values().min().copied().unwrap_or(Instant::NEVER);
                assert!(calendar.drained_until(&cells) <= earliest, "no user is left in a window that is over");
            }
            assert!(users < 16 || drained_in_all > rounds / 200, "{users} users: only {drained_in_all} drained");
        }
    }

    /// Rule S8: windows are passed over in pieces, and users drained in pieces: at the edge of either, none is lost, none comes
    /// twice, and none before its window.
    #[test]
    fn s8_windows_and_users_around_a_piece() {
        const SLOTS: usize = 2048;
        for ahead in edges(WINDOWS_AT_A_TIME) {
            for users in edges(WINDOW) {
                for at_a_time in edges(WINDOW) {
                    let (mut cells, mut links) = (vec![TimerCell::EMPTY; SLOTS], vec![Link::NONE; SLOTS]);
                    let division = Division::of(&cells);
                    let mut calendar = Calendar::EMPTY;
                    let mut expected = BTreeMap::new();
                    // As many in one window, over all its buckets, and one in every window behind it.
                    for number in 0..users + ahead {
                        let window = ahead + number.saturating_sub(users);
                        let stretch = (window << WINDOW_BITS) + number % WINDOW;
                        let deadline = Instant::from_millis((stretch as u64) << division.bucket_bits);
                        let slot = SlotIndex::new(number as u32 * 7 % SLOTS as u32);
                        let bucket = calendar.bucket_of(&cells, deadline, Instant::ZERO).unwrap();
                        calendar.insert(&mut links[..], &mut cells, slot, bucket);
                        expected.insert(slot, window as u64);
                    }
                    let mut calls = 0;
                    while calendar.len > 0 {
                        let mut drained = vec![SlotIndex::NONE; at_a_time];
                        let count = calendar.drain(&links[..], &mut cells, &mut drained);
                        for slot in &drained[..count] {
                            assert_eq!(expected.remove(slot), Some(calendar.window), "{ahead} {users} {at_a_time}");
                        }
                        let earliest = expected.values().min().map_or(Instant::NEVER, |window| division.start(*window));
                        assert!(calendar.drained_until(&cells) <= earliest);
                        calls += 1;
                        assert!(calls < 500, "no end");
                    }
                    assert!(expected.is_empty(), "{ahead} {users} {at_a_time}");
                }
            }
        }
    }

    /// Rule C3: no window comes after the last.
    #[test]
    fn c3_the_end_of_time_has_a_bucket_like_any_other() {
        let (mut cells, mut links) = (vec![TimerCell::EMPTY; 64], vec![Link::NONE; 64]);
        let mut calendar = Calendar::EMPTY;
        let last = Instant::from_millis(u64::MAX - 1);
        let now = Instant::from_millis(u64::MAX - 2_000_000);
        let bucket = calendar.bucket_of(&cells, last, now).unwrap();
        calendar.insert(&mut links[..], &mut cells, SlotIndex::new(5), bucket);
        let mut drained = [SlotIndex::NONE; 2];
        let mut counts = core::iter::repeat_with(|| calendar.drain(&links[..], &mut cells, &mut drained));
        assert_eq!(counts.by_ref().take(1000).find(|count| *count > 0), Some(1));
        assert_eq!(drained, [SlotIndex::new(5), SlotIndex::NONE]);
        assert_eq!(calendar.bucket_of(&cells, last, last), None);
    }
}
