//! Requests one a line, for serial lines and standard input.
//!
//! Each line is an element of a Graph batch. A light, whose host may also say less, asks `lines` first (feature `lines`).

use crate::buffer::BufferFull;
use crate::graph::context::Context;
use crate::graph::error::{Error, Field};
use crate::graph::json::{JsonError, Value, member_before_fault, without_mark};
use crate::graph::request::element::Element;
use crate::graph::respond::element::{Envelope, Response};
use crate::graph::respond::writer::Writer;
use crate::graph::serve::Executor;
use crate::graph::store::Store;
use crate::graph::trace::Trace;
use crate::id::{SessionId, UserId};
use crate::user::Transition;

/// A line, without its newline: an element, or an error and the id to report it under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Line<'a> {
    /// White space only. It has no response.
    Blank,
    /// A request.
    Element(Element<'a>),
    /// A line that is no request.
    Invalid {
        /// The id, a JSON string as it was written; null if it was not read before the fault.
        id: Value<'a>,
        /// The reason.
        error: Error,
    },
}

impl<'a> Line<'a> {
    /// The length of the longest line that is accepted, in bytes, without its newline.
    pub const MAX_LEN: usize = 4096;

    /// A line that was longer than the buffer it was read into.
    pub const TOO_LONG: Self = Self::Invalid { id: Value::NULL, error: Error::LineTooLong };

    /// Parses a line of at most [`MAX_LEN`](Self::MAX_LEN) bytes; a carriage return at its end is white space, and a byte order
    /// mark before it is skipped.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Self {
        if line.len() > Self::MAX_LEN {
            return Self::TOO_LONG;
        }
        let line = without_mark(line);
        if line.trim_ascii().is_empty() {
            return Self::Blank;
        }
        match Value::parse(line) {
            Ok(value) => Self::from_value(value),
            // It was well-formed up to the fault: the id is known if it came before.
            Err(JsonError::TooDeep) => {
                let id = member_before_fault(line, Field::Id.member()).filter(|id| id.is_string());
                Self::Invalid { id: id.unwrap_or(Value::NULL), error: Error::Json(JsonError::TooDeep) }
            }
            Err(error) => Self::Invalid { id: Value::NULL, error: Error::Json(error) },
        }
    }

    /// Takes a value as an element.
    pub(crate) fn from_value(value: Value<'a>) -> Self {
        match Element::parse(value) {
            Ok(element) => Self::Element(element),
            Err(error) => Self::Invalid { id: Value::NULL, error },
        }
    }

    /// Reports whether the line is answered. A blank one is not.
    ///
    /// ```
    /// use presence_core::graph::Line;
    ///
    /// assert!(Line::parse(br#"{"id":"1","method":"GET","url":"/me/presence"}"#).has_response());
    /// assert!(!Line::parse(b" \r").has_response());
    /// ```
    #[must_use]
    pub const fn has_response(self) -> bool {
        !matches!(self, Self::Blank)
    }

    /// Writes an error as the response to this line.
    ///
    /// The reason may be the application's own: the line is older than the one before, say.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if not even the bare status fits: whatever was written is no response then.
    ///
    /// ```
    /// use presence_core::graph::{Buffer, Line, Error, Trace};
    ///
    /// let line = Line::parse(br#"{"id":"1","at":3,"method":"GET","url":"/me/presence"}"#);
    /// let mut bytes = [0; 512];
    /// let mut response = Buffer::new(&mut bytes);
    /// line.write_error(Error::OutOfOrder, &Trace::default(), &mut response)?;
    /// assert!(response.written().starts_with(br#"{"id":"1","status":400,"body":{"error":"#));
    /// # Ok::<(), presence_core::BufferFull>(())
    /// ```
    pub fn write_error(self, error: Error, trace: &Trace<'_>, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        write_error(self.id(), error, trace, writer)
    }

    /// Writes a response to this line, for an application that has requests of its own.
    ///
    /// It is `{"id":…,"status":…}`, with a `body` if `write_body` is given, which writes JSON.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if it does not fit: whatever was written is no response then.
    ///
    /// ```
    /// use presence_core::graph::{Buffer, Line, Writer};
    ///
    /// let line = Line::parse(br#"{"id":"1","method":"GET","url":"/device"}"#);
    /// let mut bytes = [0; 64];
    /// let mut response = Buffer::new(&mut bytes);
    /// line.write_response(200, Some(&mut |body| body.write(br#"{"version":"0.1.0"}"#)), &mut response)?;
    /// assert_eq!(response.written(), br#"{"id":"1","status":200,"body":{"version":"0.1.0"}}"#);
    /// # Ok::<(), presence_core::BufferFull>(())
    /// ```
    #[expect(clippy::type_complexity, reason = "a name for it would be one more to learn")]
    pub fn write_response(
        self,
        status: u16,
        write_body: Option<&mut dyn FnMut(&mut dyn Writer) -> Result<(), BufferFull>>,
        writer: &mut dyn Writer,
    ) -> Result<(), BufferFull> {
        Response { id: self.id(), envelope: Envelope::Line }.write(status, write_body, writer)
    }

    const fn id(self) -> Value<'a> {
        match self {
            Line::Blank => Value::NULL,
            Line::Element(element) => element.id(),
            Line::Invalid { id, .. } => id,
        }
    }
}

/// Serves a line, and writes its response, without a newline.
///
/// The response is `{"id":"1","status":200}`, with a `body` if there is one. A blank line has no response. `on_change` receives every
/// transition that was applied, in order. See [`serve`].
///
/// [`serve`]: crate::graph::serve
///
/// # Errors
///
/// [`BufferFull`] if not even the bare status fits. Nothing was done then, and whatever was written is no response.
///
/// ```
/// use presence_core::directory::InlineDirectory;
/// use presence_core::graph::{Buffer, Caller, Context, Line, serve_line};
/// use presence_core::{Instant, Policy, SessionId, UserId};
///
/// let mut directory = InlineDirectory::<UserId, SessionId, 4, 1>::with_policy(Policy::DESK);
/// let me = UserId::parse("fa8bf3dc-eca7-46b7-bad1-db199b62afc3").ok();
/// let context = Context::new(Instant::ZERO, Caller::Trusted { me });
/// let line = Line::parse(br#"{"id":"1","method":"POST","url":"/me/presence/clearUserPreferredPresence"}"#);
/// let mut bytes = [0; 512];
/// let mut response = Buffer::new(&mut bytes);
/// serve_line(line, &context, &mut directory, &mut response, &mut |_, _| {})?;
/// assert_eq!(response.written(), br#"{"id":"1","status":200}"#);
/// # Ok::<(), presence_core::BufferFull>(())
/// ```
pub fn serve_line(
    line: Line<'_>,
    context: &Context<'_>,
    store: &mut dyn Store,
    writer: &mut dyn Writer,
    on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
) -> Result<(), BufferFull> {
    match line {
        Line::Blank => Ok(()),
        Line::Element(element) => Executor { context, store, on_change }.run_line(element, writer),
        Line::Invalid { id, error } => write_error(id, error, &context.trace, writer),
    }
}

fn write_error(id: Value<'_>, error: Error, trace: &Trace<'_>, writer: &mut dyn Writer) -> Result<(), BufferFull> {
    Response { id, envelope: Envelope::Line }.write_error(error, trace, writer)
}
