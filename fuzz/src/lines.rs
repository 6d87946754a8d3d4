//! Bytes on a light's serial line: assembled as by the model, and told apart as serde_json reads them. Rules L1, L2, L4.

use crate::wire::json::depth;
use crate::wire::tree::Tree;
use presence_core::graph::{Buffer, Caller, Context, Line, SingleUserStore, json::Value};
use presence_core::lines::{BUTTON_SESSION, Input, LineBuffer, MIRROR_SESSION, OWN_SESSION};
use presence_core::{Command, CommandError, Instant, Policy, Presence, UserId};
use support::model::duration::naive;
use support::model::lines::{Event, lines as expected_lines};

const ME: UserId = UserId::from_bytes([0x11; 16]);
/// The longest line.
const LEN: usize = 300;
/// What applications may hold.
const CALLERS: usize = 2;

type Light = SingleUserStore<{ CALLERS + 3 }>;

/// Sends bytes to a light. A byte that no UTF-8 has begins what is none: `L` for a loss, `R` for a port that is opened anew, or
/// the silence before the next byte in half seconds.
pub fn lines(data: &[u8]) {
    let history = history(data);
    let mut buffer = LineBuffer::<LEN>::new();
    let mut light = Light::new(ME, Policy::DESK);
    let mut received = Vec::new();
    for (at, event) in &history {
        let now = Instant::from_millis(*at);
        match event {
            Event::Loss => buffer.lose(now),
            Event::Reopen => buffer.clear(),
            Event::Byte(byte) => {
                if buffer.push(*byte, now) {
                    received.push(buffer.line().map(<[u8]>::to_vec));
                    if let Some(line) = buffer.line() {
                        assert_eq!(buffer.input(), Input::parse(line));
                        assert_told_apart(line, Input::parse(line));
                    }
                    serve(&mut light, now, buffer.input());
                }
            }
        }
    }
    assert_eq!(received, expected_lines(&history, LEN));
}

fn history(data: &[u8]) -> Vec<(u64, Event)> {
    let (mut at, mut data, mut history) = (0, data.iter(), Vec::new());
    while let Some(byte) = data.next() {
        let event = match byte {
            0xFE => match data.next() {
                Some(b'L') => Event::Loss,
                Some(b'R') => Event::Reopen,
                Some(halves) => {
                    at += u64::from(*halves) * 500;
                    continue;
                }
                None => break,
            },
            byte => Event::Byte(*byte),
        };
        history.push((at, event));
    }
    history
}

/// Checks what a line is, as its text says to somebody else.
fn assert_told_apart(line: &[u8], input: Input<'_>) {
    let text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let shown = String::from_utf8_lossy(text);
    if let Some((presence, duration)) = std::str::from_utf8(text).ok().and_then(short_form) {
        let Input::ShortForm(form) = input else {
            assert!(duration.is_some_and(|duration| naive(duration).is_none()), "{shown} is a short form");
            assert!(matches!(input, Input::Line(Line::Invalid { .. })), "{shown}");
            return;
        };
        assert_eq!(form.presence, presence, "{shown}");
        assert_eq!(form.lease.is_some(), duration.is_some(), "{shown}");
        return;
    }
    assert!(!matches!(input, Input::ShortForm(_)), "{shown} is no short form");
    let Ok(tree) = Tree::parse(text) else { return };
    let has = |name: &str| !matches!(tree.all(name)[..], [] | [Tree::Null]);
    let is_output = has("status") || has("light") || has("from") && has("to");
    let is_object = (has("availability") || has("activity")) && !has("method") && !has("url");
    let is_read = depth(&shown) <= Value::MAX_DEPTH;
    assert_eq!(input == Input::Echo, is_output && is_read, "{shown}");
    let may_be_mirrored = is_object && !is_output && is_read;
    if let Input::Mirror(mirror) = input {
        assert!(may_be_mirrored, "{shown}");
        let name = |name: &str| tree.member(name).and_then(Tree::text).expect("a name").to_owned();
        assert_eq!(mirror.presence, Presence::read(&name("availability"), &name("activity")), "{shown}");
    } else if may_be_mirrored {
        assert!(matches!(input, Input::Line(Line::Invalid { id: Value::NULL, .. })), "{shown}: {input:?}");
    }
}

