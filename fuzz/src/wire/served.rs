//! A request that was served: what came out, and what became of the users.

use super::users::Users;
use presence_core::BufferFull;
use presence_core::graph::{Context, Line, RawRequest, Writer, serve, serve_line};
use presence_core::{SessionId, Transition, UserId};

/// A request, as it comes in.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    Http { method: &'a str, target: &'a str, content_type: Option<&'a str>, body: &'a [u8] },
    Line(&'a [u8]),
}

impl<'a> Asked<'a> {
    /// The same, as the library takes it, if it is one over HTTP.
    pub fn raw(self) -> Option<RawRequest<'a, 'a>> {
        match self {
            Self::Http { method, target, content_type, body } => {
                Some(RawRequest::new(method, target).with_content_type(content_type).with_body(body))
            }
            Self::Line(_) => None,
        }
    }
}

pub struct Served {
    /// The HTTP status; nothing for a line, which has it in its answer.
    pub status: Option<u16>,
    /// Whether there was room for the least answer.
    pub is_answered: bool,
    pub written: Vec<u8>,
    pub changes: Vec<(UserId, Transition<SessionId>)>,
    pub users: Users,
}

impl Served {
    /// Serves a request on a copy of these users, with so much room for the answer.
    pub fn of(asked: Asked<'_>, context: &Context<'_>, users: &Users, room: usize) -> Self {
        let mut users = users.clone();
        let mut changes = Vec::new();
        let mut sink = Answer { written: Vec::new(), room };
        let mut note = |user: UserId, transition: &Transition<SessionId>| changes.push((user, *transition));
        let (status, is_answered) = match asked {
            Asked::Line(line) => {
                let served = serve_line(Line::parse(line), context, &mut users.0, &mut sink, &mut note);
                (None, served.is_ok())
            }
            Asked::Http { .. } => {
                let raw = asked.raw().expect("one over HTTP");
                (Some(serve(&raw, context, &mut users.0, &mut sink, &mut note)), true)
            }
        };
        Self { status, is_answered, written: sink.written, changes, users }
    }
}

/// A sink that takes its own documentation at its word.
struct Answer {
    written: Vec<u8>,
    room: usize,
}

impl Writer for Answer {
    fn remaining(&self) -> usize {
        self.room - self.written.len()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        if bytes.len() > self.remaining() {
            return Err(BufferFull);
        }
        self.written.extend_from_slice(bytes);
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        assert!(self.room < usize::MAX, "nothing is taken back from one that streams");
        let rest = self.written.len().checked_sub(count).expect("what it has taken");
        self.written.truncate(rest);
    }
}
