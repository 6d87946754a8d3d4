//! A request that was served: its response, and the users after it.

use super::users::Users;
use presence_core::BufferFull;
use presence_core::graph::{Context, Line, RawRequest, Writer, serve, serve_line};
use presence_core::{SessionId, Transition, UserId};

/// A request, not yet parsed.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    Http {
        method: &'a str,
        target: &'a str,
        content_type: Option<&'a str>,
        content_encoding: Option<&'a str>,
        body: &'a [u8],
    },
    Line(&'a [u8]),
}

impl<'a> Input<'a> {
    /// Returns the request for the library, if it is one over HTTP.
    pub fn raw(self) -> Option<RawRequest<'a, 'a>> {
        match self {
            Self::Http { method, target, content_type, content_encoding, body } => Some(
                RawRequest::new(method, target)
                    .with_content_type(content_type)
                    .with_content_encoding(content_encoding)
                    .with_body(body),
            ),
            Self::Line(_) => None,
        }
    }
}

pub struct Served {
    /// The HTTP status; `None` of a line, which has it in its response.
    pub status: Option<u16>,
    /// True if at least the bare status fitted.
    pub is_written: bool,
    pub written: Vec<u8>,
    pub changes: Vec<(UserId, Transition<SessionId>)>,
    pub users: Users,
}

impl Served {
    /// Serves a request on a copy of these users, with so many bytes for the response.
    pub fn of(input: Input<'_>, context: &Context<'_>, users: &Users, capacity: usize) -> Self {
        let mut users = users.clone();
        let mut changes = Vec::new();
        let mut writer = Output { written: Vec::new(), capacity };
        let mut note = |user: UserId, transition: &Transition<SessionId>| changes.push((user, *transition));
        let (status, is_written) = match input {
            Input::Line(line) => {
                let served = serve_line(Line::parse(line), context, &mut users.0, &mut writer, &mut note);
                (None, served.is_ok())
            }
            Input::Http { .. } => {
                let raw = input.raw().expect("one over HTTP");
                (Some(serve(&raw, context, &mut users.0, &mut writer, &mut note)), true)
            }
        };
        Self { status, is_written, written: writer.written, changes, users }
    }
}

/// A writer that checks how it is called.
struct Output {
    written: Vec<u8>,
    capacity: usize,
}

impl Writer for Output {
    fn remaining(&self) -> usize {
        self.capacity - self.written.len()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        if bytes.len() > self.remaining() {
            return Err(BufferFull);
        }
        self.written.extend_from_slice(bytes);
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        assert!(self.capacity < usize::MAX, "a writer that streams discards nothing");
        let rest = self.written.len().checked_sub(count).expect("bytes that were written");
        self.written.truncate(rest);
    }
}
