//! The tables of single calls: quantiles and the longest.

use super::tables::{name, table};
use super::text::{header, number, ratio, read_time_and_ratio, row, whole};
use crate::engines::OURS;
use crate::histogram::Histogram;
use crate::measure::{Measurements, summary};
use crate::run::Outcome;
use crate::trace::Kind;

const COLUMNS: [&str; 4] = ["p50", "p99", "p99.9", "longest"];

/// Returns a row for each engine that made such calls; an engine without any reports one.
fn rows(outcome: &Outcome, what: &str, histogram: impl Fn(&Measurements) -> &Histogram) -> String {
    let ours = summary(histogram(outcome.of(OURS)));
    let engines = outcome.measurements.iter().filter(|measurements| histogram(measurements).count > 1);
    engines
        .map(|measurements| {
            let theirs = summary(histogram(measurements));
            let cells = theirs.iter().zip(ours).map(|(&theirs, ours)| read_time_and_ratio(theirs, ours));
            row([what.to_owned(), name(measurements.engine)].into_iter().chain(cells))
        })
        .collect()
}

fn head(first: &str) -> String {
    header(first, std::iter::once("engine").chain(COLUMNS).map(str::to_owned))
}

/// Returns the tables of steps of what is due. One call of ours is bounded, so the longest counts.
pub fn steps(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "\n## The longest single call of `advance`\n\nOne call does a bounded piece of work. The baselines have no such \
         call of their own; here, each is asked for the smallest piece that it can do: one entry of its queue.\n",
    );
    let mut part = |title: &str, histogram: fn(&Measurements) -> &Histogram| {
        text += &format!("\n{title}\n\n{}", head("users"));
        for outcome in outcomes {
            text += &rows(outcome, &whole(outcome.users.into()), histogram);
        }
    };
    part("In the quarter of an hour after 80 % of the sessions have stopped.", |measurements| {
        &measurements.calls.steps_in_mass_event
    });
    part(
        "Five minutes after as many keep-alives as there are users: nothing is due, but whatever the queue knew is out \
         of date.",
        |measurements| &measurements.stalls.stale,
    );
    part("All users fade in the same millisecond.", |measurements| &measurements.stalls.at_once);
    text += "\nSteps for each operation of the traffic: what falls due, and entries that are corrected or dropped.\n\n";
    let operations =
        |measurements: &Measurements| measurements.calls.kinds.iter().map(|kind| kind.count).sum::<u64>() as f64;
    let steps = |measurements: &Measurements| {
        (measurements.calls.steps.count + measurements.calls.steps_in_mass_event.count) as f64
    };
    text + &table(outcomes, |outcome, measurements| {
        let each = |measurements: &Measurements| steps(measurements) / operations(measurements);
        format!("{} {}", number(each(measurements)), ratio(each(measurements), each(outcome.of(OURS))))
    })
}

/// Returns the table of every kind of call at every size.
pub fn of_all(outcomes: &[Outcome]) -> String {
    let mut text = String::from("\n## Every call of the mixed trace\n");
    for outcome in outcomes {
        let (users, sessions) = (whole(outcome.users.into()), outcome.sessions);
        text += &format!("\n<details><summary>{users} users with {sessions} sessions</summary>\n\n{}", head("call"));
        for kind in Kind::ALL {
            text += &rows(outcome, kind.name(), |measurements| &measurements.calls.kinds[kind as usize]);
        }
        text += &rows(outcome, "a step of what is due", |measurements| &measurements.calls.steps);
        text += "\n</details>\n";
    }
    text
}
