//! Occurrences of events: rules, further dates, exceptions, and events that stand for an occurrence of a series.

use super::agenda::{Occurrence, Shown};
use super::event::{Event, Replaces};
use super::moment::{Length, Moment};
use super::recurrence::{Budget, Refused, Span, starts};
use calcard::icalendar::ICalendarRecurrenceRule;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use std::collections::{HashMap, HashSet};

/// Occurrences, by when they start: at an instant, or on a day.
#[derive(Default)]
struct Starts {
    instants: HashSet<DateTime<Utc>>,
    dates: HashSet<NaiveDate>,
}

impl Starts {
    fn add(&mut self, moment: &Moment) {
        if moment.date_only {
            self.dates.insert(moment.local.date());
        } else {
            self.instants.insert(moment.instant());
        }
    }

    fn hold(&self, local: NaiveDateTime, instant: DateTime<Utc>) -> bool {
        self.instants.contains(&instant) || self.dates.contains(&local.date())
    }
}

/// What events with the same `UID` say about each other's occurrences.
#[derive(Default)]
pub struct Series {
    /// For which others stand.
    replaced: Starts,
    /// Which there are not (`EXDATE`).
    left_out: Starts,
    /// From which on all are changed, by the first.
    later: Vec<Later>,
}

struct Later {
    from: DateTime<Utc>,
    shift: TimeDelta,
    length: Length,
    shown: Option<Shown>,
}

impl Series {
    /// Returns every series, by its `UID`.
    pub fn collect<'a>(events: &[Event<'a>]) -> HashMap<&'a str, Self> {
        let mut all: HashMap<&str, Self> = HashMap::new();
        for event in events {
            if let Some(uid) = event.uid {
                all.entry(uid).or_default().add(event);
            }
        }
        for series in all.values_mut() {
            series.later.sort_by_key(|later| later.from);
        }
        all
    }

    fn add(&mut self, event: &Event) {
        event.except.iter().for_each(|moment| self.left_out.add(moment));
        let Some(replaces) = &event.replaces else { return };
        self.replaced.add(&replaces.occurrence);
        if replaces.and_later {
            let from = replaces.occurrence.instant();
            let shift = event.start.instant() - from;
            self.later.push(Later { from, shift, length: event.length, shown: event.shown });
        }
    }

    fn later(&self, start: DateTime<Utc>) -> Option<&Later> {
        let from = self.later.partition_point(|later| later.from <= start);
        self.later.get(from.checked_sub(1)?)
    }
}

/// A window of time: events outside of it do not matter.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// Adds the occurrences of an event within a window. `series` is what others say about those with its `UID`.
///
/// # Errors
///
/// [`Refused`] if one of its rules is not followed; then none is added.
pub fn expand(
    event: &Event,
    series: &Series,
    window: Window,
    budget: &mut Budget,
    occurrences: &mut Vec<Occurrence>,
) -> Result<(), Refused> {
    let mut found = Vec::new();
    let mut add = |start: NaiveDateTime, at: &Moment, length: Length, shown: Option<Shown>, shift: TimeDelta| {
        let from = at.zone.instant(start).checked_add_signed(shift);
        let to = length.end(start, &at.zone).and_then(|end| end.checked_add_signed(shift));
        if let (Some(start), Some(end), Some(shown)) = (from, to.or(Some(DateTime::<Utc>::MAX_UTC)), shown)
            && start < window.to
            && end > window.from
        {
            found.push(Occurrence { start, end, shown });
        }
    };
    if let Some(Replaces { occurrence, .. }) = &event.replaces {
        if !series.left_out.hold(occurrence.local, occurrence.instant()) {
            add(event.start.local, &event.start, event.length, event.shown, TimeDelta::zero());
        }
        occurrences.append(&mut found);
        return Ok(());
    }
    let mut left_out = Starts::default();
    event.except.iter().for_each(|moment| left_out.add(moment));
    let is_gone = |local, instant| left_out.hold(local, instant) || series.replaced.hold(local, instant);
    for start in all_starts(event, series, window, budget)? {
        let instant = event.start.zone.instant(start);
        match series.later(instant) {
            _ if is_gone(start, instant) => {}
            Some(later) => add(start, &event.start, later.length, later.shown, later.shift),
            None => add(start, &event.start, event.length, event.shown, TimeDelta::zero()),
        }
    }
    for (moment, length) in &event.extra {
        if !is_gone(moment.local, moment.instant()) {
            add(moment.local, moment, length.unwrap_or(event.length), event.shown, TimeDelta::zero());
        }
    }
    occurrences.append(&mut found);
    Ok(())
}

/// Returns the local starts of a series that can matter in a window: its first, and those of its rules.
fn all_starts(
    event: &Event,
    series: &Series,
    window: Window,
    budget: &mut Budget,
) -> Result<Vec<NaiveDateTime>, Refused> {
    let first = event.start.local;
    // An occurrence may have begun long ago, or be moved into the window from either side.
    let moved = series.later.iter().map(|later| later.shift.abs()).max().unwrap_or_default();
    let lengths = series.later.iter().map(|later| later.length.at_most()).chain([event.length.at_most()]);
    let lasts = lengths.max().and_then(|longest| longest.checked_add(&moved)).unwrap_or(TimeDelta::MAX);
    let from = event.start.zone.local(window.from).checked_sub_signed(lasts).unwrap_or(NaiveDateTime::MIN);
    let to = event.start.zone.local(window.to).checked_add_signed(moved).unwrap_or(NaiveDateTime::MAX);
    let mut all = Vec::new();
    for rule in &event.rules {
        all.extend(starts(rule, first, until(rule, &event.start), Span { from, to }, budget)?);
    }
    // The first counts whether or not the rules say so (RFC 5545, 3.8.5.3).
    all.push(first);
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Returns the end of a rule by the event's clock.
fn until(rule: &ICalendarRecurrenceRule, start: &Moment) -> Option<NaiveDateTime> {
    let date = rule.until.as_ref()?;
    let until = date.to_date_time()?;
    Some(match until.offset {
        Some(offset) => start.zone.local((until.date_time - offset).and_utc()),
        None if date.has_time() => until.date_time,
        // The whole of that day.
        None => until.date_time + TimeDelta::seconds(86_399),
    })
}
