//! The report, as Markdown.

mod budgets;
mod calls;
mod tables;
mod text;

use crate::instructions::Counts;
use crate::run::Outcome;

pub use tables::{mixed, mixed_time};
pub use text::{short_time, whole};

const HEAD: &str = "\
# The directory against its baselines

Written by `cargo bench --manifest-path benches/baselines/Cargo.toml`; not by hand. The absolute times are those of one
machine, so the ratios count: each number is followed by **(how many times ours)**. The numbers of a column come from the
same run.

![Time for one operation of the mixed trace against the number of users](cost.svg)

";

/// Returns the commit and a digest of the code that is measured, and between marks what `.ci/tables` makes of them.
pub fn provenance() -> String {
    let measured = |arguments: &[&str]| {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.ci/measured");
        let output = std::process::Command::new(program).args(arguments).output().expect("Python is there");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    let stamp = measured(&["stamp", "baselines"]);
    let sentence = measured(&["sentence", "baselines", &stamp]);
    format!(
        "<!-- stamp: {stamp} -->\n<!-- measured: written by .ci/tables -->\n\n{sentence}\n\n<!-- end of measured -->\n\n"
    )
}

const RULES: &str = "
## How it is measured

Before anything is timed, all engines play the trace at the three smaller sizes, and every answer, and every change of every
user, must be the same and have the same time. Baseline 6 reports no changes, so only its answers are compared.

- One seeded trace in virtual time. Its first five minutes fill the engine; then every application keeps its lease of PT5M
  to PT1H alive at about two thirds of it, changes its mind, clears its session and sets it again, or crashes; a read comes
  with every ninth of these. In every hour, 80 % of the sessions stop at one instant, and come back within one minute
  a quarter of an hour later. Before each operation the engine is asked for whatever is due at its moment, so the time of an
  operation of the mixed trace includes the fades and ends that fall between two operations.
- The mixed trace is the fastest of several rounds, in which the engines take turns. Long stretches are counted in time on
  the processor, where the operating system tells it, short ones by the clock on the wall. Single calls are timed one by
  one in a pass of their own, less the cost of reading the clock, and less the time for which another process had the
  processor, where the operating system tells it; there, nothing overlaps.
- Bytes are what was asked of the allocator, without its own overhead, which baselines 1 and 2 would have to add for every
  user. Allocations are counted in the traffic, after the fill.

The baselines leave out the version, `since` and reason of an absence of each user, changes since a cursor, handles,
checks against the policy, and a bound on their memory. Baselines 3 to 6 are made for leases of less than 49
days. Besides:

1. `std::collections::HashMap` of users, each with a `HashMap` of sessions, and a `BinaryHeap` to which every set adds a
   deadline; old ones are dropped when they come up.
2. The same with a `BTreeSet`, from which old deadlines are taken out.
3. `hashbrown` with sessions inline in 32 bytes each, fades worked out from a session's age, the published presence
   remembered beside the key, and a `BinaryHeap` with one entry a user that is corrected when it comes up. It is lazy: it
   may wake its caller for nothing, and users who change at one instant do so in an order that means nothing.
4. The same, with `tokio_util::time::DelayQueue`: one entry a user, reset when the user's next deadline moves. Its clock is
   tokio's, paused, and moved to the moment of each operation, for which a server under a real clock does not pay. What
   that costs alone is measured and taken off the mixed trace and the fill, but not off single steps. It is most of the
   time at the small sizes, so there the number is rough.
5. `heapless::FnvIndexMap` and `heapless::BinaryHeap`, otherwise as 3; at the sizes that a type can have.
6. `hashbrown` and no timers: status by age at read. It does not fade, expire or report anything, and never evicts a user.
7. The floor: a random read-modify-write of a cache line in as many bytes as our directory holds, each address made from
   the value just read, so that no two overlap. Operations on a directory do not depend on one another, and the processor
   overlaps them where they are short enough: they may cost less than the floor.
";

/// Writes the whole report.
pub fn write(outcomes: &[Outcome], counts: Option<Counts>, provenance: &str) -> String {
    let mut report = String::from(HEAD);
    report += provenance;
    report += &budgets::table(outcomes, counts);
    report += &tables::mixed_of_all(outcomes);
    report += &tables::alone(outcomes);
    report += &tables::reads(outcomes);
    report += &tables::parts(outcomes);
    report += &tables::memory(outcomes);
    report += &calls::steps(outcomes);
    report += &calls::of_all(outcomes);
    report += RULES;
    report
}
