//! The budgets at the largest size, and what was measured.

use super::tables::mixed_time;
use super::text::{header, number, row, time};
use crate::engines::{EXPERT, MAPS_AND_HEAP, OURS};
use crate::instructions::Counts;
use crate::measure::summary;
use crate::run::Outcome;

/// A budget: what it limits, the limit, the measurement, and whether that keeps it.
struct Budget {
    what: &'static str,
    limit: &'static str,
    measured: String,
    holds: Option<bool>,
}

pub fn table(outcomes: &[Outcome], counts: Option<Counts>) -> String {
    let Some(outcome) = outcomes.last() else { return String::new() };
    let mut text = format!("## Budgets, at {} users\n\n", super::text::whole(outcome.users.into()));
    text += &header("", ["budget", "measured", ""].map(str::to_owned));
    for budget in budgets(outcomes, outcome, counts) {
        let verdict = budget.holds.map_or("not measured", |holds| if holds { "holds" } else { "**missed**" });
        text += &row([budget.what.to_owned(), budget.limit.to_owned(), budget.measured, verdict.to_owned()]);
    }
    text
}

fn budgets(outcomes: &[Outcome], outcome: &Outcome, counts: Option<Counts>) -> Vec<Budget> {
    let ours = outcome.of(OURS);
    let faster = |engine: usize| mixed_time(outcome, outcome.of(engine)) / ours.mixed;
    let budget = |what, limit, measured: f64, holds: bool| Budget {
        what,
        limit,
        measured: number(measured),
        holds: Some(holds),
    };
    let (against_first, against_expert) = (faster(MAPS_AND_HEAP), faster(EXPERT));
    let keep_alive = ours.single.keep_alive / outcome.floor;
    let reads = outcome.reads;
    let (waiting, overlapped) = (reads.waiting / reads.probe_waiting, reads.overlapped / reads.probe_overlapped);
    let batch = outcome.batch.one_by_one / outcome.batch.batched;
    let bytes = |bytes: usize| bytes as f64 / f64::from(outcome.users);
    let (filled, after) = (bytes(ours.calls.bytes_filled), bytes(ours.calls.bytes_after));
    let mut budgets = vec![
        budget("mixed trace against baseline 1", "at least 5 times faster", against_first, against_first >= 5.0),
        budget("mixed trace against baseline 3", "at least as fast (1.0)", against_expert, against_expert >= 1.0),
        budget("keep-alive against the floor", "at most 2 times", keep_alive, keep_alive <= 2.0),
        budget(
            "read against a bare probe, each waiting for the one before",
            "at most 1.3 times",
            waiting,
            waiting <= 1.3,
        ),
        budget("the same where the processor may overlap them", "at most 1.3 times", overlapped, overlapped <= 1.3),
        budget("batch of 64 against one by one", "at least 1.5 times faster", batch, batch >= 1.5),
    ];
    budgets.push(advance(outcomes, outcome));
    let expiry = ours.single.expiry;
    let what = "expiring everything, per session";
    budgets.push(Budget { what, limit: "at most 1 µs", measured: time(expiry), holds: Some(expiry <= 1000.0) });
    let measured = format!("{}, after an hour {}", number(filled), number(after));
    let (what, holds) =
        ("memory, bytes a user", Some(filled <= 256.0 && ours.calls.bytes_filled == ours.calls.bytes_after));
    budgets.push(Budget { what, limit: "at most 256, the same after an hour", measured, holds });
    let measured = counts.map_or("no valgrind".to_owned(), |counts| {
        format!("{} ({} to {})", number(counts.many / counts.few), number(counts.few), number(counts.many))
    });
    budgets.push(Budget {
        what: "instructions for each operation of ten minutes of the trace, 1,000 to 1,000,000 users",
        limit: "grow by less than 1.5 times",
        measured,
        holds: counts.map(|counts| counts.many / counts.few < 1.5),
    });
    budgets
}

/// Returns the longest single call of `advance` at 99.9 %, in the mass event and after keep-alives, here and with fewer users.
fn advance(outcomes: &[Outcome], outcome: &Outcome) -> Budget {
    let nearly_all = |outcome: &Outcome| {
        let ours = outcome.of(OURS);
        let [.., mass_event, _] = summary(&ours.calls.steps_in_mass_event);
        let [.., stale, _] = summary(&ours.stalls.stale);
        (mass_event, stale)
    };
    let (mass_event, stale) = nearly_all(outcome);
    let fewer = outcomes.iter().rev().nth(1).map(nearly_all);
    let fewer = fewer.map_or(String::new(), |(mass_event, stale)| {
        format!("; with a tenth of the users {} and {}", time(mass_event as f64), time(stale as f64))
    });
    Budget {
        what: "longest single `advance`, p99.9, in the mass event and after a million keep-alives",
        limit: "at most 20 µs, however many are due or stale",
        measured: format!("{} and {}{fewer}", time(mass_event as f64), time(stale as f64)),
        holds: Some(mass_event.max(stale) <= 20_000),
    }
}
