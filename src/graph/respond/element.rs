//! Responses to elements of a batch and to lines.

use crate::buffer::BufferFull;
use crate::graph::HAS_BATCH;
use crate::graph::error::Error;
use crate::graph::json::Value;
use crate::graph::request::element::Element;
use crate::graph::respond::resource::Resource;
use crate::graph::respond::text::{status_digits, write_template, write_value};
use crate::graph::respond::writer::{Count, Reserve, Writer};
use crate::graph::trace::Trace;

impl Element<'_> {
    /// The length of the longest response to an element that is no bulk read, in bytes.
    ///
    /// It does not count the id, which takes [`id_len`](Self::id_len) bytes, nor details, nor a user object.
    pub const MAX_RESPONSE: usize =
        r#"{"id":,"status":200,"headers":{"Content-Type":"application/json"},"body":}"#.len() + Resource::MAX_LEN;

    /// Returns the length of the id in a response, in bytes.
    ///
    /// It is written as it came, but for what may end a line, which is escaped: it may grow to six times its length. In
    /// a batch it takes at most six bytes for each of [`Batch::MAX_ID_LEN`](crate::graph::Batch::MAX_ID_LEN), and two.
    ///
    /// ```
    /// use presence_core::graph::{Element, json::Value};
    ///
    /// let id_len = |text: &str| Some(Element::parse(Value::parse(text.as_bytes()).ok()?).ok()?.id_len());
    /// assert_eq!(id_len(r#"{"id":"7"}"#), Some(r#""7""#.len()));
    /// assert_eq!(id_len("{\"id\":\"\u{2028}\"}"), Some(r#""\u2028""#.len()));
    /// ```
    #[must_use]
    pub fn id_len(self) -> usize {
        let mut count = Count(0);
        let _ = write_value(&mut count, self.id());
        count.0
    }

    /// Writes the response to this element, for an application that runs the elements itself.
    ///
    /// `{"id":…,"status":…,"headers":…,"body":…}`, without a body if that is empty; `retry_after` is in seconds, and the
    /// body is JSON.
    ///
    /// # Errors
    ///
    /// [`BufferFull`]; 110 bytes more than [`id_len`](Self::id_len) and body always suffice.
    ///
    /// ```
    /// use presence_core::graph::{Buffer, Element, json::Value};
    ///
    /// let element = Element::parse(Value::parse(br#"{"id":"1","method":"GET","url":"/me/presence"}"#)?)?;
    /// let mut bytes = [0; 112];
    /// let mut response = Buffer::new(&mut bytes);
    /// element.write_response(429, Some(30), b"", &mut response)?;
    /// assert_eq!(response.written(), br#"{"id":"1","status":429,"headers":{"Retry-After":"30"}}"#);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn write_response(
        self,
        status: u16,
        retry_after: Option<u8>,
        body: &[u8],
        writer: &mut dyn Writer,
    ) -> Result<(), BufferFull> {
        open(writer, self.id(), status)?;
        if !body.is_empty() {
            writer.write(br#","headers":{"Content-Type":"application/json""#)?;
        }
        if let Some(seconds) = retry_after {
            // Three digits, without the zeros in front.
            let text = status_digits(seconds.into());
            let zeros = text.iter().take_while(|digit| **digit == b'0').count().min(2);
            let opening: &[u8] = if body.is_empty() { br#","headers":{"# } else { b"," };
            write_template(writer, r#"*"Retry-After":"*""#, &[opening, text.get(zeros..).unwrap_or_default()])?;
        }
        if !body.is_empty() || retry_after.is_some() {
            writer.write(b"}")?;
        }
        if !body.is_empty() {
            write_template(writer, r#","body":*"#, &[body])?;
        }
        writer.write(b"}")
    }
}

/// The kind of response: clients of batches look at each element's headers.
#[derive(Clone, Copy)]
pub(in crate::graph) enum Envelope {
    /// A line of its own.
    Line,
    /// An element of a batch.
    Element,
}

impl Envelope {
    /// Returns the text between the status of a response and its body.
    const fn before_body(self) -> &'static [u8] {
        // This condition first, so that a device without batches does not link the longer text.
        if HAS_BATCH && matches!(self, Self::Element) {
            br#","headers":{"Content-Type":"application/json"},"body":"#
        } else {
            b",\"body\":"
        }
    }
}

/// A response to an element or a line: everything of it but its status and its body.
#[derive(Clone, Copy)]
pub(in crate::graph) struct Response<'a> {
    pub(in crate::graph) id: Value<'a>,
    pub(in crate::graph) envelope: Envelope,
}

impl Response<'_> {
    /// Returns the length of the response without a body.
    pub(in crate::graph) fn bare_len(self) -> usize {
        // As it is written, and the closing brace.
        let mut count = Count(1);
        let _ = open(&mut count, self.id, 200);
        count.0
    }

    /// Writes a response with this status, and with a body if there is one.
    #[expect(clippy::type_complexity, reason = "a name for it would be one more to learn")]
    pub(in crate::graph) fn write(
        self,
        status: u16,
        write_body: Option<&mut dyn FnMut(&mut dyn Writer) -> Result<(), BufferFull>>,
        writer: &mut dyn Writer,
    ) -> Result<(), BufferFull> {
        open(writer, self.id, status)?;
        if let Some(write_body) = write_body {
            writer.write(self.envelope.before_body())?;
            write_body(writer)?;
        }
        writer.write(b"}")
    }

    /// Writes the response to a successful action.
    pub(in crate::graph) fn write_done(self, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        open(writer, self.id, 200)?;
        writer.write(b"}")
    }

    /// Writes a response with a body; if it does not fit, writes nothing and returns the error.
    // Without feature `batch` it is called in one place, and a small device pays fifty bytes for the call.
    #[inline(always)]
    pub(in crate::graph) fn write_body(
        self,
        writer: &mut dyn Writer,
        write: impl FnOnce(&mut dyn Writer) -> Result<(), BufferFull>,
    ) -> Result<Option<Error>, BufferFull> {
        // A body may turn out too long only after its status: then both are discarded.
        let mut reserve = Reserve::new(writer, 1);
        let written = open(&mut reserve, self.id, 200)
            .and_then(|()| reserve.write(self.envelope.before_body()))
            .and_then(|()| write(&mut reserve));
        if let Err(BufferFull) = written {
            reserve.discard_all();
            return Ok(Some(Error::ResponseTooLarge));
        }
        writer.write(b"}").map(|()| None)
    }

    /// Writes an error; without its body if that does not fit.
    pub(in crate::graph) fn write_error(
        self,
        error: Error,
        trace: &Trace<'_>,
        writer: &mut dyn Writer,
    ) -> Result<(), BufferFull> {
        open(writer, self.id, error.status())?;
        // The closing brace needs a byte.
        let mut body = Reserve::new(writer, 1);
        if body.write(self.envelope.before_body()).and_then(|()| error.write(trace, &mut body)).is_err() {
            body.discard_all();
        }
        writer.write(b"}")
    }
}

