//! Follows a presence, of Teams or of other sources, and shows it on a lamp.

use clap::Parser;
use presence_follow::{Options, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    run(&Options::parse())
}
