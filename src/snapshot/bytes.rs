//! Writing and reading bytes, variable-length numbers, and the checksum.

use super::RestoreError;
use crate::buffer::BufferFull;

/// The bits of a number in each of its bytes, the low ones first.
const BITS: u32 = 7;
/// The bit that says that another byte follows.
const MORE: u8 = 1 << BITS;

/// The longest encoding of a number, in bytes.
pub(super) const NUMBER_LEN: usize = u64::BITS.div_ceil(BITS) as usize;

/// A writer to a buffer. It counts what does not fit; [`finish`](Self::finish) reports it.
pub(super) struct Writer<'a> {
    buffer: &'a mut [u8],
    length: usize,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, length: 0 }
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

    /// Writes a number in LEB128, in as few bytes as possible.
    pub(super) fn number(&mut self, number: u64) {
        let mut rest = number;
        while rest >= u64::from(MORE) {
            // The low bits: truncation is what is meant.
            self.byte(rest as u8 | MORE);
            rest >>= BITS;
        }
        self.byte(rest as u8);
    }

    /// Appends the checksum and returns all that was written, if it fits the buffer.
    pub(super) fn finish(mut self) -> Result<&'a [u8], BufferFull> {
        let checksum = checksum(self.buffer.get(..self.length).unwrap_or_default());
        self.bytes(&checksum.to_le_bytes());
        self.buffer.get(..self.length).ok_or(BufferFull)
    }
}

/// A reader of bytes that keeps the first error and continues with zeros.
///
/// So reading needs no `?` at each step. Nothing that was read is trusted before [`finish`](Self::finish) has succeeded.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    error: Option<RestoreError>,
}

impl<'a> Reader<'a> {
    /// Creates a reader of the bytes before the checksum, if that matches them.
    pub(super) fn verify(bytes: &'a [u8]) -> Result<Self, RestoreError> {
        let (rest, expected) = bytes.split_last_chunk().ok_or(RestoreError::Length)?;
        if checksum(rest) == u32::from_le_bytes(*expected) {
            Ok(Self { rest, error: None })
        } else {
            Err(RestoreError::Checksum)
        }
    }

    /// Keeps an error, if it is the first. Never inlined: it has many callers, and is seldom reached.
    #[inline(never)]
    pub(super) fn fail(&mut self, error: RestoreError) {
        self.error = self.error.or(Some(error));
    }

    /// Returns the first error, or [`RestoreError::Length`] if something has not been read.
    pub(super) const fn finish(self) -> Result<(), RestoreError> {
        match self.error {
            Some(error) => Err(error),
            None if self.rest.is_empty() => Ok(()),
            None => Err(RestoreError::Length),
        }
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    pub(super) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let Some((bytes, rest)) = self.rest.split_at_checked(count) else {
            // Nothing is read twice: otherwise a number without an end could be scanned again for every number expected.
            self.rest = &[];
            self.fail(RestoreError::Length);
            return &[];
        };
        self.rest = rest;
        bytes
    }

    /// Reads a number, which must be encoded in as few bytes as possible: each value has one encoding.
    pub(super) fn number(&mut self) -> u64 {
        let more = self.rest.iter().take_while(|byte| **byte & MORE != 0).count();
        let bytes = self.bytes(more.saturating_add(1));
        let mut number: u64 = 0;
        for &byte in bytes.iter().rev() {
            // A leading zero, or more than 64 bits.
            if number == 0 && byte & !MORE == 0 && more > 0 || number >> (u64::BITS - BITS) != 0 {
                self.fail(RestoreError::Number);
                return 0;
            }
            number = number << BITS | u64::from(byte & !MORE);
        }
        number
    }
}

/// Computes the CRC-32C (Castagnoli).
///
/// It detects every change of up to five bits in snapshots of up to 655 bytes, and every change within 32 consecutive bits
/// in any snapshot. Bit by bit: a table would take a kilobyte.
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

    /// The check values of the catalogue of CRCs and of RFC 3720.
    #[test]
    fn the_checksum_is_crc_32c() {
        assert_eq!(checksum(b"123456789"), 0xE306_9283);
        assert_eq!(checksum(&[0; 32]), 0x8A91_36AA, "RFC 3720, B.4");
        assert_eq!(checksum(&[0xFF; 32]), 0x62A8_AB43, "RFC 3720, B.4");
    }

    fn read(bytes: &[u8]) -> Result<u64, RestoreError> {
        let mut reader = Reader { rest: bytes, error: None };
        let number = reader.number();
        reader.finish().map(|()| number)
    }

    #[test]
    fn a_number_has_one_encoding() {
        for number in (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u64::MAX]) {
            let mut buffer = [0; NUMBER_LEN];
            let mut writer = Writer::new(&mut buffer);
            writer.number(number);
            let length = writer.length;
            let written = &buffer[..length];
            assert_eq!(read(written), Ok(number));
            assert_eq!(read(&written[1..]).is_ok(), written.len() > 1);
            assert_eq!(read(&written[..written.len() - 1]), Err(RestoreError::Length));
        }
        let error = Err(RestoreError::Number);
        assert_eq!(read(&[0x80, 0]), error, "zero in two bytes");
        assert_eq!(read(&[0x81, 0x80, 0]), error, "one in three bytes");
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]), Ok(u64::MAX));
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2]), error, "65 bits");
        assert_eq!(read(&[0x80; 40]), Err(RestoreError::Length), "no end");
        let mut long = [0x80; 41];
        long[40] = 1;
        assert_eq!(read(&long), error, "281 bits");
    }

    #[test]
    fn the_first_error_is_reported() {
        let mut reader = Reader { rest: &[0x80, 0], error: None };
        assert_eq!((reader.number(), reader.byte(), reader.bytes(3)), (0, 0, [].as_slice()));
        assert_eq!(reader.finish(), Err(RestoreError::Number));
    }
}
