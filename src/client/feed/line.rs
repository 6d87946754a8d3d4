//! The lines of an event stream: a field and its value, in pieces.

use heapless::Vec;

/// The byte order mark before a stream, which counts as nothing.
const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// The name of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Comment,
    Data,
    Event,
    Id,
    Retry,
    Other,
}

impl Field {
    fn named(name: &[u8]) -> Self {
        match name {
            b"" => Self::Comment,
            b"data" => Self::Data,
            b"event" => Self::Event,
            b"id" => Self::Id,
            b"retry" => Self::Retry,
            _ => Self::Other,
        }
    }
}

/// The effect of a byte of a line.
pub(super) enum Step {
    /// A byte of data.
    Data(u8),
    /// A line has ended: an empty one if it has no field.
    End(Option<Field>),
}

/// A line that is being read. Data is handed out byte by byte; names, and values of other fields, are collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<const ID: usize> {
    /// The name, until there is a field; then its value.
    text: Vec<u8, ID>,
    is_too_long: bool,
    /// `None` before the colon.
    field: Option<Field>,
    /// True right behind the colon, where a space is skipped.
    is_behind_colon: bool,
    /// True after the end of a line, whose value may still be read.
    has_ended: bool,
    /// True after a CR, whose LF is no line of its own.
    is_after_return: bool,
    /// The number of bytes of [`MARK`] that the stream has begun with; all of them after its beginning.
    mark: u8,
}

impl<const ID: usize> Line<ID> {
    /// The first line of a stream.
    pub(super) const FIRST: Self = Self {
        text: Vec::new(),
        is_too_long: false,
        field: None,
        is_behind_colon: false,
        has_ended: false,
        is_after_return: false,
        mark: 0,
    };

    /// Begins the first line of another stream.
    pub(super) fn restart(&mut self) {
        self.clear();
        (self.is_after_return, self.mark) = (false, 0);
    }

    /// Returns the value of the line that has ended; `None` if it was too long.
    pub(super) fn value(&self) -> Option<&[u8]> {
        if self.is_too_long { None } else { Some(&self.text) }
    }

    fn clear(&mut self) {
        self.text.clear();
        (self.is_too_long, self.field, self.is_behind_colon, self.has_ended) = (false, None, false, false);
    }

    /// Takes a byte.
    pub(super) fn take(&mut self, byte: u8) -> Option<Step> {
        if self.skip_mark(byte) {
            return None;
        }
        let is_after_return = core::mem::replace(&mut self.is_after_return, byte == b'\r');
        if is_after_return && byte == b'\n' {
            return None;
        }
        if self.has_ended {
            self.clear();
        }
        match byte {
            b'\r' | b'\n' => Some(self.end()),
            _ => self.take_inside(byte),
        }
    }

    /// Skips a byte of the mark. One that only begins like it is text, of a name that no field has.
    fn skip_mark(&mut self, byte: u8) -> bool {
        let Some(expected) = MARK.get(usize::from(self.mark)) else { return false };
        if byte == *expected {
            self.mark = self.mark.saturating_add(1);
            return true;
        }
        let begun = MARK.get(..usize::from(self.mark)).unwrap_or_default();
        // Two bytes at most, where names of five have room.
        let _ = self.text.extend_from_slice(begun);
        self.mark = u8::MAX;
        false
    }

    fn take_inside(&mut self, byte: u8) -> Option<Step> {
        let is_behind_colon = core::mem::take(&mut self.is_behind_colon);
        match self.field {
            None if byte == b':' => self.end_name(),
            Some(_) if is_behind_colon && byte == b' ' => {}
            Some(Field::Data) => return Some(Step::Data(byte)),
            Some(Field::Comment | Field::Other) => {}
            None | Some(Field::Event | Field::Id | Field::Retry) => self.is_too_long |= self.text.push(byte).is_err(),
        }
        None
    }

    /// Ends the name, and begins the value.
    fn end_name(&mut self) {
        self.field = Some(if self.is_too_long { Field::Other } else { Field::named(&self.text) });
        self.text.clear();
        (self.is_too_long, self.is_behind_colon) = (false, true);
    }

    /// Ends the line. One without a colon is a name, whose value is empty.
    fn end(&mut self) -> Step {
        self.has_ended = true;
        if self.field.is_none() && (self.is_too_long || !self.text.is_empty()) {
            self.end_name();
        }
        Step::End(self.field)
    }
}
