//! Bytes out and in, numbers as short as they can be, and the checksum.

use super::{Field, RestoreError};
use crate::buffer::BufferFull;

/// The bits of a number in each of its bytes, the low ones first; the eighth bit says that more follow.
const BITS: u32 = 7;
const MORE: u8 = 1 << BITS;

/// The most bytes that a number takes.
pub(super) const NUMBER_LEN: usize = u64::BITS.div_ceil(BITS) as usize;

/// Fills a buffer from its beginning, and counts on when it is full: whoever is done asks whether all of it found room.
pub(super) struct Writer<'a> {
    buffer: &'a mut [u8],
    length: usize,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, length: 0 }
    }

    /// What has been written, if it found room.
    pub(super) fn written(self) -> Result<&'a [u8], BufferFull> {
        self.buffer.get(..self.length).ok_or(BufferFull)
    }

    pub(super) fn byte(&mut self, byte: u8) {
        if let Some(cell) = self.buffer.get_mut(self.length) {
            *cell = byte;
        }
        self.length = self.length.saturating_add(1);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.byte(byte));
    }

    pub(super) fn number(&mut self, number: u64) {
        let mut rest = number;
        while rest >= u64::from(MORE) {
            // The low bits: truncation is what is meant.
            self.byte(rest as u8 | MORE);
            rest >>= BITS;
        }
        self.byte(rest as u8);
    }

    /// Ends with the checksum of everything before.
    pub(super) fn seal(&mut self) {
        let checksum = checksum(self.buffer.get(..self.length).unwrap_or_default());
        self.bytes(&checksum.to_le_bytes());
    }
}

/// Walks through bytes from their beginning. It remembers the first thing that is wrong and goes on with zeros, so that what
/// is read is read in one line: whoever is done asks, and believes nothing before.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    wrong: Option<RestoreError>,
}

impl<'a> Reader<'a> {
    /// The bytes before a checksum, if it is theirs.
    pub(super) fn unsealed(bytes: &'a [u8]) -> Result<Self, RestoreError> {
        let (rest, expected) = bytes.split_last_chunk().ok_or(RestoreError::Length)?;
        if checksum(rest) == u32::from_le_bytes(*expected) {
            Ok(Self { rest, wrong: None })
        } else {
            Err(RestoreError::Checksum)
        }
    }

    /// Remembers that something is wrong. Never inlined: it is called often, and seldom does anything.
    #[inline(never)]
    pub(super) fn refuse(&mut self, error: RestoreError) {
        self.wrong = self.wrong.or(Some(error));
    }

    /// Whether everything has been read and nothing was wrong.
    pub(super) const fn finish(self) -> Result<(), RestoreError> {
        match self.wrong {
            Some(wrong) => Err(wrong),
            None if self.rest.is_empty() => Ok(()),
            None => Err(RestoreError::Length),
        }
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    pub(super) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let Some((bytes, rest)) = self.rest.split_at_checked(count) else {
            // Nothing is looked at again: a number without an end could otherwise stand where each number is expected.
            self.rest = &[];
            self.refuse(RestoreError::Length);
            return &[];
        };
        self.rest = rest;
        bytes
    }

    /// A number, if it is written as short as it can be: one value, one form.
    pub(super) fn number(&mut self) -> u64 {
        let more = self.rest.iter().take_while(|byte| **byte & MORE != 0).count();
        let bytes = self.bytes(more.saturating_add(1));
        let mut number: u64 = 0;
        for &byte in bytes.iter().rev() {
            // A leading zero, or more than 64 bits.
            if number == 0 && byte & !MORE == 0 && more > 0 || number >> (u64::BITS - BITS) != 0 {
                self.refuse(RestoreError::Invalid(Field::Number));
                return 0;
            }
            number = number << BITS | u64::from(byte & !MORE);
        }
        number
    }
}

/// CRC-32C (Castagnoli). In snapshots of up to 655 bytes it finds every change of up to five bits wherever they are, and in
/// any snapshot every change within 32 bits in a row. Bit by bit: a table would take a kilobyte.
fn checksum(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82F6_3B78;
    let mut remainder = u32::MAX;
    for &byte in bytes {
        remainder ^= u32::from(byte);
        for _ in 0..u8::BITS {
            let polynomial = if remainder & 1 == 0 { 0 } else { POLYNOMIAL };
            remainder = remainder >> 1 ^ polynomial;
        }
    }
    !remainder
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value that the catalogues of checksums give.
    #[test]
    fn the_checksum_is_crc_32c() {
        assert_eq!(checksum(b"123456789"), 0xE306_9283);
        assert_eq!(checksum(&[0; 32]), 0x8A91_36AA, "RFC 3720, B.4");
        assert_eq!(checksum(&[0xFF; 32]), 0x62A8_AB43, "RFC 3720, B.4");
    }

    fn read(bytes: &[u8]) -> Result<u64, RestoreError> {
        let mut reader = Reader { rest: bytes, wrong: None };
        let number = reader.number();
        reader.finish().map(|()| number)
    }

    #[test]
    fn a_number_has_one_form() {
        for number in (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u64::MAX]) {
            let mut buffer = [0; NUMBER_LEN];
            let mut writer = Writer::new(&mut buffer);
            writer.number(number);
            let written = writer.written().unwrap();
            assert_eq!(read(written), Ok(number));
            assert_eq!(read(&written[1..]).is_ok(), written.len() > 1);
            assert_eq!(read(&written[..written.len() - 1]), Err(RestoreError::Length));
        }
        let refused = Err(RestoreError::Invalid(Field::Number));
        assert_eq!(read(&[0x80, 0]), refused, "zero in two bytes");
        assert_eq!(read(&[0x81, 0x80, 0]), refused, "one in three bytes");
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]), Ok(u64::MAX));
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2]), refused, "65 bits");
        assert_eq!(read(&[0x80; 40]), Err(RestoreError::Length), "no end");
        let mut long = [0x80; 41];
        long[40] = 1;
        assert_eq!(read(&long), refused, "281 bits");
    }

    #[test]
    fn the_first_thing_wrong_is_told() {
        let mut reader = Reader { rest: &[0x80, 0], wrong: None };
        assert_eq!((reader.number(), reader.byte(), reader.bytes(3)), (0, 0, [].as_slice()));
        assert_eq!(reader.finish(), Err(RestoreError::Invalid(Field::Number)));
    }
}
