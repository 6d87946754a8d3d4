//! Where answers go.

use crate::buffer::BufferFull;

/// Takes an answer, piece by piece. [`Buffer`] is the smallest; one that streams has room for everything.
pub trait Writer {
    /// How many bytes it can still take. It must then take so many. Rule H6. [`Buffer`]: O(1).
    fn remaining(&self) -> usize;

    /// Takes these bytes, all of them or none. [`Buffer`]: O(bytes).
    ///
    /// # Errors
    ///
    /// [`BufferFull`] when they are more than [`room`](Self::remaining).
    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull>;

    /// Gives back the newest `count` bytes. Asked only where an answer found no [`room`](Self::remaining), though the sink itself
    /// may have refused nothing: some of its room is kept free for what is still to come. [`Buffer`]: O(1).
    fn discard_last(&mut self, count: usize);
}

/// A sink over a slice of the caller's.
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
    /// An empty buffer over these bytes. O(1).
    #[must_use]
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, len: 0 }
    }

    /// What was written. O(1).
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Forgets what was written. O(1).
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

/// A sink that keeps some of another's room free, and counts what it has taken, so that it can give all of it back.
pub(in crate::graph) struct Reserve<'a> {
    sink: &'a mut dyn Writer,
    reserved: usize,
    taken: usize,
}

impl<'a> Reserve<'a> {
    pub(in crate::graph) fn new(sink: &'a mut dyn Writer, reserved: usize) -> Self {
        Self { sink, reserved, taken: 0 }
    }

    /// Gives back everything it has taken.
    pub(in crate::graph) fn take_all_back(&mut self) {
        if self.taken > 0 {
            self.sink.discard_last(self.taken);
            self.taken = 0;
        }
    }
}

impl Writer for Reserve<'_> {
    fn remaining(&self) -> usize {
        self.sink.remaining().saturating_sub(self.reserved)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        if bytes.len() > self.remaining() {
            return Err(BufferFull);
        }
        self.sink.write(bytes)?;
        self.taken = self.taken.saturating_add(bytes.len());
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        self.sink.discard_last(count);
        self.taken = self.taken.saturating_sub(count);
    }
}
