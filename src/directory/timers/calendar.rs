//! Deadlines that are not near, in a calendar: a page for each stretch of time, called a day, with the users whose
//! deadline falls on it in no order. Entering a user, and taking it out, costs the same however many there are.
//!
//! Most entries are out of date when their day comes, for keep-alives touch no queue. Then they only move to another
//! page. Those that are not go to the [heap](super::queue), which puts the few of a week in order. A week lies open at a
//! time: whoever is on one of its pages is fetched from memory beside those on the others.
//!
//! The pages are those of one year, used again for the next: as many as there are users, rounded down to a power of two,
//! so that there are a handful of users on each. What is further away than a year goes to the heap at once.

use crate::directory::timers::heap::{Link, Linked, QueueCell};
use crate::time::Instant;

/// No slot.
const NONE: u32 = u32::MAX;

/// A year has so many milliseconds, in bits: seventy minutes, more than most leases last.
const YEAR_BITS: u32 = 22;

/// Days in a week, in bits.
const WEEK_BITS: u32 = 3;
const WEEK: usize = 1 << WEEK_BITS;

/// How many weeks may be turned at a time.
const WEEKS_AT_A_TIME: usize = 32;

/// How a calendar with so many cells divides time.
#[derive(Clone, Copy)]
struct Division {
    /// Days in a year, in bits.
    year_bits: u32,
    /// Milliseconds in a day, in bits.
    day_bits: u32,
}

impl Division {
    fn of(cells: &[QueueCell]) -> Self {
        let year_bits = cells.len().checked_ilog2().unwrap_or(0);
        Self { year_bits, day_bits: YEAR_BITS.saturating_sub(year_bits) }
    }

    const fn day(self, instant: Instant) -> u64 {
        instant.as_millis() >> self.day_bits
    }

    const fn week(self, instant: Instant) -> u64 {
        self.day(instant) >> WEEK_BITS
    }

    /// Weeks in a year, in bits.
    const fn weeks_in_year_bits(self) -> u32 {
        self.year_bits.saturating_sub(WEEK_BITS)
    }

    /// When a week begins; never for the one after the last.
    fn start(self, week: u64) -> Instant {
        Instant::from_millis(week.saturating_mul((WEEK as u64) << self.day_bits))
    }

    /// The cell that holds the page of this day.
    const fn page(self, day: u64) -> usize {
        (day & !(u64::MAX << self.year_bits)) as usize
    }

    /// The cells of a week's pages: they stand together.
    fn pages(self, week: u64, cells: &mut [QueueCell]) -> &mut [QueueCell] {
        let first = self.page(week << WEEK_BITS);
        cells.get_mut(first..first.saturating_add(WEEK)).unwrap_or_default()
    }
}

/// Where in time a calendar is open. Its pages are in the queue's cells.
#[derive(Clone, Copy, Debug)]
pub(in crate::directory) struct Calendar {
    /// The week whose pages are open: being emptied, and never written on. Earlier ones are over, later ones to come.
    week: u64,
    /// Whether nobody is left on those pages; false where nobody has looked.
    is_emptied: bool,
    /// How many users are on any page.
    waiting: u32,
}

impl Calendar {
    pub(in crate::directory) const EMPTY: Self = Self { week: 0, is_emptied: true, waiting: 0 };

    /// The day on whose page a deadline belongs; `None` when it belongs in the heap. An empty calendar is opened at `now`
    /// first. O(1).
    pub(in crate::directory) fn day_of(&mut self, cells: &[QueueCell], deadline: Instant, now: Instant) -> Option<Day> {
        let division = Division::of(cells);
        if self.waiting == 0 {
            (self.week, self.is_emptied) = (division.week(now), true);
        }
        let ahead = division.week(deadline).saturating_sub(self.week);
        (ahead > 0 && ahead >> division.weeks_in_year_bits() == 0).then_some(Day(division.page(division.day(deadline))))
    }