/// Writes a response up to its status.
fn open(writer: &mut dyn Writer, id: Value<'_>, status: u16) -> Result<(), BufferFull> {
    writer.write(br#"{"id":"#)?;
    write_value(writer, id)?;
    write_template(writer, r#","status":*"#, &[&status_digits(status)])
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::graph::respond::writer::Buffer;
    use std::string::String;

    #[test]
    fn h5_responses_of_elements() {
        let response = |status, retry_after, body: &str| {
            let element = Element::parse(Value::parse(br#"{"id":"1"}"#).unwrap()).unwrap();
            let mut bytes = [0; 256];
            let mut buffer = Buffer::new(&mut bytes);
            element.write_response(status, retry_after, body.as_bytes(), &mut buffer).unwrap();
            String::from_utf8(buffer.written().to_vec()).unwrap()
        };
        assert_eq!(response(200, None, ""), r#"{"id":"1","status":200}"#);
        assert_eq!(
            response(200, None, "{}"),
            r#"{"id":"1","status":200,"headers":{"Content-Type":"application/json"},"body":{}}"#
        );
        assert_eq!(response(429, Some(1), ""), r#"{"id":"1","status":429,"headers":{"Retry-After":"1"}}"#);
        assert_eq!(
            response(429, Some(255), "{}"),
            r#"{"id":"1","status":429,"headers":{"Content-Type":"application/json","Retry-After":"255"},"body":{}}"#
        );
        assert!(response(429, Some(10), "").contains("\"10\"") && response(429, Some(0), "").contains("\"0\""));
    }
}
