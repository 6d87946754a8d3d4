//! The time axis: the position of an instant, and the labelled ticks.

use std::fmt::Write as _;

use presence_core::{Instant, SessionId, Transition, UserId};

use super::style::{GREY, INK, text, text_width};
use super::{LEFT, RIGHT, TOP};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The most ticks.
const TICKS: u64 = 11;

/// The span from the first change to the end, in milliseconds.
pub(super) struct Axis {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Axis {
    pub(super) fn of(history: &[(UserId, Transition<SessionId>)], end: Instant) -> Self {
        let moments = || history.iter().map(|(_, transition)| transition.at().as_millis());
        let end = moments().max().unwrap_or(0).max(end.as_millis()).max(1);
        let start = moments().min().unwrap_or(0).min(end - 1);
        Self { start, end }
    }

    /// Returns the position of an instant, from left to right.
    pub(super) fn x(&self, millis: u64) -> f64 {
        let inside = millis.clamp(self.start, self.end) - self.start;
        LEFT + (RIGHT - LEFT) * (inside as f64 / (self.end - self.start) as f64)
    }

    /// Draws lines down to `bottom`, with the time of day above, and the day where it begins.
    pub(super) fn draw(&self, out: &mut String, bottom: f64) {
        let step = step(self.end - self.start);
        let first = self.start.div_ceil(step).checked_mul(step);
        let ticks = std::iter::successors(first, |tick| tick.checked_add(step)).take_while(|tick| *tick <= self.end);
        let (mut times_end, mut days_end) = (f64::MIN, f64::MIN);
        let label = |out: &mut String, x: f64, y: f64, ink: &str, label: &str, end: &mut f64| {
            let half = text_width(label, 11.0) / 2.0;
            let x = x.min(RIGHT + 20.0 - half);
            if x - half > *end + 6.0 {
                text(out, (x, y), 11.0, "middle", ink, label);
                *end = x + half;
            }
        };
        for (index, tick) in ticks.enumerate() {
            let x = self.x(tick);
            let _ = writeln!(out, "<path d=\"M{x:.1} {:.1}V{bottom:.1}\" stroke=\"#eaeef2\"/>", TOP - 8.0);
            if step < DAY {
                label(out, x, TOP - 14.0, INK, &time_of_day(tick, step), &mut times_end);
            }
            if step >= DAY || self.end >= DAY && (index == 0 || tick % DAY == 0) {
                let y = if step < DAY { TOP - 27.0 } else { TOP - 14.0 };
                label(out, x, y, GREY, &format!("day {}", tick / DAY + 1), &mut days_end);
            }
        }
    }
}

/// Returns the shortest round distance between ticks that gives at most `TICKS` of them.
fn step(span: u64) -> u64 {
    let powers = |unit: u64| (0..20).filter_map(move |power| unit.checked_mul(10u64.checked_pow(power)?));
    let decades = |unit| powers(unit).flat_map(|power| [1, 2, 5].map(|digit: u64| power.saturating_mul(digit)));
    let clock = [1, 2, 5, 10, 15, 30].map(|count| count * SECOND).into_iter();
    let clock = clock.chain([1, 2, 5, 10, 15, 30].map(|count| count * MINUTE));
    let clock = clock.chain([1, 2, 3, 6, 12].map(|count| count * HOUR));
    let steps = decades(1).take_while(|step| *step < SECOND).chain(clock).chain(decades(DAY));
    steps.filter(|step| span / step <= TICKS).min().unwrap_or(u64::MAX)
}

/// Formats a time of day, as precisely as the distance of the ticks.
fn time_of_day(millis: u64, step: u64) -> String {
    let (hours, minutes, seconds) = (millis % DAY / HOUR, millis % HOUR / MINUTE, millis % MINUTE / SECOND);
    match step {
        MINUTE.. => format!("{hours}:{minutes:02}"),
        SECOND.. => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}.{:03}", millis % SECOND),
    }
}

/// Formats an instant in full, for tooltips.
pub(super) fn clock(millis: u64) -> String {
    let day = if millis < DAY { String::new() } else { format!("day {}, ", millis / DAY + 1) };
    let step = if millis.is_multiple_of(SECOND) { SECOND } else { 1 };
    day + &time_of_day(millis, step)
}