    /// Writes a user, who stands nowhere, on a page. O(1).
    pub(in crate::directory) fn enter<L: Linked + ?Sized>(
        &mut self,
        slots: &mut L,
        cells: &mut [QueueCell],
        slot: u32,
        day: Day,
    ) {
        let Some(first) = cells.get_mut(day.0).map(|cell| &mut cell.first_on_page) else { return };
        let after = core::mem::replace(first, slot);
        if let Some(link) = slots.link_mut(slot) {
            link.after = after;
        }
        // Nobody comes before the first, whatever its link says.
        if let Some(link) = slots.link_mut(after) {
            link.place_or_before = slot;
        }
        self.waiting = self.waiting.saturating_add(1);
    }

    /// Takes a user off the page on which it was entered under this deadline. O(1).
    pub(in crate::directory) fn leave<L: Linked + ?Sized>(
        &mut self,
        slots: &mut L,
        cells: &mut [QueueCell],
        slot: u32,
        deadline: Instant,
    ) {
        let division = Division::of(cells);
        let Some(&Link { place_or_before: before, after }) = slots.link(slot) else { return };
        let Some(page) = cells.get_mut(division.page(division.day(deadline))) else { return };
        if page.first_on_page == slot {
            page.first_on_page = after;
        } else if let Some(before) = slots.link_mut(before) {
            before.after = after;
        }
        if let Some(after) = slots.link_mut(after) {
            after.place_or_before = before;
        }
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// When the open week began. O(1).
    pub(in crate::directory) fn opened_at(&self, cells: &[QueueCell]) -> Instant {
        Division::of(cells).start(self.week)
    }

    /// Before this moment, every deadline is in the heap; never when nobody is on any page. O(1).
    pub(in crate::directory) fn is_open_until(&self, cells: &[QueueCell]) -> Instant {
        if self.waiting == 0 {
            return Instant::NEVER;
        }
        Division::of(cells).start(self.week.saturating_add(self.is_emptied.into()))
    }

    /// Whether it is open more than a year after `now`: somebody was entered under a clock reading far in the future, or
    /// came from elsewhere with a deadline far away. Nobody else would find a page until then, and so it is to be emptied.
    /// O(1).
    pub(in crate::directory) fn is_far_ahead(&self, cells: &[QueueCell], now: Instant) -> bool {
        let division = Division::of(cells);
        self.waiting > 0 && self.week.saturating_sub(division.week(now)) >> division.weeks_in_year_bits() != 0
    }

    /// Takes users off the open pages, and turns to the next week until somebody is found. O(users taken), and no more
    /// than some weeks are turned at a time.
    pub(in crate::directory) fn take<L: Linked + ?Sized>(
        &mut self,
        slots: &L,
        cells: &mut [QueueCell],
        taken: &mut [u32],
    ) -> usize {
        let division = Division::of(cells);
        for _ in 0..WEEKS_AT_A_TIME {
            let pages = division.pages(self.week, cells);
            if self.waiting == 0 || !is_emptied(pages) {
                let count = take_from(slots, pages, taken);
                self.waiting = self.waiting.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
                self.is_emptied = is_emptied(pages);
                return count;
            }
            (self.week, self.is_emptied) = (self.week.saturating_add(1), false);
        }
        0
    }

    /// Forgets everybody. O(users).
    pub(in crate::directory) fn clear(&mut self, cells: &mut [QueueCell]) {
        for cell in cells {
            cell.first_on_page = NONE;
        }
        *self = Self::EMPTY;
    }
}

/// Whether nobody is left on these pages.
fn is_emptied(pages: &[QueueCell]) -> bool {
    pages.iter().all(|page| page.first_on_page == NONE)
}

/// Takes users off these pages, one off each in turn, so that no page waits for another's user to be fetched.
fn take_from<L: Linked + ?Sized>(slots: &L, pages: &mut [QueueCell], taken: &mut [u32]) -> usize {
    let room = taken.len();
    let mut places = taken.iter_mut();
    loop {
        let before = places.len();
        for page in pages.iter_mut().filter(|page| page.first_on_page != NONE) {
            let Some(place) = places.next() else { return room };
            *place = page.first_on_page;
            page.first_on_page = slots.link(*place).map_or(NONE, |link| link.after);
        }
        if places.len() == before {
            return room.saturating_sub(before);
        }
    }
}

/// A day of a calendar, by its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::directory) struct Day(usize);

impl Day {
    /// Who is first on its page. O(1).
    pub(in crate::directory) fn first(self, cells: &[QueueCell]) -> u32 {
        cells.get(self.0).map_or(NONE, |page| page.first_on_page)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::time::Duration;
    use std::collections::BTreeMap;
    use std::vec;

    /// Whoever is entered is taken once, on the day of its deadline, and the days come in order; whoever left is not.
    #[test]
    fn s8_every_day_has_its_users_and_days_come_in_order() {
        for users in [1u32, 2, 3, 17, 64] {
            let mut cells = vec![QueueCell::EMPTY; users as usize];
            let mut links = vec![Link::NONE; users as usize];
            let mut calendar = Calendar::EMPTY;
            let mut model: BTreeMap<u32, Instant> = BTreeMap::new();
            let mut state = 7u32;
            let mut open_until = Instant::ZERO;
            let mut taken_in_all = 0;
            let rounds = if cfg!(miri) { 200 } else { 20_000 };
            for _ in 0..rounds {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let slot = (state >> 20) % users;
                let deadline = open_until.saturating_add(Duration::from_millis(u64::from(state >> 2) % 6_000_000));
                match state >> 7 & 7 {
                    0 => {
                        let mut taken = [NONE; 3];
                        let was_waiting = calendar.waiting > 0;
                        let count = calendar.take(&links[..], &mut cells, &mut taken);
                        for slot in &taken[..count] {
                            let deadline = model.remove(slot).unwrap();
                            let division = Division::of(&cells);
                            assert!(division.week(deadline) >= division.week(open_until), "the past is over");
                            assert!(division.week(deadline) <= calendar.week, "the future is to come");
                            taken_in_all += 1;
                        }
                        if was_waiting {
                            open_until = calendar.opened_at(&cells);
                        }
                    }
                    1 => {
                        if let Some(deadline) = model.remove(&slot) {
                            calendar.leave(&mut links[..], &mut cells, slot, deadline);
                        }
                    }
                    _ if model.contains_key(&slot) => {}
                    _ => {
                        if let Some(day) = calendar.day_of(&cells, deadline, open_until) {
                            calendar.enter(&mut links[..], &mut cells, slot, day);
                            model.insert(slot, deadline);
                        }
                    }
                }
                assert_eq!(calendar.waiting as usize, model.len());
                let earliest = model.values().min().copied().unwrap_or(Instant::NEVER);
                assert!(calendar.is_open_until(&cells) <= earliest, "nobody is left on a day that is over");
            }
            assert!(users < 16 || taken_in_all > rounds / 200, "{users} users: only {taken_in_all} taken");
        }
    }

    /// Rule C3: there is no day after the last.
    #[test]
    fn c3_the_end_of_time_is_on_a_page_like_any_other() {
        let (mut cells, mut links) = (vec![QueueCell::EMPTY; 64], vec![Link::NONE; 64]);
        let mut calendar = Calendar::EMPTY;
        let last = Instant::from_millis(u64::MAX - 1);
        let now = Instant::from_millis(u64::MAX - 2_000_000);
        let day = calendar.day_of(&cells, last, now).unwrap();
        calendar.enter(&mut links[..], &mut cells, 5, day);
        let mut taken = [NONE; 2];
        while calendar.take(&links[..], &mut cells, &mut taken) == 0 {}
        assert_eq!(taken, [5, NONE]);
        assert_eq!(calendar.day_of(&cells, last, last), None);
    }
}
