//! Requests on a virtual clock.

use crate::desk::Desk;
use crate::input::{next_line, seconds};
use crate::output::Output;
use presence_core::Instant;
use presence_core::graph::{Error, Field, Line, json::Value};
use std::io::{self, BufRead};

pub(crate) fn run(
    mut input: impl BufRead,
    until: Option<Instant>,
    desk: &mut Desk,
    output: &mut Output,
) -> io::Result<()> {
    let mut line = Vec::new();
    while next_line(&mut input, &mut line)? {
        match moment(&line, desk.now) {
            Ok(at) => {
                output.let_pass(at, desk)?;
                desk.answer(&line, output)?;
            }
            Err(refusal) => desk.refuse(&line, refusal, output)?,
        }
        output.show(desk)?;
    }
    match until {
        Some(until) if until > desk.now => output.let_pass(until, desk),
        _ => Ok(()),
    }
}

/// When a line was sent: as it says, or with the one before.
fn moment(line: &[u8], now: Instant) -> Result<Instant, Error> {
    if line.len() > Line::MAX_LEN {
        return Ok(now);
    }
    let Ok(value) = Value::parse(line) else { return Ok(now) };
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
