//! Serving requests on a virtual clock.

use crate::desk::Desk;
use crate::input::{DeskLine, Lines, seconds};
use crate::output::Output;
use presence_core::Instant;
use presence_core::graph::{Error, Field, json::Value};
use std::io::{self, BufRead};

pub(crate) fn run(input: impl BufRead, until: Option<Instant>, desk: &mut Desk, output: &mut Output) -> io::Result<()> {
    // A file is never silent.
    let mut lines = Lines::new(input, || Instant::ZERO);
    while let Some(line) = lines.next()? {
        // The moment of an event that comes back is none of a request.
        if !line.input().has_response() {
            continue;
        }
        match moment(line, desk.now) {
            Ok(at) => {
                output.advance(at, desk)?;
                desk.serve(line, output)?;
            }
            Err(error) => desk.reject(line, error, output)?,
        }
        output.show(desk)?;
    }
    match until {
        Some(until) if until > desk.now => output.advance(until, desk),
        _ => Ok(()),
    }
}

/// Returns the instant at which a line was sent: its member `at`, or that of the line before.
fn moment(line: &DeskLine, now: Instant) -> Result<Instant, Error> {
    let Some(text) = line.line() else { return Ok(now) };
    let Ok(value) = Value::parse(text) else { return Ok(now) };
    let mut moments = value.members().filter(|(name, _)| *name == "\"at\"").map(|(_, at)| at);
    match (moments.next(), moments.next()) {
        (None, _) => Ok(now),
        (Some(_), Some(_)) => Err(Error::Duplicate(Field::At)),
        (Some(at), None) => match seconds(at.as_str()) {
            None => Err(Error::Malformed(Field::At)),
            Some(at) if at < now => Err(Error::OutOfOrder),
            Some(at) => Ok(at),
        },
    }
}
