//! Time zones of a calendar: known ones by their names, others as the calendar defines them.

use super::moment::Moment;
use super::recurrence::{Budget, Refused, Span, starts};
use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::timezone::TzResolver;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarRecurrenceRule, ICalendarValue,
};
use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use std::collections::HashMap;
use std::rc::Rc;

/// Names of Windows whose zones have moved since calcard 0.3 learnt them, and one that it has not.
const CORRECTED: [(&str, chrono_tz::Tz); 3] = [
    ("Central Asia Standard Time", chrono_tz::Asia::Bishkek),
    ("Mountain Standard Time (Mexico)", chrono_tz::America::Mazatlan),
    ("South Sudan Standard Time", chrono_tz::Africa::Juba),
];

/// A time zone.
#[derive(Clone, Debug)]
pub enum Zone {
    /// One of the time zone database, or a constant offset.
    Known(Tz),
    /// One that the calendar defines itself (`VTIMEZONE`): the moments when its offset changes, in order.
    Defined(Rc<[Onset]>),
}

/// A change of a zone's offset.
#[derive(Clone, Copy, Debug)]
pub struct Onset {
    /// When, by the clock before it.
    local: NaiveDateTime,
    from: TimeDelta,
    to: TimeDelta,
}

impl Zone {
    /// Returns the instant of a local time.
    ///
    /// Of a time that comes twice it is the earlier one; of one that is skipped, the offset from before counts (RFC 5545,
    /// 3.3.5).
    pub fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        let offset = match self {
            Self::Known(zone) => known_offset(*zone, local),
            Self::Defined(onsets) => defined_offset(onsets, local),
        };
        local.checked_sub_signed(offset).unwrap_or(local).and_utc()
    }

    /// Returns the local time of an instant.
    pub fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        let utc = instant.naive_utc();
        let offset = match self {
            Self::Known(zone) => TimeDelta::seconds(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc().into()),
            Self::Defined(onsets) => {
                let past = last(onsets, |onset| onset.local - onset.from <= utc);
                past.map_or_else(|| first_offset(onsets), |onset| onset.to)
            }
        };
        utc.checked_add_signed(offset).unwrap_or(utc)
    }
}

fn known_offset(zone: Tz, local: NaiveDateTime) -> TimeDelta {
    let at = |local: &NaiveDateTime| zone.offset_from_local_datetime(local).earliest();
    // No zone skips more than a day.
    let before = || local.checked_sub_signed(TimeDelta::days(1)).and_then(|before| at(&before));
    let offset = at(&local).or_else(before).map_or(0, |offset| offset.fix().local_minus_utc());
    TimeDelta::seconds(offset.into())
}

fn defined_offset(onsets: &[Onset], local: NaiveDateTime) -> TimeDelta {
    let Some(onset) = last(onsets, |onset| onset.local <= local) else { return first_offset(onsets) };
    // The hour that is skipped.
    if local - onset.local < onset.to - onset.from { onset.from } else { onset.to }
}

/// Returns the last onset that has been: onsets are in order.
fn last(onsets: &[Onset], has_been: impl Fn(&Onset) -> bool) -> Option<&Onset> {
    onsets.get(onsets.partition_point(has_been).checked_sub(1)?)
}

fn first_offset(onsets: &[Onset]) -> TimeDelta {
    onsets.first().map_or_else(TimeDelta::zero, |onset| onset.from)
}

/// The zones that a calendar names.
pub struct Zones<'a> {
    known: TzResolver<&'a str>,
    defined: HashMap<&'a str, Rc<[Onset]>>,
    /// The reader's own zone, for times without one.
    own: Zone,
}

impl<'a> Zones<'a> {
    /// Reads the zones that a calendar defines, as far as they matter within a span.
    ///
    /// # Errors
    ///
    /// [`Refused`] if they recur beyond the budget.
    pub fn read(calendar: &'a ICalendar, own: chrono_tz::Tz, span: Span, budget: &mut Budget) -> Result<Self, Refused> {
        let mut defined = HashMap::new();
        for component in calendar.timezones() {
            let name = component.property(&ICalendarProperty::Tzid).and_then(|entry| entry.values.first());
            if let Some(name) = name.and_then(ICalendarValue::as_text) {
                defined.insert(name, onsets(calendar, component, span, budget)?);
            }
        }
        Ok(Self { known: calendar.build_tz_resolver(), defined, own: Zone::Known(own.into()) })
    }

