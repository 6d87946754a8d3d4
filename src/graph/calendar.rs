//! The calendar, and the numbers in texts of dates.

/// Returns the number of days of a month; 0 for a number that is no month.
pub(crate) const fn days_of_month(year: u32, month: u8) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Returns the number of days from the beginning of the year 1 to that of a year.
pub(crate) const fn days_before(year: u32) -> u32 {
    let years = year.saturating_sub(1);
    let leap_days = (years / 4).saturating_sub(years / 100).saturating_add(years / 400);
    years.saturating_mul(365).saturating_add(leap_days)
}

/// Returns the seconds from the beginning of the year 1 to a date and a time of day.
pub(crate) fn seconds_before([year, month, day]: [u16; 3], [hour, minute, second]: [u16; 3]) -> u64 {
    let year = u32::from(year);
    let month = u8::try_from(month).unwrap_or(u8::MAX);
    let month_days = (1..month).map(|month| days_of_month(year, month)).fold(0, u32::saturating_add);
    let days = days_before(year).saturating_add(month_days).saturating_add(u32::from(day)).saturating_sub(1);
    let hours = u64::from(days).saturating_mul(24).saturating_add(hour.into());
    let minutes = hours.saturating_mul(60).saturating_add(minute.into());
    minutes.saturating_mul(60).saturating_add(second.into())
}

/// Reads a number of this many digits.
pub(crate) fn number(rest: &mut &[u8], digits: usize) -> Option<u16> {
    let (number, others) = rest.split_at_checked(digits)?;
    *rest = others;
    number.iter().try_fold(0_u16, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.wrapping_sub(b'0'))?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Reads a separator, a letter in any case, and a number of this many digits.
pub(crate) fn number_after(rest: &mut &[u8], mark: u8, digits: usize) -> Option<u16> {
    let (first, others) = rest.split_first()?;
    *rest = others;
    if first.eq_ignore_ascii_case(&mark) { number(rest, digits) } else { None }
}
