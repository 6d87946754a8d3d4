//! Where answers go.

/// The sink has no room for these bytes, and took none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NoRoom;

impl core::fmt::Display for NoRoom {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("no room for the answer")
    }
}

impl core::error::Error for NoRoom {}

/// Takes an answer, piece by piece. [`Buffer`] is the smallest; one that streams has room for everything.
pub trait Sink {
    /// How many bytes it can still take. It must then take so many. Rule H6. [`Buffer`]: O(1).
    fn room(&self) -> usize;

    /// Takes these bytes, all of them or none. [`Buffer`]: O(bytes).
    ///
    /// # Errors
    ///
    /// [`NoRoom`] when they are more than [`room`](Self::room).
    fn write(&mut self, bytes: &[u8]) -> Result<(), NoRoom>;

    /// Gives back the newest `count` bytes. Asked only where an answer found no [`room`](Self::room), though the sink itself
    /// may have refused nothing: some of its room is kept free for what is still to come. [`Buffer`]: O(1).
    fn take_back(&mut self, count: usize);
}

/// A sink over a slice of the caller's.
///
/// ```
/// use presence_core::graph::{Buffer, Sink};
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

impl Sink for Buffer<'_> {
    fn room(&self) -> usize {
        self.bytes.len().saturating_sub(self.len)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), NoRoom> {
        let free = self.bytes.get_mut(self.len..).and_then(|free| free.get_mut(..bytes.len())).ok_or(NoRoom)?;
        for (to, from) in free.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.len = self.len.saturating_add(bytes.len());
        Ok(())
    }

    fn take_back(&mut self, count: usize) {
        self.len = self.len.saturating_sub(count);
    }
}

/// A sink that keeps some of another's room free, and counts what it has taken, so that it can give all of it back.
pub(in crate::graph) struct Reserve<'a> {
    sink: &'a mut dyn Sink,
    reserved: usize,
    taken: usize,
}

impl<'a> Reserve<'a> {
    pub(in crate::graph) fn new(sink: &'a mut dyn Sink, reserved: usize) -> Self {
        Self { sink, reserved, taken: 0 }
    }

    /// Gives back everything it has taken.
    pub(in crate::graph) fn take_all_back(&mut self) {
        if self.taken > 0 {
            self.sink.take_back(self.taken);
            self.taken = 0;
        }
    }
}

impl Sink for Reserve<'_> {
    fn room(&self) -> usize {
        self.sink.room().saturating_sub(self.reserved)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), NoRoom> {
        if bytes.len() > self.room() {
            return Err(NoRoom);
        }
        self.sink.write(bytes)?;
        self.taken = self.taken.saturating_add(bytes.len());
        Ok(())
    }

    fn take_back(&mut self, count: usize) {
        self.sink.take_back(count);
        self.taken = self.taken.saturating_sub(count);
    }
}
