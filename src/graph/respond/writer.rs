//! The writers of responses, and a buffer of the caller as one.

use crate::buffer::BufferFull;

/// The destination of a response, written piece by piece.
///
/// [`Buffer`] is the simplest. One that streams reports `usize::MAX` remaining bytes.
pub trait Writer {
    /// Returns how many more bytes it accepts; [`write`](Self::write) must then accept so many.
    fn remaining(&self) -> usize;

    /// Writes these bytes, all of them or none.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if they are more than [`remaining`](Self::remaining).
    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull>;

    /// Discards the newest `count` bytes.
    ///
    /// It is called only after a response did not fit. The writer itself may have rejected nothing then, as some of its space
    /// is reserved for what is still to come; one whose space is unlimited is never called.
    fn discard_last(&mut self, count: usize);
}

/// A writer over a slice.
///
/// ```
/// use presence_core::graph::{Buffer, Writer};
///
/// let mut bytes = [0; 4];
/// let mut buffer = Buffer::new(&mut bytes);
/// assert!(buffer.write(b"abc").is_ok());
/// assert!(buffer.write(b"de").is_err());
/// assert_eq!(buffer.written(), b"abc");
/// ```
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Buffer<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl<'a> Buffer<'a> {
    /// Creates an empty buffer over these bytes.
    #[must_use]
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, len: 0 }
    }

    /// Returns the bytes that were written.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Discards everything that was written.
    pub const fn clear(&mut self) {
        self.len = 0;
    }
}

impl Writer for Buffer<'_> {
    fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.len)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        let free = self.bytes.get_mut(self.len..).and_then(|free| free.get_mut(..bytes.len())).ok_or(BufferFull)?;
        for (to, from) in free.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.len = self.len.saturating_add(bytes.len());
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        self.len = self.len.saturating_sub(count);
    }
}

/// A writer that keeps some of another's space free, and counts what it writes, so that it can discard all of it.
pub(in crate::graph) struct Reserve<'a> {
    writer: &'a mut dyn Writer,
    reserved: usize,
    written_len: usize,
}

impl<'a> Reserve<'a> {
    pub(in crate::graph) fn new(writer: &'a mut dyn Writer, reserved: usize) -> Self {
        Self { writer, reserved, written_len: 0 }
    }

    /// Discards everything that was written through it.
    pub(in crate::graph) fn discard_all(&mut self) {
        if self.written_len > 0 {
            self.writer.discard_last(self.written_len);
            self.written_len = 0;
        }
    }
}

impl Writer for Reserve<'_> {
    fn remaining(&self) -> usize {
        self.writer.remaining().saturating_sub(self.reserved)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        if bytes.len() > self.remaining() {
            return Err(BufferFull);
        }
        self.writer.write(bytes)?;
        self.written_len = self.written_len.saturating_add(bytes.len());
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        self.writer.discard_last(count);
        self.written_len = self.written_len.saturating_sub(count);
    }
}

/// A writer that only counts.
pub(in crate::graph) struct Count(pub(in crate::graph) usize);

impl Writer for Count {
    fn remaining(&self) -> usize {
        usize::MAX
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(())
    }

    fn discard_last(&mut self, _: usize) {}
}
