//! The desk: a directory, and what is told of it.

use crate::options::OWNER;
use crate::output::Output;
use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory, Progress};
use presence_core::graph::{Caller, ChangeEvent, Context, Error, Line, Trace, Writer, json::Value, serve_line};
use presence_core::{Change, Instant, Policy, SessionId, Transition, UserId};
use std::collections::BTreeMap;
use std::io;

pub(crate) const USERS: usize = 1024;
pub(crate) const SESSIONS: usize = 16;

pub(crate) struct Desk {
    pub(crate) directory: BoxedDirectory<UserId, SessionId, SESSIONS>,
    /// Everything that happened, if someone wants to know at the end.
    pub(crate) history: Vec<(UserId, Transition<SessionId>)>,
    keeps_history: bool,
    /// What the lines call the sessions that they set.
    pub(crate) names: BTreeMap<SessionId, String>,
    pub(crate) now: Instant,
    /// Whose presence changed last.
    pub(crate) shown: Option<UserId>,
    /// Whom the screen shows, whoever changes; and who `/me` is.
    me: Option<UserId>,
}

impl Desk {
    pub(crate) fn new(policy: Policy, me: Option<UserId>, keeps_history: bool) -> Self {
        Self {
            directory: Directory::new(BoxedMemory::new(USERS), policy),
            history: Vec::new(),
            keeps_history,
            names: BTreeMap::new(),
            now: Instant::ZERO,
            shown: me,
            me,
        }
    }

    /// Lets time pass: everything due happens, in order, each with its own time.
    pub(crate) fn advance(&mut self, now: Instant, output: &mut Output) -> io::Result<()> {
        self.now = now;
        loop {
            match self.directory.advance(now) {
                Progress::Changed { user, transition } => self.tell(&[(user, transition)], None, output)?,
                Progress::Working => {}
                Progress::Idle { .. } => return Ok(()),
            }
        }
    }

    /// Carries out a line at the present moment, and prints what it changed and then its answer.
    pub(crate) fn answer(&mut self, text: &[u8], output: &mut Output) -> io::Result<()> {
        let line = Line::parse(text);
        let exchange = Context::new(self.now, Caller::Trusted { me: Some(self.me.unwrap_or(OWNER)) });
        let mut answer = Answer::default();
        let mut changes = Vec::new();
        let _ = serve_line(line, &exchange, &mut self.directory, &mut answer, &mut |user, transition| {
            changes.push((user, *transition));
        });
        self.tell(&changes, application(line), output)?;
        if line == Line::Blank { Ok(()) } else { output.line(&answer.0) }
    }

    /// Refuses a line, and changes nothing.
    pub(crate) fn refuse(&mut self, text: &[u8], refusal: Error, output: &mut Output) -> io::Result<()> {
        let mut answer = Answer::default();
        let _ = Line::parse(text).write_error(refusal, &Trace::default(), &mut answer);
        output.line(&answer.0)
    }

    /// Prints the changes that show.
    fn tell(
        &mut self,
        changes: &[(UserId, Transition<SessionId>)],
        application: Option<String>,
        output: &mut Output,
    ) -> io::Result<()> {
        for (user, transition) in changes {
            if let (Change::Set(session), Some(name)) = (transition.change(), &application) {
                self.names.insert(session.id(), name.clone());
            }
            if self.keeps_history {
                self.history.push((*user, *transition));
            }
            self.shown = self.me.or(Some(*user));
            if transition.is_visible() {
                let mut event = Answer::default();
                let _ = ChangeEvent::new(Instant::ZERO, *user, transition).write(&mut event);
                output.line(&event.0)?;
            }
        }
        Ok(())
    }
}

/// What a line calls the application that sent it, for pictures: its member `app`.
fn application(line: Line<'_>) -> Option<String> {
    let Line::Element(element) = line else { return None };
    let name: Value<'_> = element.value().member("app").ok()??;
    serde_json::from_str(name.as_str()).ok()
}

/// An answer of any length.
#[derive(Default)]
struct Answer(Vec<u8>);

impl Writer for Answer {
    fn remaining(&self) -> usize {
        usize::MAX
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), presence_core::BufferFull> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        self.0.truncate(self.0.len() - count);
    }
}
