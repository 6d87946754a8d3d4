//! The tables of totals: the mixed trace, operations alone, memory.

use super::text::{header, number, ratio, row, time, time_and_ratio, whole};
use crate::engines::{NAMES, NO_TIMERS, OURS, TOKIO};
use crate::measure::Measurements;
use crate::run::Outcome;
use crate::trace::Kind;

/// Returns each size as the head of a column.
fn sizes(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().map(|outcome| format!("{} × {}", whole(outcome.users.into()), outcome.sessions)).collect()
}

/// Returns a table with a column for each size and a row for each engine; `–` where an engine cannot hold so many users.
pub fn table(outcomes: &[Outcome], cell: impl Fn(&Outcome, &Measurements) -> String) -> String {
    let rows = (0..NAMES.len())
        .map(|engine| {
            let cells = outcomes.iter().map(|outcome| {
                let found = outcome.measurements.iter().find(|measurements| measurements.engine == engine);
                found.map_or("–".to_owned(), |measurements| cell(outcome, measurements))
            });
            row(std::iter::once(name(engine)).chain(cells))
        })
        .collect::<String>();
    header("", sizes(outcomes)) + &rows
}

pub fn name(engine: usize) -> String {
    if engine == OURS { format!("**{}**", NAMES[engine]) } else { NAMES[engine].to_owned() }
}

/// Returns the time for an operation of the mixed trace, less the cost of our way of driving tokio's clock.
pub fn mixed_time(outcome: &Outcome, measurements: &Measurements) -> f64 {
    if measurements.engine == TOKIO { (measurements.mixed - outcome.clock.mixed).max(0.0) } else { measurements.mixed }
}

/// Returns the same for the fill.
fn fill_time(outcome: &Outcome, measurements: &Measurements) -> f64 {
    if measurements.engine == TOKIO { (measurements.fill - outcome.clock.fill).max(0.0) } else { measurements.fill }
}

/// Returns the table of one size, for a quick run.
pub fn mixed(outcome: &Outcome) -> String {
    mixed_of_all(std::slice::from_ref(outcome))
}

pub fn mixed_of_all(outcomes: &[Outcome]) -> String {
    let mut text =
        String::from("\n## The mixed trace\n\nTime for one operation, with all that time does in between.\n\n");
    text += &table(outcomes, |outcome, measurements| {
        time_and_ratio(mixed_time(outcome, measurements), outcome.of(OURS).mixed)
    });
    let floor = outcomes.iter().filter(|outcome| outcome.floor > 0.0);
    let floor: Vec<_> = floor.map(|outcome| time_and_ratio(outcome.floor, outcome.of(OURS).mixed)).collect();
    if !floor.is_empty() {
        text += &row(std::iter::once("7 the floor: one cache line".to_owned()).chain(floor));
    }
    text += "\nFilling it: time for one session set for the first time.\n\n";
    text += &table(outcomes, |outcome, measurements| {
        time_and_ratio(fill_time(outcome, measurements), outcome.of(OURS).fill)
    });
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
    let mut part = |title: &str, value: fn(&Measurements) -> f64, engines: fn(usize) -> bool| {
        text += &format!("\n{title}\n\n");
        text += &table(outcomes, |outcome, measurements| {
            if engines(measurements.engine) {
                time_and_ratio(value(measurements), value(outcome.of(OURS)))
            } else {
                "–".to_owned()
            }
        });
    };
    part(
        "A keep-alive: a random session of a random user is set to what it is set to.",
        |measurements| measurements.single.keep_alive,
        |_| true,
    );
    part("A read of a random user.", |measurements| measurements.single.read, |_| true);
    part(
        "Everything ends: for each session, time is advanced once, when all leases have run out.",
        |measurements| measurements.single.expiry,
        |engine| engine != NO_TIMERS,
    );
    text += "\nWhat these stand against, and sixty-four keep-alives at once.\n\n";
    text += &header("", sizes(outcomes));
    let mut line = |name: &str, cell: &dyn Fn(&Outcome) -> String| {
        text += &row(std::iter::once(name.to_owned()).chain(outcomes.iter().map(cell)));
    };
    line("7 the floor", &|outcome| time(outcome.floor));
    line("our keep-alive, times the floor", &|outcome| number(outcome.of(OURS).single.keep_alive / outcome.floor));
    line("our keep-alives one by one", &|outcome| time(outcome.batch.one_by_one));
    line("our keep-alives, 64 at once", &|outcome| time(outcome.batch.batched));
    line("so many times faster", &|outcome| number(outcome.batch.one_by_one / outcome.batch.batched));
    text
}

