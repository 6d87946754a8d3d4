//! Commands and clock readings from a fuzzer's bytes.

use arbitrary::{Result, Unstructured};
use presence_core::{Command, Duration, Instant};
use support::model::random::Clock;

/// Reads a command for one of so many sessions.
pub fn command(bytes: &mut Unstructured<'_>, sessions: u8) -> Result<Command<u8>> {
    Ok(match bytes.arbitrary()? {
        Command::SetPresence { session, presence, lease } => {
            Command::SetPresence { session: session % sessions, presence, lease }
        }
        Command::ClearPresence { session } => Command::ClearPresence { session: session % sessions },
        preferred => preferred,
    })
}

/// Reads a move of the clock: forwards, to a deadline or next to it, and sometimes back, or anywhere.
pub fn clock(bytes: &mut Unstructured<'_>) -> Result<Clock> {
    Ok(match bytes.int_in_range(0..=11)? {
        0..=2 => Clock::Stays,
        3..=5 => Clock::ToDeadline(bytes.int_in_range(-1..=1)?),
        6 => Clock::Ahead(bytes.int_in_range(0..=u8::MAX)?.into()),
        7 | 8 => Clock::Ahead(bytes.arbitrary::<Duration>()?.as_millis()),
        9 | 10 => Clock::Back(bytes.arbitrary::<Duration>()?.as_millis()),
        _ => Clock::To(bytes.arbitrary::<Instant>()?.as_millis()),
    })
}
