//! The conversation with a lamp, without its line and with time as an argument: what to send next, and what an answer or silence
//! means.

use super::answer::{Answer, Heard};
use super::line::Lines;
use super::says::{LEASE, Says};
use crate::sink::pause;
use presence_core::client::Link;
use presence_core::{Duration, Instant, keep_alive_interval};

/// The time to wait for an answer: longer than the silence after which a lamp forgets half a line (rule L1).
const PATIENCE: Duration = Duration::from_secs(3);
/// The answers that may be missing before the line is opened anew.
const SILENCES: u8 = 3;
/// The first pause after an error.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause after errors.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The next thing to do for a conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send this now.
    Send(String),
    /// Send nothing until this moment, or until something happens.
    Wait(Instant),
    /// Close the line, and open it anew: nobody answers.
    Reopen,
}

/// Something to tell the person.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// A lamp answers, and may say what it is.
    Answers(Option<String>),
    /// The lamp has rejected what it was told, for this reason.
    Rejects(String),
    /// The lamp does again what it is told.
    Accepts,
}

/// A line that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// A question to which every version of the firmware has an answer, under a name of its own: what came before it is over.
    Greeting,
    Presence(Says),
    /// What the lamp was told no longer holds, and nothing is known in its place.
    End(Says),
    Link(Link),
}

/// What a lamp was told, and has confirmed.
#[derive(Clone, Copy, Debug)]
struct Told<T> {
    what: Option<T>,
    /// The moment at which it is told again.
    again: Instant,
}

impl<T: Copy + PartialEq> Told<T> {
    const NOTHING: Self = Self { what: None, again: Instant::NEVER };

    /// Returns when to tell it; `None` if there is nothing to tell.
    fn due(&self, wanted: Option<T>, now: Instant) -> Option<Instant> {
        wanted.map(|wanted| if self.what == Some(wanted) { self.again } else { now })
    }
}

/// A conversation with a lamp, from the moment at which its line was opened.
///
/// One line at a time: the next one is sent when the last was answered.
#[derive(Debug)]
pub(super) struct Conversation {
    /// The number of the opening, so that answers of an earlier one are told apart.
    number: u32,
    lines: Lines,
    says: Option<Says>,
    link: Option<Link>,
    waiting: Option<(Sent, Instant)>,
    has_greeted: bool,
    silences: u8,
    presence: Told<Says>,
    told_link: Told<Link>,
    /// False for a lamp whose firmware shows no link.
    knows_links: bool,
    errors: u32,
    /// Nothing is sent before this moment, after errors.
    not_before: Instant,
    notices: Vec<Notice>,
}

impl Conversation {
    /// Begins a conversation on a line that was just opened.
    pub(super) const fn new(number: u32) -> Self {
        Self {
            number,
            lines: Lines::new(),
            says: None,
            link: None,
            waiting: None,
            has_greeted: false,
            silences: 0,
            presence: Told::NOTHING,
            told_link: Told::NOTHING,
            knows_links: true,
            errors: 0,
            not_before: Instant::ZERO,
            notices: Vec::new(),
        }
    }

    /// Sets what the lamp is to show: a presence, or none, so that its lease runs out; and the state of the link.
    pub(super) const fn show(&mut self, says: Option<Says>, link: Option<Link>) {
        (self.says, self.link) = (says, link);
    }

    /// Returns what to do at `now`.
    pub(super) fn next(&mut self, now: Instant) -> Step {
        if let Some((sent, until)) = self.waiting {
            if !until.is_due(now) {
                return Step::Wait(until);
            }
            self.waiting = None;
            self.silences += 1;
            if self.silences >= SILENCES {
                return Step::Reopen;
            }
            // The line may have lost its end. What was said before it is asked again, too.
            if sent != Sent::Greeting {
                self.has_greeted = false;
            }
        }
        if !self.not_before.is_due(now) {
            return Step::Wait(self.not_before);
        }
        if !self.has_greeted {
            // The newline ends what another program, or an earlier opening, has left there.
            return self.send(now, Sent::Greeting, format!("\n{}\n", greeting(self.number)));
        }
        if let (None, Some(says)) = (self.says, self.presence.what) {
            return self.send(now, Sent::End(says), format!("{}\n", says.last_line()));
        }
        let presence = self.presence.due(self.says, now);
        let link = self.told_link.due(self.link.filter(|_| self.knows_links), now);
        match (self.says, self.link) {
            (Some(says), _) if presence.is_some_and(|due| due.is_due(now)) => {
                self.send(now, Sent::Presence(says), format!("{}\n", says.line()))
            }
            (_, Some(link_now)) if link.is_some_and(|due| due.is_due(now)) => {
                self.send(now, Sent::Link(link_now), format!("{}\n", link_line(link_now)))
            }
            _ => Step::Wait(presence.into_iter().chain(link).min().unwrap_or(Instant::NEVER)),
        }
    }

