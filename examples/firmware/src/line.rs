//! Received bytes, on their way into lines.

use presence_core::Instant;
use presence_core::lines::LineBuffer;

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

    /// Appends the byte to a line at `now`, and reports whether it ended one. A line that lost bytes is rejected.
    pub(crate) fn append_to<const LEN: usize>(self, lines: &mut LineBuffer<LEN>, now: Instant) -> bool {
        if self.after_loss {
            lines.lose(now);
        }
        lines.push(self.byte, now)
    }
}