/// Returns the table that takes our reads apart.
pub fn reads(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "\n## Reads, taken apart\n\nA bare probe of `hashbrown` for the same id, in a map to values of our record's size, \
         against a read of ours; and against a read by handle, which does not look for the user. Where each read waits for \
         the answer of the one before, what counts is how many misses of the cache follow one another; where the processor \
         may overlap them, how short the code is between one miss and the next.\n\n",
    );
    text += &header("", sizes(outcomes));
    let mut line = |name: &str, cell: &dyn Fn(&Outcome) -> String| {
        text += &row(std::iter::once(name.to_owned()).chain(outcomes.iter().map(cell)));
    };
    line("waiting: a bare probe", &|outcome| time(outcome.reads.probe_waiting));
    let against = |value: f64, probe: f64| format!("{} ({})", time(value), number(value / probe));
    line("our read (times the probe)", &|outcome| against(outcome.reads.waiting, outcome.reads.probe_waiting));
    line("our read by handle", &|outcome| against(outcome.reads.handle_waiting, outcome.reads.probe_waiting));
    line("overlapped: a bare probe", &|outcome| time(outcome.reads.probe_overlapped));
    line("our read", &|outcome| against(outcome.reads.overlapped, outcome.reads.probe_overlapped));
    line("our read by handle", &|outcome| against(outcome.reads.handle_overlapped, outcome.reads.probe_overlapped));
    line("our `read_batch`, 64 at a time", &|outcome| against(outcome.reads.batched, outcome.reads.probe_overlapped));
    text
}

/// Returns the table of where the time of our mixed trace goes.
pub fn parts(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "\n## Where our time goes\n\nThe calls of the mixed trace timed one by one, so that nothing overlaps: the time of all \
         calls of a kind, for each operation of the trace, and in floors, which are waits for memory that nothing can avoid \
         to touch.\n\n",
    );
    text += &header("", sizes(outcomes));
    let operations = |outcome: &Outcome| outcome.of(OURS).calls.kinds.iter().map(|kind| kind.count).sum::<u64>() as f64;
    let shown = |outcome: &Outcome, total: u64| {
        let each = total as f64 / operations(outcome);
        format!("{} ({} floors)", time(each), number(each / outcome.floor))
    };
    let mut all = vec![0; outcomes.len()];
    for kind in Kind::ALL {
        let cells = outcomes.iter().zip(&mut all).map(|(outcome, all)| {
            let total = outcome.of(OURS).calls.kinds[kind as usize].total;
            *all += total;
            shown(outcome, total)
        });
        text += &row(std::iter::once(kind.name().to_owned()).chain(cells.collect::<Vec<_>>()));
    }
    let steps = outcomes.iter().zip(&mut all).map(|(outcome, all)| {
        let calls = &outcome.of(OURS).calls;
        let total = calls.steps.total + calls.steps_in_mass_event.total;
        *all += total;
        shown(outcome, total)
    });
    text += &row(std::iter::once("`advance`".to_owned()).chain(steps.collect::<Vec<_>>()));
    let sums = outcomes.iter().zip(&all).map(|(outcome, &all)| shown(outcome, all));
    text + &row(std::iter::once("together".to_owned()).chain(sums))
}

pub fn memory(outcomes: &[Outcome]) -> String {
    let mut text = String::from("\n## Memory\n\nBytes for each session when every session is there.\n\n");
    let sessions = |outcome: &Outcome| f64::from(outcome.users * outcome.sessions);
    let mut part = |title: &str, value: fn(&Measurements) -> f64, per_session: bool| {
        text += title;
        text += &table(outcomes, |outcome, measurements| {
            let (value, ours) = (value(measurements), value(outcome.of(OURS)));
            let shown = if per_session { value / sessions(outcome) } else { value };
            format!("{} {}", number(shown), ratio(value, ours))
        });
    };
    part("", |measurements| measurements.calls.bytes_filled as f64, true);
    part(
        "\nBytes for each session that there is room for, after the last hour of keep-alives.\n\n",
        |measurements| measurements.calls.bytes_after as f64,
        true,
    );
    part(
        "\nAllocations for each operation of the traffic: ours makes none, so there is no ratio.\n\n",
        |measurements| measurements.calls.allocations,
        false,
    );
    text
}
