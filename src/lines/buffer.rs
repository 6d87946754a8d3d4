//! Bytes to lines.

use super::input::Input;
use crate::graph::Line;
use crate::time::{Duration, Instant};
use heapless::Vec;

/// The silence after which a brace begins a new line.
const RESTART: Duration = Duration::from_secs(2);
/// The silence after which a line that was begun is dropped.
const DROP: Duration = Duration::from_secs(30);
const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// A buffer that assembles bytes into lines of at most `LEN` bytes ([L1](crate::rules#l1)).
///
/// CR, LF and CR LF end a line. An empty line is not reported. NULs and byte order marks before a line are skipped. Of a line
/// that was begun, a `{` after two seconds of silence begins another one; after 30 seconds any byte does. A line that is longer,
/// or that lost bytes on the way, is rejected as a whole, and the next one is not affected.
///
/// ```
/// use presence_core::Instant;
/// use presence_core::lines::LineBuffer;
///
/// let mut lines = LineBuffer::<4>::new();
/// let mut received = Vec::new();
/// for byte in *b"\0abcd\r\nabcde\rab\n" {
///     if lines.push(byte, Instant::ZERO) {
///         received.push(lines.line().map(|line| line.to_vec()));
///     }
/// }
/// assert_eq!(received, [Some(b"abcd".to_vec()), None, Some(b"ab".to_vec())]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LineBuffer<const LEN: usize> {
    bytes: Vec<u8, LEN>,
    /// True if it is too long, or bytes were lost.
    is_broken: bool,
    is_complete: bool,
    /// The time of the newest byte.
    last: Instant,
}

impl<const LEN: usize> LineBuffer<LEN> {
    /// Creates an empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), is_broken: false, is_complete: false, last: Instant::ZERO }
    }

    /// Appends a byte that arrived at `now`, and reports whether it ended a line.
    pub fn push(&mut self, byte: u8, now: Instant) -> bool {
        let silence = now.saturating_duration_since(self.last);
        if self.is_complete || silence >= DROP || (byte == b'{' && silence >= RESTART) {
            self.clear();
        }
        self.last = now;
        match byte {
            b'\r' | b'\n' => self.is_complete = self.has_begun(),
            0 if !self.has_begun() => {}
            _ => {
                self.is_broken |= self.bytes.push(byte).is_err();
                if self.bytes == MARK && !self.is_broken {
                    self.bytes.clear();
                }
            }
        }
        self.is_complete
    }

    /// Records that bytes were lost on the way, so that the line is rejected.
    pub fn lose(&mut self, now: Instant) {
        if self.is_complete {
            self.clear();
        }
        (self.is_broken, self.last) = (true, now);
    }

    /// Drops a line that was begun: the port was opened anew.
    pub fn clear(&mut self) {
        self.bytes.clear();
        (self.is_broken, self.is_complete) = (false, false);
    }

    /// Returns the line that has just ended, without its end; `None` if it is rejected.
    #[must_use]
    pub fn line(&self) -> Option<&[u8]> {
        (self.is_complete && !self.is_broken).then_some(self.bytes.as_slice())
    }

    /// Returns what the line is that has just ended. One that is rejected is [`Line::TOO_LONG`], unless it comes back.
    #[must_use]
    pub fn input(&self) -> Input<'_> {
        match self.line() {
            Some(line) => Input::parse(line),
            None if self.is_complete => Input::parse_start(&self.bytes),
            None => Input::Line(Line::Blank),
        }
    }

    fn has_begun(&self) -> bool {
        self.is_broken || !self.bytes.is_empty()
    }
}

impl<const LEN: usize> Default for LineBuffer<LEN> {
    fn default() -> Self {
        Self::new()
    }
}
