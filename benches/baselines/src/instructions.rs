//! The instructions of an operation of the mixed trace, as valgrind counts them: apart from these, only waiting for memory
//! grows with the number of users.

use crate::engine::{Engine, play};
use crate::engines::ours::Ours;
use crate::trace::Trace;
use std::hint::black_box;
use std::process::Command;

/// The argument with which this program plays for valgrind.
pub const PLAY: &str = "--play";

const FEW: u32 = 1000;
const MANY: u32 = 1_000_000;

/// Instructions for each operation with few users and with many.
#[derive(Clone, Copy)]
pub struct Counts {
    pub few: f64,
    pub many: f64,
}

/// Counts ten minutes of the trace; `None` without valgrind.
pub fn count() -> Option<Counts> {
    eprintln!("counting instructions");
    let this = std::env::current_exe().ok()?;
    let counted = |users: u32| {
        let valgrind = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*traffic_for_valgrind*"])
            .arg(&this)
            .args([PLAY, &users.to_string()])
            .output()
            .ok()?;
        let said = String::from_utf8(valgrind.stderr).ok()?;
        let instructions: f64 = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())?;
        let operations: f64 = String::from_utf8(valgrind.stdout).ok()?.trim().parse().ok()?;
        Some(instructions / operations)
    };
    Some(Counts { few: counted(FEW)?, many: counted(MANY)? })
}

/// Plays the trace, and prints the number of operations that were counted.
pub fn play_for_valgrind(users: &str) {
    let users = users.parse().expect("a number of users");
    let trace = Trace::short(users, 3);
    let mut engine = Ours::<3>::for_users(users as usize);
    black_box(play(&mut engine, trace.fill()));
    black_box(traffic_for_valgrind(&mut engine, &trace));
    println!("{}", trace.traffic().len());
}

#[inline(never)]
fn traffic_for_valgrind(engine: &mut Ours<3>, trace: &Trace) -> u64 {
    play(engine, trace.traffic())
}
