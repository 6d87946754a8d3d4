//! The tables of totals: the mixed trace, operations alone, memory.

use super::text::{header, number, ratio, row, time, time_and_ratio, whole};
use crate::engines::{NAMES, NO_TIMERS, OURS, TOKIO};
use crate::measure::Figures;
use crate::run::Outcome;
use crate::trace::Kind;

/// Each size as the head of a column.
fn sizes(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().map(|outcome| format!("{} × {}", whole(outcome.users.into()), outcome.sessions)).collect()
}

/// A column for each size and a row for each engine: `–` where an engine cannot hold so many users.
pub fn table(outcomes: &[Outcome], cell: impl Fn(&Outcome, &Figures) -> String) -> String {
    let rows = (0..NAMES.len())
        .map(|engine| {
            let cells = outcomes.iter().map(|outcome| {
                let found = outcome.figures.iter().find(|figures| figures.engine == engine);
                found.map_or("–".to_owned(), |figures| cell(outcome, figures))
            });
            row(std::iter::once(name(engine)).chain(cells))
        })
        .collect::<String>();
    header("", sizes(outcomes)) + &rows
}

pub fn name(engine: usize) -> String {
    if engine == OURS { format!("**{}**", NAMES[engine]) } else { NAMES[engine].to_owned() }
}

/// Time for an operation of the mixed trace, less what only our way of driving tokio's clock costs.
pub fn mixed_time(outcome: &Outcome, figures: &Figures) -> f64 {
    if figures.engine == TOKIO { (figures.mixed - outcome.clock.mixed).max(0.0) } else { figures.mixed }
}

/// The same for the fill.
fn fill_time(outcome: &Outcome, figures: &Figures) -> f64 {
    if figures.engine == TOKIO { (figures.fill - outcome.clock.fill).max(0.0) } else { figures.fill }
}

/// One size, for a quick run.
pub fn mixed(outcome: &Outcome) -> String {
    mixed_of_all(std::slice::from_ref(outcome))
}

pub fn mixed_of_all(outcomes: &[Outcome]) -> String {
    let mut text =
        String::from("\n## The mixed trace\n\nTime for one operation, with all that time does in between.\n\n");
    text += &table(outcomes, |outcome, figures| time_and_ratio(mixed_time(outcome, figures), outcome.of(OURS).mixed));
    let floor = outcomes.iter().filter(|outcome| outcome.floor > 0.0);
    let floor: Vec<_> = floor.map(|outcome| time_and_ratio(outcome.floor, outcome.of(OURS).mixed)).collect();
    if !floor.is_empty() {
        text += &row(std::iter::once("7 the floor: one cache line".to_owned()).chain(floor));
    }
    text += "\nFilling it: time for one session set for the first time.\n\n";
    text += &table(outcomes, |outcome, figures| time_and_ratio(fill_time(outcome, figures), outcome.of(OURS).fill));
    text += "\nWhat the traffic consists of.\n\n";
    text += &header("", sizes(outcomes));
    text += &row(std::iter::once("operations, fill included".to_owned())
        .chain(outcomes.iter().map(|outcome| whole(outcome.operations as u64))));
    for kind in Kind::ALL {
        let shares = outcomes.iter().map(|outcome| format!("{:.1} %", outcome.shares[kind as usize]));
        text += &row(std::iter::once(kind.name().to_owned()).chain(shares));
    }
    text
}

pub fn alone(outcomes: &[Outcome]) -> String {
    let mut text = String::from("\n## Operations alone\n");
    let mut part = |title: &str, value: fn(&Figures) -> f64, engines: fn(usize) -> bool| {
        text += &format!("\n{title}\n\n");
        text += &table(outcomes, |outcome, figures| {
            if engines(figures.engine) {
                time_and_ratio(value(figures), value(outcome.of(OURS)))
            } else {
                "–".to_owned()
            }
        });
    };
    part(
        "A keep-alive: a random session of a random user is set to what it is set to.",
        |figures| figures.single.keep_alive,
        |_| true,
    );
    part("A read of a random user.", |figures| figures.single.read, |_| true);
    part(
        "Everything ends: for each session, time is advanced once, when all leases have run out.",
        |figures| figures.single.expiry,
        |engine| engine != NO_TIMERS,
    );
    text += "\nWhat these stand against, and sixty-four keep-alives at once.\n\n";
    text += &header("", sizes(outcomes));
    let mut line = |name: &str, cell: &dyn Fn(&Outcome) -> String| {
        text += &row(std::iter::once(name.to_owned()).chain(outcomes.iter().map(cell)));
    };
    line("7 the floor", &|outcome| time(outcome.floor));
    line("our keep-alive, times the floor", &|outcome| number(outcome.of(OURS).single.keep_alive / outcome.floor));
    line("a bare probe of `hashbrown`, values of our record's size", &|outcome| time(outcome.probe));
    line("our read, times the bare probe", &|outcome| number(outcome.of(OURS).single.read / outcome.probe));
    line("our keep-alives one by one", &|outcome| time(outcome.batch.one_by_one));
    line("our keep-alives, 64 at once", &|outcome| time(outcome.batch.batched));
    line("so many times faster", &|outcome| number(outcome.batch.one_by_one / outcome.batch.batched));
    text
}

pub fn memory(outcomes: &[Outcome]) -> String {
    let mut text = String::from("\n## Memory\n\nBytes for each session when every session is there.\n\n");
    let sessions = |outcome: &Outcome| f64::from(outcome.users * outcome.sessions);
    let mut part = |title: &str, value: fn(&Figures) -> f64, per_session: bool| {
        text += title;
        text += &table(outcomes, |outcome, figures| {
            let (value, ours) = (value(figures), value(outcome.of(OURS)));
            let shown = if per_session { value / sessions(outcome) } else { value };
            format!("{} {}", number(shown), ratio(value, ours))
        });
    };
    part("", |figures| figures.calls.bytes_filled as f64, true);
    part(
        "\nBytes for each session that there is room for, after the last hour of keep-alives.\n\n",
        |figures| figures.calls.bytes_after as f64,
        true,
    );
    part(
        "\nAllocations for each operation of the traffic: ours makes none, so there is no ratio.\n\n",
        |figures| figures.calls.allocations,
        false,
    );
    text
}
