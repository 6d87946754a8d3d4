//! The light in a terminal: a dot in the lamp's colour and pattern, and words beside it; lines for a program.

use super::Inbox;
use crate::hub::State;
use crate::slot::Wake;
use presence_core::indicator::{Appearance, Palette, Rgb};
use presence_core::{Absence, Presence};
use std::io::{IsTerminal, Write, stdout};
use std::time::{Duration, Instant};

/// The longest sleep when nothing moves.
const NAP: Duration = Duration::from_secs(60);
/// The shortest time between two pictures.
const FRAME: Duration = Duration::from_millis(50);

/// Shows states until there are no more.
pub(crate) fn run(inbox: &Inbox) {
    let is_light = stdout().is_terminal() && inbox.console.is_terminal();
    let mut light = Light::default();
    loop {
        let nap = light.next_frame().filter(|_| is_light).unwrap_or(NAP);
        match inbox.states.take(nap) {
            Wake::New(state) if is_light => light.show(state),
            Wake::New(state) => print(&mut light, &state),
            Wake::Timeout => {}
            Wake::Closed => break,
        }
        if is_light {
            inbox.console.status(light.picture());
        }
    }
    if is_light {
        inbox.console.status(String::new());
    }
}

/// Prints a line for a program, if it is another than the last.
fn print(light: &mut Light, state: &State) {
    let line = state.to_json();
    if light.line != line {
        // Whoever has read may be gone.
        let _ = writeln!(stdout().lock(), "{line}");
        light.line = line;
    }
}

/// The light.
#[derive(Default)]
struct Light {
    state: Option<State>,
    appearance: Option<(Appearance, Instant)>,
    line: String,
}

impl Light {
    fn show(&mut self, state: State) {
        let appearance = Palette::DEFAULT.appearance(state.presence, state.absence);
        if self.appearance.is_none_or(|(before, _)| before != appearance) {
            self.appearance = Some((appearance, Instant::now()));
        }
        self.state = Some(state);
    }

    /// Returns the time until the light looks different.
    fn next_frame(&self) -> Option<Duration> {
        let (appearance, began) = self.appearance?;
        let next = appearance.next_frame_in(elapsed(began))?;
        Some(Duration::from_millis(next.into()).max(FRAME))
    }

    fn picture(&self) -> String {
        let (Some(state), Some((appearance, began))) = (&self.state, self.appearance) else { return String::new() };
        let [red, green, blue] = lit(appearance.frame_at(elapsed(began))).to_bytes();
        format!("\x1b[38;2;{red};{green};{blue}m●\x1b[0m {}", words(state))
    }
}

/// Returns the milliseconds since a moment. They may wrap, as on a board.
fn elapsed(began: Instant) -> u32 {
    began.elapsed().as_millis() as u32
}

/// Returns a colour that is seen on a screen, which is never dark enough to hide a lamp that is off.
fn lit(light: Rgb) -> Rgb {
    let [red, green, blue] = light.to_bytes().map(|part| part.max(40));
    Rgb::new(red, green, blue)
}

/// Returns the words beside the light.
fn words(state: &State) -> String {
    let mut words = match (state.presence, state.absence) {
        (Presence::Offline, Some(Absence::Cleared)) => "gone".to_string(),
        (Presence::Offline, _) => "no news".to_string(),
        (presence, _) => presence.to_string(),
    };
    if state.is_out_of_office {
        words += ", out of office";
    }
    if let Some(source) = state.because {
        words += &format!(" ({})", source.name());
    }
    for (source, link) in &state.links {
        if let Some(trouble) = crate::hub::trouble(*link) {
            words += &format!(" – {}: {trouble}", source.name());
        }
    }
    words
}
