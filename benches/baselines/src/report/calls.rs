//! The tables of single calls: quantiles and the longest.

use super::tables::{name, table};
use super::text::{header, number, ratio, read_time_and_ratio, row, whole};
use crate::engines::OURS;
use crate::histogram::Histogram;
use crate::measure::{Figures, summary};
use crate::run::Outcome;
use crate::trace::Kind;

const COLUMNS: [&str; 4] = ["p50", "p99", "p99.9", "longest"];

/// A row for each engine that did this at all: one that has nothing to do says so once.
fn rows(outcome: &Outcome, what: &str, histogram: impl Fn(&Figures) -> &Histogram) -> String {
    let ours = summary(histogram(outcome.of(OURS)));
    let engines = outcome.figures.iter().filter(|figures| histogram(figures).count > 1);
    engines
        .map(|figures| {
            let theirs = summary(histogram(figures));
            let cells = theirs.iter().zip(ours).map(|(&theirs, ours)| read_time_and_ratio(theirs, ours));
            row([what.to_owned(), name(figures.engine)].into_iter().chain(cells))
        })
        .collect()
}

fn head(first: &str) -> String {
    header(first, std::iter::once("engine").chain(COLUMNS).map(str::to_owned))
}

/// Steps of what is due: one call of ours is bounded, so what counts is the longest.
pub fn steps(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "\n## The longest single call of `advance`\n\nOne call does a bounded piece of work. The rivals have no such \
         call of their own; here, each is asked for the smallest piece that it can do: one entry of its queue.\n",
    );
    let mut part = |title: &str, histogram: fn(&Figures) -> &Histogram| {
        text += &format!("\n{title}\n\n{}", head("users"));
        for outcome in outcomes {
            text += &rows(outcome, &whole(outcome.users.into()), histogram);
        }
    };
    part("In the quarter of an hour after 80 % of the sessions have stopped.", |figures| {
        &figures.calls.steps_in_mass_event
    });
    part(
        "Five minutes after as many keep-alives as there are users: nothing is due, but whatever the queue knew is out \
         of date.",
        |figures| &figures.stalls.stale,
    );
    part("All users fade in the same millisecond.", |figures| &figures.stalls.at_once);
    text += "\nSteps for each operation of the traffic: what falls due, and entries that are corrected or dropped.\n\n";
    let operations = |figures: &Figures| figures.calls.kinds.iter().map(|kind| kind.count).sum::<u64>() as f64;
    let steps = |figures: &Figures| (figures.calls.steps.count + figures.calls.steps_in_mass_event.count) as f64;
    text + &table(outcomes, |outcome, figures| {
        let each = |figures: &Figures| steps(figures) / operations(figures);
        format!("{} {}", number(each(figures)), ratio(each(figures), each(outcome.of(OURS))))
    })
}

/// Every kind of call at every size.
pub fn of_all(outcomes: &[Outcome]) -> String {
    let mut text = String::from("\n## Every call of the mixed trace\n");
    for outcome in outcomes {
        let (users, sessions) = (whole(outcome.users.into()), outcome.sessions);
        text += &format!("\n<details><summary>{users} users with {sessions} sessions</summary>\n\n{}", head("call"));
        for kind in Kind::ALL {
            text += &rows(outcome, kind.name(), |figures| &figures.calls.kinds[kind as usize]);
        }
        text += &rows(outcome, "a step of what is due", |figures| &figures.calls.steps);
        text += "\n</details>\n";
    }
    text
}