    fn send(&mut self, now: Instant, sent: Sent, line: String) -> Step {
        self.waiting = Some((sent, now.saturating_add(PATIENCE)));
        Step::Send(line)
    }

    /// Takes bytes of the lamp; `hear` is shown each line.
    pub(super) fn received(&mut self, now: Instant, bytes: &[u8], mut hear: impl FnMut(&[u8])) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.push(bytes, |line| {
            hear(line);
            if let Heard::Answer(answer) = Heard::read(line) {
                self.answered(now, &answer);
            }
        });
        self.lines = lines;
    }

    fn answered(&mut self, now: Instant, answer: &Answer) {
        let Some((sent, _)) = self.waiting.filter(|(sent, _)| answer.id == self.id(sent)) else { return };
        self.waiting = None;
        self.silences = 0;
        match sent {
            Sent::Greeting => {
                self.has_greeted = true;
                self.notices.push(Notice::Answers(answer.device()));
            }
            // An older firmware, which shows no link.
            Sent::Link(_) if answer.status == 404 => self.knows_links = false,
            // Nothing is there to end.
            Sent::Presence(says) if answer.is_success() || (answer.status == 404 && says.is_gone()) => {
                self.accepted();
                // Also what has no lease: a lamp that was reset does not know that the person is gone.
                self.presence = Told { what: Some(says), again: now.saturating_add(keep_alive_interval(LEASE)) };
            }
            // Its lease ends in any case.
            Sent::End(_) => self.presence = Told::NOTHING,
            Sent::Link(link) if answer.is_success() => {
                self.accepted();
                let again =
                    if link == Link::Ok { Instant::NEVER } else { now.saturating_add(keep_alive_interval(LEASE)) };
                self.told_link = Told { what: Some(link), again };
            }
            _ => self.rejected(now, answer),
        }
    }

    /// Returns the id with which the lamp answers a line.
    fn id(&self, sent: &Sent) -> Option<String> {
        match sent {
            Sent::Greeting => Some(greeting_id(self.number)),
            Sent::Presence(_) | Sent::End(_) => None,
            Sent::Link(_) => Some(LINK_ID.to_owned()),
        }
    }

    fn rejected(&mut self, now: Instant, answer: &Answer) {
        if self.errors == 0 {
            self.notices.push(Notice::Rejects(answer.reason()));
        }
        self.errors = self.errors.saturating_add(1);
        self.not_before = now.saturating_add(pause::after(self.errors, PAUSE, LONGEST_PAUSE));
    }

    fn accepted(&mut self) {
        if std::mem::take(&mut self.errors) > 0 {
            self.notices.push(Notice::Accepts);
        }
    }

    /// Returns what there is to tell, once.
    pub(super) fn notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }
}

const LINK_ID: &str = "link";

fn greeting_id(number: u32) -> String {
    format!("follow-{number}")
}

fn greeting(number: u32) -> String {
    format!(r#"{{"id":"{}","method":"GET","url":"/device"}}"#, greeting_id(number))
}

/// Returns the request that shows the state of the link (rule L6).
fn link_line(link: Link) -> String {
    let state = match link {
        Link::Ok => "ok",
        Link::NoAnswer | Link::Down => "offline",
        Link::SignIn => "signIn",
    };
    format!(
        r#"{{"id":"{LINK_ID}","method":"POST","url":"/device/link","body":{{"state":"{state}","expirationDuration":"{LEASE}"}}}}"#
    )
}
