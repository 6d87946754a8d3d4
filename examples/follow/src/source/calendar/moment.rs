//! Moments as calendars name them: a local time in a zone, or a date.

use super::zone::Zone;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// A local time in a zone, or a date: its midnight.
#[derive(Clone, Debug)]
pub struct Moment {
    pub local: NaiveDateTime,
    pub zone: Zone,
    /// Whether it is a date alone.
    pub date_only: bool,
}

impl Moment {
    /// Returns the instant of the moment.
    pub fn instant(&self) -> DateTime<Utc> {
        self.zone.instant(self.local)
    }
}

/// How long an event is.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// By a stopwatch: `DTEND` less `DTSTART`, on every occurrence (RFC 5545, 3.8.5.3).
    Exact(TimeDelta),
    /// By the calendar: days that may have 23 or 25 hours, and a rest by a stopwatch.
    Days(TimeDelta, TimeDelta),
}

impl Length {
    /// Returns when an occurrence ends, `None` beyond the end of time.
    pub fn end(self, start: NaiveDateTime, zone: &Zone) -> Option<DateTime<Utc>> {
        match self {
            Self::Exact(length) => zone.instant(start).checked_add_signed(length),
            Self::Days(days, rest) => zone.instant(start.checked_add_signed(days)?).checked_add_signed(rest),
        }
    }

    /// Returns a length that no occurrence exceeds.
    pub fn at_most(self) -> TimeDelta {
        let length = match self {
            Self::Exact(length) => length,
            Self::Days(days, rest) => days.checked_add(&rest).unwrap_or(TimeDelta::MAX),
        };
        length.checked_add(&TimeDelta::days(2)).unwrap_or(TimeDelta::MAX)
    }
}
