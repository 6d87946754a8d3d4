//! Reads the text of a calendar into an agenda.

use super::agenda::{Agenda, Occurrence};
use super::event::{Event, Unreadable};
use super::expand::{Series, Window, expand};
use super::marks::Owner;
use super::recurrence::{Budget, Refused, Span};
use super::zone::Zones;
use calcard::icalendar::{ICalendar, ICalendarMethod, ICalendarProperty, ICalendarValue};
use calcard::{Entry, Parser};
use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

/// The most occurrences that one reading may hold.
const OCCURRENCES: usize = 20_000;

/// Why a calendar cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCalendar {
    /// The text is none.
    NotOne,
    /// It ends before its end.
    CutOff,
    /// Its rules are too much work, or its events too many.
    TooMuch,
}

impl Display for NoCalendar {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOne => "this is not a calendar (iCalendar, .ics)",
            Self::CutOff => "the calendar is cut off: it does not end in END:VCALENDAR",
            Self::TooMuch => "the calendar has more events than can be followed",
        })
    }
}

/// An agenda, and how many events were left out because they cannot be understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub agenda: Agenda,
    pub left_out: usize,
}

/// Reads what a calendar shows within a window. `zone` is the reader's own, for days and for times without a zone.
///
/// # Errors
///
/// [`NoCalendar`] if the text is none, or too much.
pub fn read(text: &str, zone: chrono_tz::Tz, owner: &Owner, window: Window) -> Result<Reading, NoCalendar> {
    let calendars = parse(text)?;
    let mut budget = Budget::READING;
    let mut left_out = 0;
    let mut occurrences = Vec::new();
    for calendar in &calendars {
        left_out += read_one(calendar, zone, owner, window, &mut budget, &mut occurrences)?;
    }
    Ok(Reading { agenda: Agenda::new(&occurrences), left_out })
}

fn parse(text: &str) -> Result<Vec<ICalendar>, NoCalendar> {
    let mut parser = Parser::new(text);
    let mut calendars = Vec::new();
    loop {
        match parser.entry() {
            Entry::ICalendar(calendar) => calendars.push(calendar),
            Entry::Eof => break,
            Entry::TooManyComponents => return Err(NoCalendar::TooMuch),
            _ => {}
        }
    }
    if calendars.is_empty() {
        return Err(NoCalendar::NotOne);
    }
    // calcard ends what is open at the end of the text.
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    if last.eq_ignore_ascii_case("END:VCALENDAR") { Ok(calendars) } else { Err(NoCalendar::CutOff) }
}

/// Adds the occurrences of one calendar. Returns how many events were left out.
fn read_one(
    calendar: &ICalendar,
    zone: chrono_tz::Tz,
    owner: &Owner,
    window: Window,
    budget: &mut Budget,
    occurrences: &mut Vec<Occurrence>,
) -> Result<usize, NoCalendar> {
    if cancels(calendar) {
        return Ok(0);
    }
    let span = Span { from: window.from.naive_utc(), to: window.to.naive_utc() };
    let zones = Zones::read(calendar, zone, span, budget).map_err(|_| NoCalendar::TooMuch)?;
    let components = calendar.components.iter().filter(|component| component.component_type.is_event());
    let read: Vec<Result<Event, Unreadable>> = components.map(|event| Event::read(event, &zones, owner)).collect();
    let mut left_out = read.iter().filter(|event| event.is_err()).count();
    let events = newest(read.into_iter().flatten().collect());
    let (series, alone) = (Series::collect(&events), Series::default());
    for event in &events {
        let series = event.uid.and_then(|uid| series.get(uid)).unwrap_or(&alone);
        match expand(event, series, window, budget, occurrences) {
            Ok(()) => {}
            Err(Refused::TooMuch) => return Err(NoCalendar::TooMuch),
            Err(Refused::Invalid | Refused::TooFine) => left_out += 1,
        }
        if occurrences.len() > OCCURRENCES {
            return Err(NoCalendar::TooMuch);
        }
    }
    Ok(left_out)
}

/// Returns whether a calendar takes back what it lists (`METHOD:CANCEL`).
fn cancels(calendar: &ICalendar) -> bool {
    let methods = calendar.components.iter().flat_map(|component| &component.entries);
    methods
        .filter(|entry| entry.name == ICalendarProperty::Method)
        .any(|entry| matches!(entry.values.first(), Some(ICalendarValue::Method(ICalendarMethod::Cancel))))
}

/// Returns the events without those that stand for an occurrence for which a newer one stands.
fn newest(events: Vec<Event>) -> Vec<Event> {
    let key = |event: &Event| Some((event.uid?.to_owned(), event.replaces.as_ref()?.occurrence.instant()));
    let mut sequences = HashMap::new();
    for event in &events {
        if let Some(key) = key(event) {
            let newest = sequences.entry(key).or_insert(event.sequence);
            *newest = event.sequence.max(*newest);
        }
    }
    let newest = |event: &Event| key(event).is_none_or(|key| sequences.get(&key) == Some(&event.sequence));
    events.into_iter().filter(newest).collect()
}
