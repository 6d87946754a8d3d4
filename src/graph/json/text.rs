//! The text of a JSON string: escapes are decoded as it is read.

use crate::buffer::BufferFull;
use crate::id::hex_value;
use heapless::VecView;

/// The bytes of a string's text, decoded.
///
/// They are UTF-8, but for a surrogate without its partner: it gives three bytes that are not UTF-8, so that it equals itself in
/// any spelling, and no text.
#[derive(Clone)]
pub(in super::super) struct Decoded<'a> {
    rest: &'a [u8],
    /// The remaining bytes of a character, the next one lowest.
    pending: u32,
}

impl<'a> Decoded<'a> {
    /// Decodes the validated text between two quotation marks.
    pub(in super::super) const fn new(inside: &'a str) -> Self {
        Self { rest: inside.as_bytes(), pending: 0 }
    }

    fn take(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// Reads four hexadecimal digits.
    fn unit(&mut self) -> u32 {
        let mut unit = 0;
        for _ in 0..4 {
            unit = (unit << 4) | u32::from(self.take().and_then(hex_value).unwrap_or(0));
        }
        unit
    }

    /// Reads what follows `\u`; a character outside the first plane takes two such escapes.
    fn character(&mut self) -> u32 {
        let high = self.unit();
        let after_high = self.rest;
        if matches!(high, 0xD800..=0xDBFF) && self.take() == Some(b'\\') && self.take() == Some(b'u') {
            let low = self.unit();
            if matches!(low, 0xDC00..=0xDFFF) {
                return (((high & 0x3FF) << 10) | (low & 0x3FF)).saturating_add(0x1_0000);
            }
        }
        self.rest = after_high;
        high
    }

    /// Counts the bytes; `None` of half a surrogate pair.
    #[cfg(feature = "details")]
    pub(super) fn text_len(self) -> Option<usize> {
        let mut before = 0;
        self.map(|byte| core::mem::replace(&mut before, byte) != 0xED || byte < 0xA0)
            .try_fold(0_usize, |length, is_text| is_text.then(|| length.saturating_add(1)))
    }
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.pending != 0 {
            let next = self.pending as u8;
            self.pending >>= 8;
            return Some(next);
        }
        let first = self.take()?;
        if first != b'\\' {
            return Some(first);
        }
        let mut character = match self.take()? {
            b'b' => 8,
            b'f' => 12,
            b'n' => 10,
            b'r' => 13,
            b't' => 9,
            b'u' => self.character(),
            other => other.into(),
        };
        if character < 0x80 {
            return Some(character as u8);
        }
        // Six bits for each byte that follows; each takes one bit from the first byte as well.
        let mut mark = 0x80;
        while mark == 0x80 || character > (0xFF ^ mark) >> 1 {
            self.pending = (self.pending << 8) | 0x80 | (character & 0x3F);
            character >>= 6;
            mark = 0x80 | (mark >> 1);
        }
        Some((mark | character) as u8)
    }
}

/// Decodes the text between two quotation marks into `buffer`, unless nothing in it is escaped.
///
/// `None` of a text that does not fit, and of half a surrogate pair.
pub(in super::super) fn decode<'b>(inside: &'b str, buffer: &'b mut VecView<u8>) -> Option<&'b str> {
    if !inside.bytes().any(|byte| byte == b'\\') {
        return Some(inside);
    }
    buffer.clear();
    for byte in Decoded::new(inside) {
        buffer.push(byte).ok()?;
    }
    core::str::from_utf8(buffer).ok()
}

/// Decodes the text between two quotation marks into `buffer`, unless nothing in it is escaped; `None` of half a surrogate
/// pair.
///
/// For applications, whose buffers are plain bytes; [`decode`] needs none that are initialised.
pub(super) fn decode_into<'b>(inside: &'b str, buffer: &'b mut [u8]) -> Result<Option<&'b str>, BufferFull> {
    if !inside.bytes().any(|byte| byte == b'\\') {
        return Ok(Some(inside));
    }
    let mut length = 0_usize;
    for byte in Decoded::new(inside) {
        *buffer.get_mut(length).ok_or(BufferFull)? = byte;
        length = length.saturating_add(1);
    }
    Ok(core::str::from_utf8(buffer.get(..length).unwrap_or_default()).ok())
}

/// Decodes the beginning of the text between two quotation marks into `buffer`: as many characters as have room. Half a
/// surrogate pair is U+FFFD.
#[cfg(feature = "client")]
pub(super) fn decode_start<'b>(inside: &str, buffer: &'b mut [u8]) -> &'b str {
    let mut length = 0_usize;
    for (to, byte) in buffer.iter_mut().zip(Decoded::new(inside)) {
        *to = byte;
        length = length.saturating_add(1);
    }
    let text = buffer.get_mut(..length).unwrap_or_default();
    // Of the characters that UTF-8 has, none begins so: this is half a pair, and takes as many bytes as what replaces it.
    let mut rest = &mut *text;
    while let Some(start) = rest.iter().position(|byte| *byte == 0xED) {
        let character = core::mem::take(&mut rest).get_mut(start..).unwrap_or_default();
        if let [first, second, third, ..] = character
            && *second >= 0xA0
        {
            (*first, *second, *third) = (0xEF, 0xBF, 0xBD);
        }
        rest = character.get_mut(1..).unwrap_or_default();
    }
    let text = &*text;
    match core::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => core::str::from_utf8(text.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default(),
    }
}
