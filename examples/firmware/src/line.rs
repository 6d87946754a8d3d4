//! Assembly of received bytes into lines.

/// A byte from the serial line, with a mark if bytes before it were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedByte {
    /// The byte itself.
    pub byte: u8,
    /// Bytes were lost just before this one: the queue was full, or the receiver overran.
    pub after_loss: bool,
}

impl ReceivedByte {
    /// Creates a byte with no loss before it.
    #[must_use]
    pub const fn new(byte: u8) -> Self {
        Self { byte, after_loss: false }
    }
}

/// A buffer for a line of at most `LEN` bytes.
///
/// A line that is longer, or that lost bytes on the way, is rejected as a whole. The next one is not affected.
///
/// ```
/// use firmware::{LineBuffer, ReceivedByte};
///
/// let mut lines = LineBuffer::<4>::new();
/// let mut received = Vec::new();
/// for byte in *b"abcd\nabcde\nab\n" {
///     if lines.push(ReceivedByte::new(byte)) {
///         received.push(lines.line().map(|line| line.to_vec()));
///     }
/// }
/// assert_eq!(received, [Some(b"abcd".to_vec()), None, Some(b"ab".to_vec())]);
/// ```
#[derive(Debug)]
pub struct LineBuffer<const LEN: usize> {
    bytes: heapless::Vec<u8, LEN>,
    is_damaged: bool,
    is_complete: bool,
}

impl<const LEN: usize> LineBuffer<LEN> {
    /// Creates an empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: heapless::Vec::new(), is_damaged: false, is_complete: false }
    }

    /// Appends a byte, and reports whether it ended a line.
    pub fn push(&mut self, received: ReceivedByte) -> bool {
        if self.is_complete {
            *self = Self::new();
        }
        self.is_damaged |= received.after_loss;
        if received.byte == b'\n' {
            self.is_complete = true;
        } else if self.bytes.push(received.byte).is_err() {
            self.is_damaged = true;
        }
        self.is_complete
    }

    /// Returns the line that has just ended, without its newline; `None` if it is rejected.
    #[must_use]
    pub fn line(&self) -> Option<&[u8]> {
        (self.is_complete && !self.is_damaged).then_some(self.bytes.as_slice())
    }
}

impl<const LEN: usize> Default for LineBuffer<LEN> {
    fn default() -> Self {
        Self::new()
    }
}
