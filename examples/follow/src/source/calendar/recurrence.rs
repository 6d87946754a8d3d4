//! When events recur: rules (`RRULE`) in local time, with bounds that no calendar of a person reaches.

use calcard::common::CalendarScale;
use calcard::icalendar::{ICalendarFrequency, ICalendarRecurrenceRule};
use chrono::{DateTime, Month, NaiveDateTime, Weekday};
use rrule::{Frequency, NWeekday, RRule, RRuleSet, Unvalidated};
use std::fmt::{self, Display, Formatter};

/// The most occurrences a day that a rule may have. The finest that calendars offer is daily.
const A_DAY: usize = 96;
/// The most values that the parts of a rule may list: every day of a year, and some.
const LISTED: usize = 500;
/// What a rule costs that is looked through in vain: rrule gives up after 100,000 periods, each of up to a year.
const IN_VAIN: u64 = 1_000_000;

/// A span of local time, without its end.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub from: NaiveDateTime,
    pub to: NaiveDateTime,
}

/// The work that is left for one reading of a calendar, in steps of some hundred nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Budget(u64);

impl Budget {
    /// What a reading may cost: thousands of series that began years ago, in about a second.
    pub const READING: Self = Self(20_000_000);

    fn spend(&mut self, steps: u64) -> Result<(), Refused> {
        self.0 = self.0.checked_sub(steps).ok_or(Refused::TooMuch)?;
        Ok(())
    }
}

/// Why a rule is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It makes no sense, or only to other calendars than ours.
    Invalid,
    /// It recurs too often, or lists too much.
    TooFine,
    /// All rules of the calendar together are too much work.
    TooMuch,
}

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "a rule of recurrence cannot be understood",
            Self::TooFine => "a rule of recurrence is finer than every quarter of an hour",
            Self::TooMuch => "its rules of recurrence are too much work",
        })
    }
}

/// Returns the starts within a span that a rule gives an event, in order. `until` is the rule's own end, by the event's clock.
///
/// # Errors
///
/// [`Refused`] if the rule is not followed, or the budget is spent.
pub fn starts(
    rule: &ICalendarRecurrenceRule,
    start: NaiveDateTime,
    until: Option<NaiveDateTime>,
    span: Span,
    budget: &mut Budget,
) -> Result<Vec<NaiveDateTime>, Refused> {
    if start >= span.to || until.is_some_and(|until| until < span.from || until < start) {
        return Ok(Vec::new());
    }
    budget.spend(periods(rule, start, span.to))?;
    let mut found = Vec::new();
    let mut occurrences = 0u32;
    let mut passed = false;
    for occurrence in build(rule, start, until)?.limit().into_iter() {
        let occurrence = occurrence.naive_utc();
        budget.spend(1)?;
        occurrences = occurrences.saturating_add(1);
        if occurrence >= span.to {
            passed = true;
            break;
        }
        if occurrence >= span.from {
            found.push(occurrence);
        }
    }
    let ended = rule.count.is_some_and(|count| occurrences >= count)
        || (until.is_some_and(|until| until < span.to) && occurrences > 0);
    budget.spend(if passed || ended { 0 } else { IN_VAIN })?;
    Ok(found)
}

/// Returns how many days, or hours, are looked through between a start and an end.
fn periods(rule: &ICalendarRecurrenceRule, start: NaiveDateTime, end: NaiveDateTime) -> u64 {
    let length = end - start;
    let periods = if rule.freq == ICalendarFrequency::Hourly { length.num_hours() } else { length.num_days() };
    u64::try_from(periods).unwrap_or(0)
}

/// Builds the rule in a clock without a zone, for which UTC stands: rules recur in local time.
fn build(
    rule: &ICalendarRecurrenceRule,
    start: NaiveDateTime,
    until: Option<NaiveDateTime>,
) -> Result<RRuleSet, Refused> {
    check(rule)?;
    let months = rule.bymonth.iter().map(|month| Month::try_from(month.month()));
    let months: Vec<_> = months.collect::<Result<_, _>>().map_err(|_| Refused::Invalid)?;
    let days = rule.byday.iter().map(|day| NWeekday::new(day.ordwk, day.weekday.into()));
    let mut built = RRule::<Unvalidated>::new(frequency(rule.freq)?)
        .interval(rule.interval.unwrap_or(1))
        .week_start(rule.wkst.map_or(Weekday::Mon, Weekday::from))
        .by_set_pos(rule.bysetpos.clone())
        .by_month(&months)
        .by_month_day(rule.bymonthday.clone())
        .by_year_day(rule.byyearday.clone())
        .by_week_no(rule.byweekno.clone())
        .by_weekday(days.collect())
        .by_hour(rule.byhour.clone())
        .by_minute(rule.byminute.clone())
        .by_second(rule.bysecond.clone());
    if let Some(count) = rule.count {
        built = built.count(count);
    }
    if let Some(until) = until {
        built = built.until(clock(until));
    }
    built.build(clock(start)).map_err(|_| Refused::Invalid)
}

fn clock(local: NaiveDateTime) -> DateTime<rrule::Tz> {
    local.and_utc().with_timezone(&rrule::Tz::UTC)
}

fn frequency(frequency: ICalendarFrequency) -> Result<Frequency, Refused> {
    match frequency {
        ICalendarFrequency::Yearly => Ok(Frequency::Yearly),
        ICalendarFrequency::Monthly => Ok(Frequency::Monthly),
        ICalendarFrequency::Weekly => Ok(Frequency::Weekly),
        ICalendarFrequency::Daily => Ok(Frequency::Daily),
        ICalendarFrequency::Hourly => Ok(Frequency::Hourly),
        ICalendarFrequency::Minutely | ICalendarFrequency::Secondly => Err(Refused::TooFine),
    }
}

/// Refuses what rrule would work on without an end in sight, and what it does not know.
fn check(rule: &ICalendarRecurrenceRule) -> Result<(), Refused> {
    let gregorian = rule.rscale.as_ref().is_none_or(|scale| *scale == CalendarScale::Gregorian);
    if !gregorian || rule.skip.is_some() || rule.interval == Some(0) {
        return Err(Refused::Invalid);
    }
    let days = [rule.byday.len(), rule.bymonthday.len(), rule.byyearday.len(), rule.byweekno.len(), rule.bymonth.len()];
    let times = [rule.byhour.len(), rule.byminute.len(), rule.bysecond.len(), rule.bysetpos.len()];
    let hours = if rule.freq == ICalendarFrequency::Hourly { 24 } else { rule.byhour.len().max(1) };
    let a_day = hours.saturating_mul(rule.byminute.len().max(1)).saturating_mul(rule.bysecond.len().max(1));
    if days.iter().chain(&times).any(|values| *values > LISTED) || a_day > A_DAY {
        return Err(Refused::TooFine);
    }
    Ok(())
}
