//! Following the machine's clocks while the server runs.
//!
//! Time-outs, those of the writers among them, are measured by the monotonic clock, which knows neither steps nor, on Linux,
//! the time for which the machine has slept. One thread looks every second, and wakes the writers when more time has passed than
//! their time-outs can know. That is cheaper than a time-out of at most a second in every writer. It is a thread and no task,
//! because its sleep depends on no reading of a clock, and it waits behind no request.

use super::timekeeper::Step;
use super::{Clock, Time, amount};
use crate::metrics::{Metrics, StepLabels};
use presence_core::Duration;
use std::time::Instant as Monotonic;

/// The time between two looks at the clocks.
const INTERVAL: Duration = Duration::from_secs(1);
/// The time, unknown to the monotonic clock, by which a deadline may be late.
const TOLERANCE: Duration = Duration::from_millis(100);
/// The time between two looks that shows a leap of all clocks. A look that is late for another reason does no harm.
const LEAP: Duration = Duration::from_secs(3);

/// Follows steps of the wall clock, counts them, and calls `wake` when deadlines may have come unnoticed. Returns when it `ends`.
pub fn follow(clock: &Clock, metrics: &Metrics, wake: impl Fn(), ends: impl Fn() -> bool) {
    if clock.is_virtual() {
        return;
    }
    let mut woken = (clock.time(), Monotonic::now());
    let mut last = woken.0;
    loop {
        std::thread::sleep(INTERVAL.into());
        if ends() {
            return;
        }
        report(clock.observe(), metrics);
        let time = clock.time();
        let since = |earlier: Time| time.unshifted().saturating_duration_since(earlier.unshifted());
        let unknown = since(woken.0).saturating_sub(woken.1.elapsed().into());
        if unknown > TOLERANCE || since(last) > LEAP || time.shift != woken.0.shift {
            wake();
            woken = (time, Monotonic::now());
        }
        last = time;
    }
}

fn report(step: Option<Step>, metrics: &Metrics) {
    let count = |direction| metrics.clock_steps.get_or_create(&StepLabels { direction }).inc();
    match step {
        None => {}
        Some(Step::Forward(by)) => {
            count("forward");
            tracing::warn!("the wall clock stepped forward by {}, and so does the server", amount(by));
        }
        Some(Step::Behind(by)) => {
            count("back");
            tracing::warn!(
                "the wall clock stepped back by {}; the server follows if it stays so for a minute",
                amount(by)
            );
        }
        Some(Step::Back(by)) => {
            tracing::warn!(
                "the wall clock has been back by {} for a minute: all stored instants are shifted",
                amount(by)
            );
        }
    }
}
