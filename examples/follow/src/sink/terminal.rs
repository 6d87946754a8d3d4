//! The light in a terminal: a dot in the lamp's colour and pattern, and words beside it; lines for a program.

use super::Inbox;
use crate::hub::{State, trouble};
use crate::slot::Wake;
use presence_core::client::Link;
use presence_core::indicator::{Animation, Appearance, Palette, Rgb};
use presence_core::{Absence, Instant, Presence};
use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;

const PALETTE: Palette = Palette::DEFAULT;
/// The longest sleep when nothing moves.
const NAP: Duration = Duration::from_secs(60);
/// The shortest time between two pictures.
const FRAME: Duration = Duration::from_millis(50);

/// Shows states until there are no more.
pub(crate) fn run(inbox: &Inbox) {
    if stdout().is_terminal() && inbox.console.is_terminal() {
        shine(inbox);
    } else {
        print(inbox);
    }
}

/// Prints a line for each change, for a program.
fn print(inbox: &Inbox) {
    let mut last = String::new();
    loop {
        match inbox.states.take(NAP) {
            Wake::New(state) => {
                let line = state.to_json();
                if last != line {
                    // Whoever has read may be gone.
                    let _ = writeln!(stdout().lock(), "{line}");
                    last = line;
                }
            }
            Wake::Timeout => {}
            Wake::Closed => return,
        }
    }
}

/// Shows the light.
fn shine(inbox: &Inbox) {
    let (mut light, mut shown) = (Animation::new(), None);
    loop {
        let now = inbox.clock.now();
        let nap = match &shown {
            Some(_) => light.next_frame(now).map_or(NAP, |frame| inbox.clock.until(frame).max(FRAME)),
            None => NAP,
        };
        match inbox.states.take(nap) {
            Wake::New(state) => shown = Some(state),
            Wake::Timeout => {}
            Wake::Closed => break,
        }
        if let Some(state) = &shown {
            let now = inbox.clock.now();
            light.show(now, appearance(state));
            inbox.console.status(picture(&light, now, state));
        }
    }
    inbox.console.status(String::new());
}

/// Returns the look of a state: of the link, if it needs a person or nothing is known, as on a lamp; else of the presence.
fn appearance(state: &State) -> Appearance {
    let has_no_news = state.absence.is_some_and(Absence::is_stale);
    match state.link() {
        Link::SignIn => PALETTE.link_sign_in,
        Link::Down if has_no_news => PALETTE.link_offline,
        _ if state.is_out_of_office && !has_no_news => PALETTE.appearance_out_of_office(state.presence),
        _ => PALETTE.appearance(state.presence, state.absence),
    }
}

/// Returns the line that shows a light.
fn picture(light: &Animation, now: Instant, state: &State) -> String {
    let [red, green, blue] = exposed(light.frame(now)).to_bytes();
    format!("\x1b[38;2;{red};{green};{blue}m●\x1b[0m {}", words(state))
}

/// Returns a light as it is seen on a screen: a dim one brighter, with the same hue, and a dark one as a lamp that is off.
fn exposed(light: Rgb) -> Rgb {
    let brightest = u32::from(light.to_bytes().into_iter().max().unwrap_or(0));
    if brightest == 0 {
        return Rgb::new(50, 50, 50);
    }
    let target = (brightest * 255).isqrt();
    let part = |part: u8| u8::try_from(u32::from(part) * target / brightest).unwrap_or(u8::MAX);
    Rgb::new(part(light.red), part(light.green), part(light.blue))
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
        if let Some(trouble) = trouble(*link) {
            words += &format!(" – {}: {trouble}", source.name());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Hub;
    use crate::source::{News, Source, Update};
    use presence_core::Duration;

    const NOW: Instant = Instant::ZERO;

    fn told(news: &[News]) -> State {
        let mut hub = Hub::new([Source::Graph]);
        for &news in news {
            hub.take(NOW, Update { source: Source::Graph, news }).unwrap();
        }
        hub.state()
    }

    fn says(presence: Presence, is_out_of_office: bool) -> News {
        News::Presence { presence, lease: Duration::from_secs(90), is_out_of_office }
    }

    #[test]
    fn the_light_is_that_of_a_lamp() {
        let ok = News::Link(Link::Ok);
        let shown = |news: &[News]| (appearance(&told(news)), words(&told(news)));
        let busy = says(Presence::Busy, false);
        assert_eq!(shown(&[]), (PALETTE.no_news, "no news – graph: no answer yet".into()));
        assert_eq!(shown(&[busy, ok]), (PALETTE.busy, "Busy/Busy (graph)".into()));
        assert_eq!(shown(&[News::Ended, ok]), (PALETTE.offline, "gone".into()));
        let away = says(Presence::Away, true);
        assert_eq!(shown(&[away, ok]), (PALETTE.out_of_office, "Away/Away, out of office (graph)".into()));
        // A presence that is known stays, unless a person is needed.
        let down = News::Link(Link::Down);
        assert_eq!(shown(&[busy, down]), (PALETTE.busy, "Busy/Busy (graph) – graph: no connection".into()));
        assert_eq!(shown(&[down]), (PALETTE.link_offline, "no news – graph: no connection".into()));
        let sign_in = News::Link(Link::SignIn);
        assert_eq!(shown(&[busy, sign_in]), (PALETTE.link_sign_in, "Busy/Busy (graph) – graph: sign-in needed".into()));
    }

    #[test]
    fn a_picture_has_the_lamps_hue_and_a_dark_lamp_is_seen() {
        let mut light = Animation::new();
        light.show(NOW, PALETTE.busy);
        let [red, green, blue] = exposed(light.frame(NOW)).to_bytes();
        assert!(red > 100 && green < red / 3 && blue < red / 3);
        assert!(picture(&light, NOW, &told(&[])).starts_with(&format!("\x1b[38;2;{red};{green};{blue}m●")));
        assert_eq!(exposed(Rgb::BLACK), Rgb::new(50, 50, 50));
        assert_eq!(exposed(Rgb::new(255, 0, 255)), Rgb::new(255, 0, 255));
    }
}
