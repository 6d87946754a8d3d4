//! A second, naive reader of durations. Rules H4, S2.

use presence_core::{Duration, DurationRange, IsoDuration};

/// A duration exactly as written: its sign, its magnitude in milliseconds, and whether there is anything finer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    pub is_negative: bool,
    pub millis: u128,
    pub is_finer: bool,
}

const DAY: u128 = 86_400_000;

impl Exact {
    fn plus(self, millis: u128) -> Self {
        Self { millis: self.millis + millis, ..self }
    }

    /// Rule S2: compared exactly as written, then stored in whole milliseconds.
    pub fn within(self, shortest: u64, longest: u64) -> Option<Duration> {
        let is_zero = self.millis == 0 && !self.is_finer;
        let is_long_enough = self.millis >= shortest.into() && (is_zero || !self.is_negative);
        let is_short_enough = self.millis < longest.into() || (self.millis == longest.into() && !self.is_finer);
        (is_long_enough && is_short_enough).then(|| Duration::from_millis(self.millis as u64))
    }
}

/// The number in front of a letter, if the text begins with one, and the rest. At most 32 bytes never overflow 128 bits.
fn part(text: &str, letter: char) -> Option<(u128, &str)> {
    let (number, rest) = text.split_once(letter)?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (number.parse().unwrap(), rest))
}

/// Seconds, with or without a fraction.
fn seconds(number: &str) -> Option<Exact> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let all = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !all(whole) || !all(fraction) {
        return None;
    }
    let (whole_millis, cut) = fraction.split_at(fraction.len().min(3));
    let millis = whole.parse::<u128>().unwrap() * 1000 + format!("{whole_millis:0<3}").parse::<u128>().unwrap();
    Some(Exact { is_negative: false, millis, is_finer: cut.bytes().any(|digit| digit != b'0') })
}

pub fn iso_8601(text: &str) -> Option<Exact> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text).strip_prefix('P')?;
    let (date, time) = match unsigned.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None if unsigned.is_empty() => return None,
        None => (unsigned, ""),
    };
    let mut total = 0_u128;
    let is_whole_weeks = date.ends_with('W') && unsigned == date;
    if is_whole_weeks {
        let (weeks, "") = part(date, 'W')? else { return None };
        // Thirty digits of weeks are the only sum that is larger than 128 bits: longer than any duration, like the largest.
        total = weeks.saturating_mul(7 * DAY);
    } else if !date.is_empty() {
        let (days, "") = part(date, 'D')? else { return None };
        total += days * DAY;
    }
    let mut rest = time;
    for (letter, unit) in [('H', 3_600_000), ('M', 60_000)] {
        if let Some((count, after)) = part(rest, letter) {
            (total, rest) = (total + count * unit, after);
        }
    }
    let tail = match rest {
        "" => Exact { is_negative: false, millis: 0, is_finer: false },
        rest => seconds(rest.strip_suffix('S')?)?,
    };
    Some(Exact { is_negative: text.starts_with('-'), ..tail.plus(total) })
}

/// As Python prints a `timedelta`.
pub fn timedelta(text: &str) -> Option<Exact> {
    let (days, clock) = match text.split_once(" day") {
        Some((days, rest)) => {
            let clock = rest.strip_prefix('s').unwrap_or(rest).strip_prefix(", ")?;
            let days = format!("{}D", days.strip_prefix('-').unwrap_or(days));
            let (days, "") = part(&days, 'D')? else { return None };
            (days, clock)
        }
        None => (0, text),
    };
    let [hours, minutes, rest] = clock.split(':').collect::<Vec<_>>().try_into().ok()?;
    let is_short = (1..=2).contains(&hours.len()) && minutes.len() == 2 && rest.split('.').next()?.len() == 2;
    let (hours, _) = part(&format!("{hours}:"), ':')?;
    let (minutes, _) = part(&format!("{minutes}:"), ':')?;
    let within_minute = seconds(rest)?;
    if !is_short || hours > 23 || minutes > 59 || within_minute.millis > 59_999 {
        return None;
    }
    let within_day = within_minute.plus(hours * 3_600_000 + minutes * 60_000);
    // No days down are none up, which Python does not write.
    if !text.starts_with('-') || days == 0 {
        return Some(within_day.plus(days * DAY));
    }
    // -1 day, 23:00:00 is an hour before zero.
    let millis = days * DAY - within_day.millis - u128::from(within_day.is_finer);
    Some(Exact { is_negative: true, millis, ..within_day })
}

pub fn naive(text: &str) -> Option<Exact> {
    if text.len() > 32 {
        return None;
    }
    iso_8601(text).or_else(|| timedelta(text))
}

pub fn assert_read(text: &str) {
    let read = IsoDuration::parse(text).ok();
    let exact = naive(text);
    assert_eq!(read.is_some(), exact.is_some(), "{text:?}");
    let (Some(read), Some(exact)) = (read, exact) else { return };
    assert_eq!(u128::from(read.magnitude().as_millis()), exact.millis.min(u64::MAX.into()), "{text:?}");
    if exact.millis > 0 {
        assert_eq!(read.is_negative(), exact.is_negative, "{text:?}");
    }
    for longest in [0, 1, 300_000, 14_400_000, u64::MAX - 1, u64::MAX] {
        for shortest in [0, 1, 300_000] {
            let millis = Duration::from_millis;
            let range = DurationRange { shortest: millis(shortest), longest: millis(longest) };
            assert_eq!(read.within(range), exact.within(shortest, longest), "{text:?} within {shortest}..={longest}");
        }
    }
}
