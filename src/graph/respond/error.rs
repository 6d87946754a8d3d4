//! Error bodies.

use crate::buffer::BufferFull;
use crate::graph::error::Error;
use crate::graph::respond::text::{write_optional, write_template};
use crate::graph::respond::writer::Writer;
use crate::graph::trace::Trace;

impl Error {
    /// The length of the longest error body with an empty [`Trace`], in bytes.
    pub const MAX_LEN: usize = 194;

    /// Writes an error body, as [H1](crate::rules#h1) says.
    ///
    /// # Errors
    ///
    /// [`BufferFull`]; [`MAX_LEN`](Self::MAX_LEN) bytes suffice if the trace is empty.
    ///
    /// ```
    /// use presence_core::graph::{Buffer, Error, Trace};
    ///
    /// let mut bytes = [0; 512];
    /// let mut body = Buffer::new(&mut bytes);
    /// let trace = Trace { request_id: Some("42"), ..Trace::default() };
    /// Error::SessionNotFound.write(&trace, &mut body)?;
    /// assert!(body.written().starts_with(br#"{"error":{"code":"NotFound","message":"Presence session not found.","#));
    /// # Ok::<(), presence_core::BufferFull>(())
    /// ```
    pub fn write(self, trace: &Trace<'_>, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        write_template(writer, r#"{"error":{"code":"*","message":""#, &[self.code().as_bytes()])?;
        let name = self.field_name().as_bytes();
        write_template(writer, self.template(), &[name, name])?;
        writer.write(br#"","innerError":{"date":"#)?;
        write_optional(writer, trace.date)?;
        writer.write(br#","request-id":"#)?;
        write_optional(writer, trace.request_id)?;
        writer.write(br#","client-request-id":"#)?;
        write_optional(writer, trace.client_request_id.or(trace.request_id))?;
        writer.write(b"}}}")
    }
}
