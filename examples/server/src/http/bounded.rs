//! A writer that never outgrows its memory, and remembers if it should have.

use presence_core::BufferFull;
use presence_core::graph::Writer;

/// Bytes with a limit. What does not fit is not written, and [`is_overrun`](Self::is_overrun) then tells it: a fault of the server,
/// in every build.
#[derive(Debug)]
pub struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    is_overrun: bool,
}

impl Bounded {
    /// Creates a writer of at most so many bytes.
    pub fn new(limit: usize) -> Self {
        Self { bytes: Vec::with_capacity(limit), limit, is_overrun: false }
    }

    /// Creates a writer that is full, of bytes that are there already.
    pub fn full(bytes: Vec<u8>) -> Self {
        Self { limit: bytes.capacity(), bytes, is_overrun: false }
    }

    /// Raises the limit by so many bytes.
    pub fn grow(&mut self, more: usize) {
        self.limit = self.limit.saturating_add(more);
        self.bytes.reserve_exact(self.limit.saturating_sub(self.bytes.len()));
    }

    /// Lowers the limit by so many bytes, which were not needed. Their memory stays until [`shrink`](Self::shrink).
    pub const fn give_back(&mut self, unused: usize) {
        self.limit = self.limit.saturating_sub(unused);
    }

    /// Returns the bytes that were written.
    pub fn written(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the most bytes that may be written.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the bytes of memory that this holds.
    pub const fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// Reports whether more was to be written than the limit allows.
    pub const fn is_overrun(&self) -> bool {
        self.is_overrun
    }

    /// Records a fault that its user has noticed.
    pub const fn mark_overrun(&mut self) {
        self.is_overrun = true;
    }

    /// Writes bytes again that were written earlier, from one offset to another.
    pub fn copy(&mut self, from: usize, to: usize) {
        if from > to || to > self.bytes.len() || to - from > self.remaining() {
            self.is_overrun = true;
        } else {
            self.bytes.extend_from_within(from..to);
        }
    }

    /// Releases the memory that nothing was written to.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.limit = self.bytes.capacity();
    }

    /// Returns the bytes, or `None` if more was to be written.
    pub fn finish(self) -> Option<Vec<u8>> {
        (!self.is_overrun).then_some(self.bytes)
    }
}

impl Writer for Bounded {
    fn remaining(&self) -> usize {
        self.limit.saturating_sub(self.bytes.len())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        if bytes.len() > self.remaining() {
            self.is_overrun = true;
            return Err(BufferFull);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        self.bytes.truncate(self.bytes.len().saturating_sub(count));
    }
}

/// A writer that only counts.
#[derive(Debug, Default)]
pub struct Length(pub usize);

impl Writer for Length {
    fn remaining(&self) -> usize {
        usize::MAX
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        self.0 = self.0.saturating_sub(count);
    }
}

impl Length {
    /// Returns the bytes that a function writes.
    pub fn of(write: impl FnOnce(&mut dyn Writer) -> Result<(), BufferFull>) -> usize {
        let mut length = Self::default();
        // Counting does not fail. A function that fails nevertheless fails again when it writes.
        let _ = write(&mut length);
        length.0
    }
}
