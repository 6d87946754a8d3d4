//! Standard input as a source: the short forms of a lamp's serial line ([L4](presence_core::rules#l4)), and presence objects.

use super::{News, Reporter, Source};
use clap::Args;
use presence_core::client::Link;
use presence_core::graph::Line;
use presence_core::lines::{Input, LineBuffer};
use presence_core::{Command, Duration, Instant, Presence};
use std::io::Read;

/// The lease of a line that gives none.
const LEASE: Duration = Duration::from_mins(5);
/// The longest line: as on a lamp.
const LINE: usize = 1024;

/// Options of standard input
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Standard input")]
pub struct StdinOptions {
    /// Show what lines of standard input say
    ///
    /// A line is a presence and for how long, 5 minutes if it does not say: `InACall`, `Busy PT1H`, `Offline` for none; or a
    /// presence object of Graph's. At the end of the input the last one runs on.
    #[arg(long)]
    pub stdin: bool,
}

/// Follows lines until they end.
///
/// If nobody waits for the first line (`--once` does), there is nothing to wait for: a silent input is not out of order.
pub fn run(reporter: &Reporter, mut input: impl Read, waits: bool) {
    let mut lines = Lines::default();
    let mut is_silent = true;
    if !waits {
        reporter.send(News::Link(Link::Ok));
    }
    let mut bytes = [0; 4096];
    loop {
        let (read, end) = match input.read(&mut bytes) {
            // The last line may lack its end.
            Ok(0) => (&b"\n"[..], true),
            Ok(len) => (bytes.get(..len).unwrap_or_default(), false),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                reporter.console.say(&format!("Standard input cannot be read: {error}."));
                (&b"\n"[..], true)
            }
        };
        for byte in read {
            match lines.push(*byte, reporter.clock.now()) {
                Some(Ok(news)) => {
                    reporter.send(news);
                    is_silent = false;
                }
                Some(Err(fault)) => {
                    reporter.console.say(&format!("A line of standard input is not understood: {fault}."))
                }
                None => {}
            }
        }
        if waits && (end || !is_silent) {
            reporter.send(News::Link(Link::Ok));
        }
        if end {
            return;
        }
    }
}

/// Lines, assembled of bytes.
#[derive(Default)]
struct Lines(LineBuffer<LINE>);

impl Lines {
    /// Takes a byte. Returns what a line says that ends with it, or what is wrong with it.
    fn push(&mut self, byte: u8, now: Instant) -> Option<Result<News, String>> {
        if self.0.push(byte, now) { understand(self.0.input()) } else { None }
    }
}

/// Returns what a line says; `None` if it says nothing.
fn understand(input: Input<'_>) -> Option<Result<News, String>> {
    let policy = Source::Stdin.policy();
    let command = match input {
        Input::ShortForm(form) => form.command(Source::Stdin, policy).map(|command| (command, false)),
        Input::Mirror(object) => {
            let lease = object.lease.map(|lease| lease.within(policy.leases));
            if lease == Some(None) {
                return Some(Err("its duration is out of range".to_owned()));
            }
            let command = Command::mirror(Source::Stdin, object.presence, lease.flatten())?;
            Ok((command, object.is_out_of_office))
        }
        Input::Echo | Input::Line(Line::Blank) => return None,
        Input::Line(Line::Invalid { error, .. }) => Err(error),
        Input::Line(_) => return Some(Err("it is a request; write a presence, such as InACall PT1H".to_owned())),
    };
    Some(command.map(|(command, is_out_of_office)| news(command, is_out_of_office)).map_err(|error| error.to_string()))
}

fn news(command: Command<Source>, is_out_of_office: bool) -> News {
    match command {
        Command::SetPresence { presence, lease, .. } if presence != Presence::Offline => {
            News::Presence { presence, lease: lease.unwrap_or(LEASE), is_out_of_office }
        }
        _ => News::Ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &[u8]) -> Vec<Result<News, String>> {
        let mut lines = Lines::default();
        text.iter().filter_map(|byte| lines.push(*byte, Instant::ZERO)).collect()
    }

    fn presence(presence: Presence, lease: Duration) -> Result<News, String> {
        Ok(News::Presence { presence, lease, is_out_of_office: false })
    }

    #[test]
    fn l4_short_forms_and_objects_are_presences() {
        let text = b"\xef\xbb\xbfInACall\r\nbusy/busy PT1H\n\n   \nOffline\noffwork\rAvailable P1D\n";
        let all = [
            presence(Presence::InACall, Duration::from_mins(5)),
            presence(Presence::Busy, Duration::from_hours(1)),
            Ok(News::Ended),
            presence(Presence::OffWork, Duration::from_mins(5)),
            presence(Presence::Available, Duration::from_hours(24)),
        ];
        assert_eq!(said(text), all);
        let object = br#"{"availability":"Busy","activity":"InAMeeting","outOfOfficeSettings":{"isOutOfOffice":true}}"#;
        let lease = Duration::from_mins(5);
        let meeting = News::Presence { presence: Presence::InAMeeting, lease, is_out_of_office: true };
        assert_eq!(said(&[&object[..], b"\n"].concat()), [Ok(meeting)]);
        assert_eq!(said(b"{\"availability\":\"Offline\",\"activity\":\"Offline\"}\n"), [Ok(News::Ended)]);
        // Nobody knows: the last one runs on.
        assert_eq!(said(b"{\"availability\":\"PresenceUnknown\",\"activity\":\"PresenceUnknown\"}\n"), []);
    }

    /// A script may end without a newline, and the pieces that it writes end anywhere.
    #[test]
    fn l4_the_last_line_needs_no_end() {
        let text = b"Busy\nInACall PT1H";
        for cut in 0..=text.len() {
            let (first, rest) = text.split_at(cut);
            let ends = crate::testing::Ends::of(Source::Stdin, crate::Clock::stopped());
            run(&ends.reporter, first.chain(rest), false);
            let said = [
                News::Link(Link::Ok),
                presence(Presence::Busy, Duration::from_mins(5)).unwrap(),
                presence(Presence::InACall, Duration::from_hours(1)).unwrap(),
            ];
            assert_eq!(ends.all(), said, "{cut}");
        }
    }

    #[test]
    fn l2_what_a_lamp_says_itself_says_nothing() {
        assert_eq!(said(b"{\"id\":null,\"status\":200}\n{\"from\":\"a\",\"to\":\"b\"}\n"), []);
    }

    #[test]
    fn what_is_not_understood_is_told_and_changes_nothing() {
        let long = [b'x'; 2000];
        for line in [&b"Lunch"[..], b"Away/InACall", b"Busy tomorrow", b"Busy P2D", b"Busy PT0S", b"{", b"{}", &long] {
            let said = said(&[line, b"\n"].concat());
            assert!(matches!(said[..], [Err(_)]), "{}: {said:?}", String::from_utf8_lossy(line));
        }
        let object = b"{\"availability\":\"Busy\",\"activity\":\"Busy\",\"expirationDuration\":\"P2D\"}\n";
        assert!(matches!(said(object)[..], [Err(_)]));
    }
}
