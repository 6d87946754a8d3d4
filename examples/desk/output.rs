//! The output: lines, or, on a terminal, the screen with the light.

use crate::desk::{Desk, DeskUser};
use crate::options::OWNER;
use crate::screen::{Screen, View};
use presence_core::{Duration, Instant};
use std::collections::VecDeque;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write, stdout};
use std::thread::sleep;

/// The time between two pictures on the screen.
const FRAME: core::time::Duration = core::time::Duration::from_millis(50);
/// The speed of a replay on the screen: an hour in four seconds.
const SPEED: u32 = 900;
/// The longest time until the next line of a replay.
const LONGEST_WAIT: core::time::Duration = core::time::Duration::from_millis(1500);
/// The number of lines that the screen remembers.
const RECENT: usize = 8;

pub(crate) enum Output {
    Lines(BufWriter<Stdout>),
    Screen { screen: Screen, recent: VecDeque<String> },
}

impl Output {
    pub(crate) fn new() -> Self {
        if stdout().is_terminal() {
            Self::Screen { screen: Screen::new(), recent: VecDeque::new() }
        } else {
            Self::Lines(BufWriter::new(stdout()))
        }
    }

    /// Prints a line.
    pub(crate) fn line(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Lines(lines) => {
                lines.write_all(line)?;
                lines.write_all(b"\n")
            }
            Self::Screen { recent, .. } => {
                if recent.len() == RECENT {
                    recent.pop_front();
                }
                recent.push_back(String::from_utf8_lossy(line).into_owned());
                Ok(())
            }
        }
    }

    /// Advances a replay to an instant: at once, or, on the screen, slowly enough to watch.
    pub(crate) fn advance(&mut self, until: Instant, desk: &mut Desk) -> io::Result<()> {
        if let Self::Screen { .. } = self {
            let gap = core::time::Duration::from(until.saturating_duration_since(desk.now));
            let frames = (gap / SPEED).min(LONGEST_WAIT).as_millis() / FRAME.as_millis();
            let step = Duration::from(gap.checked_div(u32::try_from(frames).unwrap_or(1)).unwrap_or_default());
            for _ in 1..frames {
                let now = desk.now.saturating_add(step).min(until);
                desk.advance(now, self)?;
                self.show(desk)?;
                sleep(FRAME);
            }
        }
        desk.advance(until, self)
    }

    /// Returns the time until the screen has to be drawn again.
    pub(crate) fn next_frame(&self) -> Option<core::time::Duration> {
        matches!(self, Self::Screen { .. }).then_some(FRAME)
    }

    /// Draws the screen.
    pub(crate) fn show(&mut self, desk: &Desk) -> io::Result<()> {
        let Self::Screen { screen, recent } = self else { return Ok(()) };
        let unknown = DeskUser::new();
        let user = desk.visible_user.unwrap_or(OWNER);
        screen.draw(&View {
            now: desk.now,
            user,
            state: desk.directory.get(user).unwrap_or(&unknown),
            policy: desk.directory.policy(),
            names: &desk.names,
            recent: recent.make_contiguous(),
            others: desk.directory.len().saturating_sub(1),
        })
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Lines(lines) => lines.flush(),
            Self::Screen { .. } => Ok(()),
        }
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Lines(mut lines) => lines.flush(),
            Self::Screen { .. } => Ok(()),
        }
    }
}