/// Returns the presence of a text that begins with a name or a pair of section 2, and what follows.
fn short_form(text: &str) -> Option<(Presence, Option<&str>)> {
    let text = text.trim_matches(|letter: char| letter.is_ascii_whitespace());
    let word = text.split(|letter: char| letter.is_ascii_whitespace()).next()?;
    let rest = text[word.len()..].trim_start_matches(|letter: char| letter.is_ascii_whitespace());
    let said = |presence: &Presence| {
        let (availability, activity) = (presence.availability().name(), presence.activity().name());
        word.eq_ignore_ascii_case(activity) || word.eq_ignore_ascii_case(&format!("{availability}/{activity}"))
    };
    let presence = Presence::ALL.into_iter().find(said)?;
    Some((presence, (!rest.is_empty()).then_some(rest)))
}

/// Serves a line, and checks what it did to whom.
fn serve(light: &mut Light, now: Instant, input: Input<'_>) {
    light.user.advance(now, |_| {});
    let before = light.user.clone();
    let context = Context::new(now, Caller::Trusted { me: Some(ME) });
    let mut bytes = vec![0; 20_000];
    let mut response = Buffer::new(&mut bytes);
    input.serve(&context, light, &mut response, &mut |_, _| {}).expect("room");
    let response = String::from_utf8(response.written().to_vec()).expect("UTF-8");
    assert_eq!(response.is_empty(), !input.has_response());
    let is_done = response == r#"{"id":null,"status":200}"#;
    let mut expected = before.clone();
    let done = match input {
        Input::Echo => Ok(()),
        Input::Line(Line::Element(_)) => return assert_room(light),
        Input::Line(_) => Ok(()),
        Input::ShortForm(form) => {
            let lease =
                form.lease.map(|lease| lease.within(Policy::DESK.leases).ok_or(CommandError::Lease)).transpose();
            let session = OWN_SESSION;
            match (form.presence, lease) {
                (Presence::Offline, _) => expected.execute(now, Command::ClearPresence { session }, |_| {}),
                (_, Err(error)) => Err(error),
                (presence, Ok(lease)) => {
                    expected.execute(now, Command::SetPresence { session, presence, lease }, |_| {})
                }
            }
        }
        Input::Mirror(mirror) => {
            let lease = mirror.lease.map(|lease| lease.within(Policy::MIRROR.leases).ok_or(CommandError::Lease));
            match lease.transpose() {
                Err(error) => Err(error),
                Ok(lease) => match Command::mirror(MIRROR_SESSION, mirror.presence, lease) {
                    None => Ok(()),
                    Some(command) => match expected.execute_under(now, command, &Policy::MIRROR, |_| {}) {
                        Err(CommandError::NotFound) => Ok(()),
                        result => result,
                    },
                },
            }
        }
    };
    assert_eq!(done.is_ok() && matches!(input, Input::ShortForm(_) | Input::Mirror(_)), is_done, "{response}");
    assert!(is_done || response.is_empty() || response.starts_with(r#"{"id":"#), "{response}");
    assert_eq!(light.user, expected, "{input:?}");
    // What it said is known when it comes back.
    assert!(response.is_empty() || Input::parse(response.as_bytes()) == Input::Echo, "{response}");
    assert_room(light);
}

/// Checks that there is room for the light's own sessions.
fn assert_room(light: &Light) {
    let own = [OWN_SESSION, MIRROR_SESSION, BUTTON_SESSION];
    let callers = light.user.user().sessions().iter().filter(|session| !own.contains(&session.id())).count();
    assert!(callers <= CALLERS, "{callers} sessions of callers");
}
