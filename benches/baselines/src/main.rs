//! `Directory` against other structures for the same purpose: one trace, the same answers, and then the clock.
//!
//! `cargo bench --manifest-path benches/baselines/Cargo.toml` writes `report.md` and `cost.svg`. Behind `--`, `--quick` checks
//! the answers and plays the two small sizes once, and `--users` with one of the sizes measures that size alone; both only
//! print.

mod clock;
mod counting;
mod engine;
mod engines;
mod histogram;
mod instructions;
mod measure;
mod plot;
mod random;
mod report;
mod run;
mod same;
mod trace;

use run::Outcome;
use std::process::ExitCode;

fn main() -> ExitCode {
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => full(),
        ["--quick"] => quick(),
        ["--users", users] => match users.parse().ok().and_then(size) {
            Some(outcome) => println!("{}", report::write(&[outcome], None, "")),
            None => return usage(),
        },
        [instructions::PLAY, users] => instructions::play_for_valgrind(users),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: cargo bench --manifest-path benches/baselines/Cargo.toml [-- --quick | --users USERS]");
    eprintln!("USERS is one of {USERS:?}");
    ExitCode::FAILURE
}

const USERS: [u32; 4] = [16, 1000, 100_000, 1_000_000];

/// Measures everything at one of the sizes: the fewer users, the more hours and rounds.
fn size(users: u32) -> Option<Outcome> {
    Some(match users {
        16 => run::everything::<4, 16, 32>(users, 1000, 5),
        1000 => run::everything::<3, 1024, 2048>(users, 40, 5),
        100_000 => run::everything::<3, 16, 32>(users, 1, 3),
        1_000_000 => run::everything::<3, 16, 32>(users, 1, 3),
        _ => return None,
    })
}

/// Measures the two small sizes, once, and prints the report.
fn quick() {
    run::check::<4, 16, 32>(16, 200);
    run::check::<3, 1024, 2048>(1000, 5);
    for outcome in [run::mixed::<4, 16, 32>(16, 200, 1), run::mixed::<3, 1024, 2048>(1000, 5, 1)] {
        println!("{}", report::mixed(&outcome));
    }
}

/// Measures everything, and writes the report and the picture.
fn full() {
    // What is changed while it is measured is not measured.
    let provenance = report::provenance();
    run::check::<4, 16, 32>(16, 1000);
    run::check::<3, 1024, 2048>(1000, 20);
    run::check::<3, 16, 32>(100_000, 1);
    let outcomes: Vec<Outcome> = USERS.into_iter().filter_map(size).collect();
    let counts = instructions::count();
    let report = report::write(&outcomes, counts, &provenance);
    println!("{report}");
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::write(here.join("report.md"), report).expect("the report can be written");
    std::fs::write(here.join("cost.svg"), plot::draw(&outcomes)).expect("the plot can be written");
}
