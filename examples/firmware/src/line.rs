//! From bytes to lines.

/// A byte from the serial line, and whether any before it were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedByte {
    /// The byte.
    pub byte: u8,
    /// Whether bytes were lost just before it: nobody emptied the queue in time, or the receiver overran.
    pub after_loss: bool,
}

impl ReceivedByte {
    /// A byte that came right after the one before.
    #[must_use]
    pub const fn new(byte: u8) -> Self {
        Self { byte, after_loss: false }
    }
}

/// Gathers a line of at most `LEN` bytes. One that is longer, or that lost bytes on the way, is refused whole, and the next
/// one is read as if nothing had been.
///
/// ```
/// use firmware::{LineBuffer, ReceivedByte};
///
/// let mut lines = LineBuffer::<4>::new();
/// let mut whole = Vec::new();
/// for byte in *b"abcd\nabcde\nab\n" {
///     if lines.push(ReceivedByte::new(byte)) {
///         whole.push(lines.line().map(|line| line.to_vec()));
///     }
/// }
/// assert_eq!(whole, [Some(b"abcd".to_vec()), None, Some(b"ab".to_vec())]);
/// ```
#[derive(Debug)]
pub struct LineBuffer<const LEN: usize> {
    bytes: heapless::Vec<u8, LEN>,
    is_damaged: bool,
    is_complete: bool,
}

impl<const LEN: usize> LineBuffer<LEN> {
    /// An empty line.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: heapless::Vec::new(), is_damaged: false, is_complete: false }
    }

    /// Takes a byte, and says whether it ended a line. O(1).
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

    /// The line that has just ended, without its newline; `None` when it is refused. O(1).
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
