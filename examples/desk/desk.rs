//! The state of the example: a directory, and the history of its changes.

use crate::input::DeskLine;
use crate::options::OWNER;
use crate::output::Output;
use presence_core::directory::{DefaultHasher, Directory, InlineMemory, Progress};
use presence_core::graph::{Caller, ChangeEvent, Context, Error, Line, Trace, Writer, json::Value};
use presence_core::lines::{Input, RESERVED_SESSIONS};
use presence_core::{Change, Instant, Policy, SessionId, Transition, User, UserId};
use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) const USERS: usize = 1024;
/// Sixteen for applications, and those that the line keeps for itself.
pub(crate) const SESSIONS: usize = 16 + RESERVED_SESSIONS;

/// A user as the desk has them.
pub(crate) type DeskUser = User<SessionId, SESSIONS>;

type Memory = InlineMemory<UserId, SessionId, SESSIONS, USERS>;

/// Returns the memory of all users: a static, as on a device.
fn memory() -> &'static mut Memory {
    static MEMORY: Mutex<Memory> = Mutex::new(InlineMemory::new());
    let locked: &mut MutexGuard<Memory> = Box::leak(Box::new(MEMORY.lock().unwrap_or_else(PoisonError::into_inner)));
    locked
}

pub(crate) struct Desk {
    pub(crate) directory:
        Directory<UserId, SessionId, &'static mut Memory, BuildHasherDefault<DefaultHasher>, SESSIONS>,
    /// All transitions, if a timeline is drawn at the end.
    pub(crate) history: Vec<(UserId, Transition<SessionId>)>,
    keeps_history: bool,
    /// The names of sessions, from the requests that set them.
    pub(crate) names: BTreeMap<SessionId, String>,
    pub(crate) now: Instant,
    /// The user on the screen: `me`, or the last one that changed.
    pub(crate) visible_user: Option<UserId>,
    /// The user that `/me` stands for.
    me: Option<UserId>,
}

impl Desk {
    pub(crate) fn new(policy: Policy, me: Option<UserId>, keeps_history: bool) -> Self {
        Self {
            directory: Directory::new(memory(), policy),
            history: Vec::new(),
            keeps_history,
            names: BTreeMap::new(),
            now: Instant::ZERO,
            visible_user: me,
            me,
        }
    }

    /// Advances the clock, and prints every transition due, in order.
    pub(crate) fn advance(&mut self, now: Instant, output: &mut Output) -> io::Result<()> {
        self.now = now;
        loop {
            match self.directory.advance(now) {
                Progress::Changed { user, transition } => self.record(&[(user, transition)], None, output)?,
                Progress::Working => {}
                Progress::Idle { .. } => return Ok(()),
            }
        }
    }

    /// Serves a line, and prints its changes and then its response.
    pub(crate) fn serve(&mut self, line: &DeskLine, output: &mut Output) -> io::Result<()> {
        let input = line.input();
        let context = Context::new(self.now, Caller::Trusted { me: Some(self.me.unwrap_or(OWNER)) });
        let mut response = Response::default();
        let mut changes = Vec::new();
        let _ = input.serve(&context, &mut self.directory, &mut response, &mut |user, transition| {
            changes.push((user, *transition));
        });
        self.record(&changes, application(input), output)?;
        if input.has_response() { output.line(&response.0) } else { Ok(()) }
    }

    /// Rejects a line with an error, without any change.
    pub(crate) fn reject(&mut self, line: &DeskLine, error: Error, output: &mut Output) -> io::Result<()> {
        let mut response = Response::default();
        let _ = line.input().write_error(error, &Trace::default(), &mut response);
        output.line(&response.0)
    }

    /// Records changes, and prints the visible ones.
    fn record(
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
            self.visible_user = self.me.or(Some(*user));
            if transition.is_visible() {
                let mut event = Response::default();
                let _ = ChangeEvent::new(Instant::ZERO, *user, transition).write(&mut event);
                output.line(&event.0)?;
            }
        }
        Ok(())
    }
}

/// Returns the name of the application that sent a line, for pictures: its member `app`.
fn application(input: Input<'_>) -> Option<String> {
    let element = match input {
        Input::ShortForm(_) => return Some("line".into()),
        Input::Mirror(_) => return Some("mirror".into()),
        Input::Line(Line::Element(element)) => element,
        _ => return None,
    };
    let name: Value<'_> = element.value().member("app").ok()??;
    serde_json::from_str(name.as_str()).ok()
}

/// A response of any length.
#[derive(Default)]
struct Response(Vec<u8>);

impl Writer for Response {
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
