//! A presence light for a desk, in the terminal.
//!
//! It reads requests, one per line, each an element of a Graph batch, or what a light's serial line takes beside it: a presence
//! alone, or a presence object to mirror. It writes a line for each response. A change of a published presence is a line of its
//! own, before the response to the request that caused it. On a terminal it draws the light instead, with the sessions and the
//! reason. `desk --help` lists the options.

mod clock;
mod desk;
mod input;
mod live;
mod options;
mod output;
mod replay;
mod screen;
mod timeline;

use desk::Desk;
use options::{Options, Source};
use output::Output;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal};
use std::process::ExitCode;

/// The requests of a day, replayed when there is nothing to read.
const DAY: &str = include_str!("../day.jsonl");

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("desk: {message}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the lines has closed the pipe.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("desk: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let mut desk = Desk::new(options.policy, options.me, options.timeline.is_some());
    let mut output = Output::new();
    match &options.source {
        Source::Day => replay::run(DAY.as_bytes(), options.until, &mut desk, &mut output)?,
        Source::Replay(None) => replay::run(io::stdin().lock(), options.until, &mut desk, &mut output)?,
        Source::Replay(Some(path)) => {
            replay::run(BufReader::new(open(path)?), options.until, &mut desk, &mut output)?;
        }
        Source::Live(None) => {
            let count = live::run(BufReader::new(io::stdin()), &mut desk, &mut output)?;
            if count == 0 && !io::stdin().is_terminal() {
                eprintln!("{}", options::NOTHING_TO_READ);
            }
        }
        Source::Live(Some(path)) => {
            live::run(BufReader::new(open(path)?), &mut desk, &mut output)?;
        }
    }
    output.finish()?;
    if let Some(path) = &options.timeline {
        std::fs::write(path, timeline::draw(&desk.history, &desk.names, desk.now))
            .map_err(|error| named(path, &error))?;
    }
    Ok(())
}

fn open(path: &std::path::Path) -> io::Result<File> {
    File::open(path).map_err(|error| named(path, &error))
}

/// Adds the path of the file to an error.
fn named(path: &std::path::Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
