//! One request a line, for serial lines and standard input: each line is an element of a Graph batch.

use super::MAX_LINE;
use crate::buffer::BufferFull;
use crate::graph::error::{Error, Field};
use crate::graph::json::{JsonError, Value, member_before_fault};
use crate::graph::request::batch::Element;
use crate::graph::respond::Trace;
use crate::graph::respond::writer::Writer;
use crate::graph::serve::{Context, Form, answer_line, write_refusal};
use crate::graph::store::Store;
use crate::id::{SessionId, UserId};
use crate::user::Transition;

/// A line, without its newline: an element, or why it is none and the id to say so under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Line<'a> {
    /// Nothing but white space: no answer.
    Blank,
    /// A request.
    Element(Element<'a>),
    /// None.
    Refused {
        /// The id, a JSON string as it was written, where it can be told.
        id: Option<Value<'a>>,
        /// Why.
        refusal: Error,
    },
}

impl<'a> Line<'a> {
    /// Reads a line of at most [`MAX_LINE`] bytes; a carriage return at its end is white space. O(bytes), in bounded
    /// memory.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Self {
        if line.len() > MAX_LINE {
            return Self::TOO_LONG;
        }
        if line.trim_ascii().is_empty() {
            return Self::Blank;
        }
        match Value::parse(line) {
            Ok(value) => match Element::parse(value) {
                Ok(element) => Self::Element(element),
                Err(refusal) => Self::Refused { id: None, refusal },
            },
            // Well-formed as far as it was read: its id is known if it came by then.
            Err(JsonError::TooDeep) => {
                let id = member_before_fault(line, Field::Id.member()).filter(|id| id.is_string());
                Self::Refused { id, refusal: Error::Json(JsonError::TooDeep) }
            }
            Err(error) => Self::Refused { id: None, refusal: Error::Json(error) },
        }
    }

    /// A line that was longer than the buffer it was read into.
    pub const TOO_LONG: Self = Self::Refused { id: None, refusal: Error::LineTooLong };
}

/// Serves a line, and writes its answer, without a newline: `{"id":"1","status":200}`, with a `body` where there is one. A
/// blank line has none. Every transition that was applied is handed to `changes`, in order. Rules H1 to H3. O(bytes), in
/// bounded memory, and whatever the store takes for what it is asked, as in [`serve`](super::serve).
///
/// # Errors
///
/// [`BufferFull`] when not even the bare status fits the sink. Nothing was done then, and what the sink may have taken of a
/// refusal is no answer. Rule H6.
///
/// ```
/// use presence_core::directory::InlineDirectory;
/// use presence_core::graph::{Buffer, Caller, Context, Line, serve_line};
/// use presence_core::{Instant, Policy, SessionId, UserId};
///
/// let mut directory = InlineDirectory::<UserId, SessionId, 4, 1>::with_policy(Policy::DESK);
/// let me = UserId::parse("fa8bf3dc-eca7-46b7-bad1-db199b62afc3").ok();
/// let exchange = Context::new(Instant::ZERO, Caller::Trusted { me });
/// let line = Line::parse(br#"{"id":"1","method":"POST","url":"/me/presence/clearUserPreferredPresence"}"#);
/// let mut bytes = [0; 512];
/// let mut answer = Buffer::new(&mut bytes);
/// serve_line(line, &exchange, &mut directory, &mut answer, &mut |_, _| {})?;
/// assert_eq!(answer.written(), br#"{"id":"1","status":200}"#);
/// # Ok::<(), presence_core::BufferFull>(())
/// ```
pub fn serve_line(
    line: Line<'_>,
    exchange: &Context<'_>,
    store: &mut dyn Store,
    sink: &mut dyn Writer,
    changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
) -> Result<(), BufferFull> {
    match line {
        Line::Blank => Ok(()),
        Line::Element(element) => answer_line(element, exchange, store, sink, changes),
        Line::Refused { id, refusal } => write_refusal(sink, id, Form::Line, refusal, &exchange.trace),
    }
}

impl Line<'_> {
    /// Writes the answer to a line that the embedder refuses for a reason of its own: it is older than the one before, say.
    /// Rule H1. O(bytes of its id and of the trace).
    ///
    /// # Errors
    ///
    /// [`BufferFull`] when not even the bare status fits the sink: what it may have taken is no answer.
    ///
    /// ```
    /// use presence_core::graph::{Buffer, Line, Error, Trace};
    ///
    /// let line = Line::parse(br#"{"id":"1","at":3,"method":"GET","url":"/me/presence"}"#);
    /// let mut bytes = [0; 512];
    /// let mut answer = Buffer::new(&mut bytes);
    /// line.refuse(Error::OutOfOrder, &Trace::default(), &mut answer)?;
    /// assert!(answer.written().starts_with(br#"{"id":"1","status":400,"body":{"error":"#));
    /// # Ok::<(), presence_core::BufferFull>(())
    /// ```
    pub fn refuse(self, refusal: Error, trace: &Trace<'_>, sink: &mut dyn Writer) -> Result<(), BufferFull> {
        let id = match self {
            Line::Blank => None,
            Line::Element(element) => Some(element.id()),
            Line::Refused { id, .. } => id,
        };
        write_refusal(sink, id, Form::Line, refusal, trace)
    }
}