    /// Returns the zone of a property: by its parameter `TZID`, otherwise the reader's own. `None` if nobody knows the zone.
    pub fn named(&self, name: Option<&str>) -> Option<Zone> {
        let Some(name) = name else { return Some(self.own.clone()) };
        let iana = name.parse::<chrono_tz::Tz>().ok();
        // Of another name, the calendar knows best what it means.
        let defined = || self.defined.get(name).filter(|onsets| !onsets.is_empty()).cloned();
        let known = || corrected(name).or_else(|| self.known.resolve(name).filter(|zone| !guessed(name, *zone)));
        let named = iana.map(|zone| Zone::Known(zone.into()));
        named.or_else(|| defined().map(Zone::Defined)).or_else(|| known().map(Zone::Known))
    }

    /// Returns the moment that a property names.
    pub fn moment(&self, time: &PartialDateTime, zone: Option<&str>) -> Option<Moment> {
        let read = time.to_date_time()?;
        let zone = match read.offset {
            Some(offset) if offset.local_minus_utc() == 0 => Zone::Known(Tz::UTC),
            Some(offset) => Zone::Known(Tz::Fixed(offset)),
            None if time.has_time() => self.named(zone)?,
            None => self.own.clone(),
        };
        Some(Moment { local: read.date_time, zone, date_only: !time.has_time() })
    }
}

/// Returns the zone of a name of Windows that calcard does not know, or not as Windows means it today.
fn corrected(name: &str) -> Option<Tz> {
    CORRECTED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, zone)| Tz::Tz(*zone))
}

/// Returns whether calcard took a zone from an offset in its name, `(UTC+05:30) …`: of that it reads the hours alone.
fn guessed(name: &str, zone: Tz) -> bool {
    name.trim_start().starts_with('(') && zone.name().is_some_and(|name| name.starts_with("Etc/GMT"))
}

/// Returns the onsets of a `VTIMEZONE`, in order.
fn onsets(
    calendar: &ICalendar,
    zone: &ICalendarComponent,
    span: Span,
    budget: &mut Budget,
) -> Result<Rc<[Onset]>, Refused> {
    let mut onsets = Vec::new();
    let parts = zone.component_ids.iter().filter_map(|id| calendar.component_by_id(*id));
    for part in parts {
        if matches!(part.component_type, ICalendarComponentType::Standard | ICalendarComponentType::Daylight) {
            observance(part, span, budget, &mut onsets)?;
        }
    }
    onsets.sort_by_key(|onset| onset.local);
    Ok(onsets.into())
}

/// Adds the onsets of one observance: its first, those that recur, and those that are listed.
fn observance(
    part: &ICalendarComponent,
    span: Span,
    budget: &mut Budget,
    onsets: &mut Vec<Onset>,
) -> Result<(), Refused> {
    let value = |name| part.property(&name).and_then(|entry| entry.values.first());
    let offset = |name| value(name).and_then(ICalendarValue::as_partial_date_time).map(utc_offset);
    let start = value(ICalendarProperty::Dtstart).and_then(ICalendarValue::as_partial_date_time);
    let start = start.and_then(PartialDateTime::to_date_time).map(|start| start.date_time);
    let (Some(start), Some(from), Some(to)) =
        (start, offset(ICalendarProperty::Tzoffsetfrom), offset(ICalendarProperty::Tzoffsetto))
    else {
        return Ok(());
    };
    let mut locals = vec![start];
    for entry in &part.entries {
        for value in &entry.values {
            match (&entry.name, value) {
                (ICalendarProperty::Rrule, ICalendarValue::RecurrenceRule(rule)) => {
                    let until = until_by_offset(rule, from);
                    // A year earlier, so that there is an onset before whatever is asked about.
                    let span = Span { from: span.from - TimeDelta::days(370), to: span.to };
                    locals.extend(starts(rule, start, until, span, budget)?);
                }
                (ICalendarProperty::Rdate, ICalendarValue::PartialDateTime(date)) => {
                    locals.extend(date.to_date_time().map(|date| date.date_time));
                }
                _ => {}
            }
        }
    }
    onsets.extend(locals.into_iter().map(|local| Onset { local, from, to }));
    Ok(())
}

fn utc_offset(offset: &PartialDateTime) -> TimeDelta {
    let seconds = i64::from(offset.tz_hour.unwrap_or(0)) * 3600 + i64::from(offset.tz_minute.unwrap_or(0)) * 60;
    TimeDelta::seconds(if offset.tz_minus { -seconds } else { seconds })
}

fn until_by_offset(rule: &ICalendarRecurrenceRule, offset: TimeDelta) -> Option<NaiveDateTime> {
    let until = rule.until.as_ref()?.to_date_time()?;
    if until.offset.is_some() { until.date_time.checked_add_signed(offset) } else { Some(until.date_time) }
}
