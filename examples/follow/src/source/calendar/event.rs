//! Events, read from their properties.

use super::agenda::Shown;
use super::marks::{Owner, shown};
use super::moment::{Length, Moment};
use super::zone::Zones;
use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendarComponent, ICalendarDuration, ICalendarEntry, ICalendarParameterName, ICalendarPeriod, ICalendarProperty,
    ICalendarRecurrenceRule, ICalendarValue,
};
use chrono::TimeDelta;

/// An event: once, or as a series.
pub struct Event<'a> {
    pub uid: Option<&'a str>,
    pub sequence: i64,
    pub replaces: Option<Replaces>,
    pub start: Moment,
    pub length: Length,
    pub rules: Vec<&'a ICalendarRecurrenceRule>,
    /// Further occurrences, some with a length of their own (`RDATE`).
    pub extra: Vec<(Moment, Option<Length>)>,
    /// Occurrences that are left out (`EXDATE`).
    pub except: Vec<Moment>,
    pub shown: Option<Shown>,
}

/// The occurrence that an event stands for (`RECURRENCE-ID`).
pub struct Replaces {
    pub occurrence: Moment,
    /// Whether it also stands for all later ones (`RANGE=THISANDFUTURE`).
    pub and_later: bool,
}

/// Why an event is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It has no start, or none that can be read, or in a zone that nobody knows.
    Start,
    /// An end or a length cannot be read.
    End,
    /// The occurrence that it stands for cannot be read.
    Occurrence,
    /// How it recurs cannot be read.
    Recurrence,
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] says what of it cannot be read.
    pub fn read(event: &'a ICalendarComponent, zones: &Zones, owner: &Owner) -> Result<Self, Unreadable> {
        let first = |name| event.property(&name);
        let start =
            first(ICalendarProperty::Dtstart).and_then(|entry| moment(entry, zones)).ok_or(Unreadable::Start)?;
        let replaces = match first(ICalendarProperty::RecurrenceId) {
            None => None,
            Some(entry) => Some(Replaces {
                occurrence: moment(entry, zones).ok_or(Unreadable::Occurrence)?,
                and_later: entry.has_parameter(&ICalendarParameterName::Range),
            }),
        };
        let mut read = Self {
            uid: event.uid(),
            sequence: first(ICalendarProperty::Sequence).and_then(number).unwrap_or(0),
            replaces,
            length: length(event, &start, zones)?,
            shown: shown(event, start.date_only, owner),
            start,
            rules: Vec::new(),
            extra: Vec::new(),
            except: Vec::new(),
        };
        for entry in &event.entries {
            read.recur(entry, zones)?;
        }
        Ok(read)
    }

    fn recur(&mut self, entry: &'a ICalendarEntry, zones: &Zones) -> Result<(), Unreadable> {
        let zone = entry.tz_id();
        for value in &entry.values {
            match (&entry.name, value) {
                (ICalendarProperty::Rrule, ICalendarValue::RecurrenceRule(rule)) => self.rules.push(rule),
                (ICalendarProperty::Rrule, _) => return Err(Unreadable::Recurrence),
                (ICalendarProperty::Rdate, value) => {
                    self.extra.push(extra(value, zone, zones).ok_or(Unreadable::Recurrence)?);
                }
                (ICalendarProperty::Exdate, ICalendarValue::PartialDateTime(date)) => {
                    self.except.push(zones.moment(date, zone).ok_or(Unreadable::Recurrence)?);
                }
                (ICalendarProperty::Exdate, _) => return Err(Unreadable::Recurrence),
                _ => {}
            }
        }
        Ok(())
    }
}

fn number(entry: &ICalendarEntry) -> Option<i64> {
    entry.values.first()?.as_integer()
}

fn date(entry: &ICalendarEntry) -> Option<&PartialDateTime> {
    entry.values.first()?.as_partial_date_time()
}

fn moment(entry: &ICalendarEntry, zones: &Zones) -> Option<Moment> {
    zones.moment(date(entry)?, entry.tz_id())
}

/// Returns how long an event is: a day if it is a date alone, no time at all otherwise, if it does not say.
fn length(event: &ICalendarComponent, start: &Moment, zones: &Zones) -> Result<Length, Unreadable> {
    if let Some(end) = event.property(&ICalendarProperty::Dtend) {
        let end = moment(end, zones).ok_or(Unreadable::End)?;
        return Ok(between(start, &end));
    }
    let Some(entry) = event.property(&ICalendarProperty::Duration) else {
        return Ok(Length::Days(TimeDelta::days(i64::from(start.date_only)), TimeDelta::zero()));
    };
    match entry.values.first() {
        Some(ICalendarValue::Duration(duration)) => Ok(by_calendar(duration)),
        _ => Err(Unreadable::End),
    }
}

fn between(start: &Moment, end: &Moment) -> Length {
    if start.date_only && end.date_only {
        // Apple and others write the same day twice for one day.
        Length::Days((end.local - start.local).max(TimeDelta::days(1)), TimeDelta::zero())
    } else {
        Length::Exact(end.instant() - start.instant())
    }
}

fn by_calendar(duration: &ICalendarDuration) -> Length {
    let sign = if duration.neg { -1 } else { 1 };
    let days = i64::from(duration.weeks) * 7 + i64::from(duration.days);
    let rest = i64::from(duration.hours) * 3600 + i64::from(duration.minutes) * 60 + i64::from(duration.seconds);
    let days = TimeDelta::try_days(days * sign).unwrap_or(TimeDelta::MAX);
    Length::Days(days, TimeDelta::seconds(rest * sign))
}

/// Returns a further occurrence, and its length if it is a period.
fn extra(value: &ICalendarValue, zone: Option<&str>, zones: &Zones) -> Option<(Moment, Option<Length>)> {
    match value {
        ICalendarValue::PartialDateTime(date) => Some((zones.moment(date, zone)?, None)),
        ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
            let start = zones.moment(start, zone)?;
            let length = between(&start, &zones.moment(end, zone)?);
            Some((start, Some(length)))
        }
        ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
            Some((zones.moment(start, zone)?, Some(by_calendar(duration))))
        }
        _ => None,
    }
}
