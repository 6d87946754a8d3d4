//! Bytes out and in, numbers as short as they can be, and the checksum.

use super::{Field, NoRoom, RestoreError};

/// The bits of a number in each of its bytes, the low ones first; the eighth bit says that more follow.
const BITS: u32 = 7;
const MORE: u8 = 1 << BITS;

/// The most bytes that a number takes.
pub(super) const NUMBER_LEN: usize = u64::BITS.div_ceil(BITS) as usize;

/// Fills a buffer from its beginning.
pub(super) struct Writer<'a> {
    rest: &'a mut [u8],
}

impl<'a> Writer<'a> {
    pub(super) const fn new(buffer: &'a mut [u8]) -> Self {
        Self { rest: buffer }
    }

    /// How many bytes are still free.
    pub(super) const fn room(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn byte(&mut self, byte: u8) -> Result<(), NoRoom> {
        let (first, rest) = core::mem::take(&mut self.rest).split_first_mut().ok_or(NoRoom)?;
        *first = byte;
        self.rest = rest;
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), NoRoom> {
        bytes.iter().try_for_each(|&byte| self.byte(byte))
    }

    pub(super) fn number(&mut self, number: u64) -> Result<(), NoRoom> {
        let mut rest = number;
        while rest >= u64::from(MORE) {
            // The low bits: truncation is what is meant.
            self.byte(rest as u8 | MORE)?;
            rest >>= BITS;
        }
        self.byte(rest as u8)
    }
}

/// Walks through bytes from their beginning.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything has been read.
    pub(super) const fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, RestoreError> {
        let (&first, rest) = self.rest.split_first().ok_or(RestoreError::Length)?;
        self.rest = rest;
        Ok(first)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], RestoreError> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(RestoreError::Length)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A number, if it is written as short as it can be: one value, one form.
    pub(super) fn number(&mut self) -> Result<u64, RestoreError> {
        let last = self.rest.iter().position(|byte| byte & MORE == 0).ok_or(RestoreError::Length)?;
        let bytes = self.bytes(last.saturating_add(1))?;
        let mut number: u64 = 0;
        for &byte in bytes.iter().rev() {
            // A leading zero, or more than 64 bits.
            if number == 0 && byte & !MORE == 0 && bytes.len() > 1 || number >> (u64::BITS - BITS) != 0 {
                return Err(RestoreError::Invalid(Field::Number));
            }
            number = number << BITS | u64::from(byte & !MORE);
        }
        Ok(number)
    }
}

/// CRC-32C (Castagnoli). In snapshots of up to 655 bytes it finds every change of up to five bits wherever they are, and in
/// any snapshot every change within 32 bits in a row. Bit by bit: a table would take a kilobyte.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
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

    #[test]
    fn a_number_has_one_form() {
        for number in (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u64::MAX]) {
            let mut buffer = [0; NUMBER_LEN];
            let mut writer = Writer::new(&mut buffer);
            writer.number(number).unwrap();
            let length = NUMBER_LEN - writer.room();
            let mut reader = Reader::new(&buffer[..length]);
            assert_eq!((reader.number(), reader.is_done()), (Ok(number), true));
            assert_eq!(Reader::new(&buffer[..length - 1]).number(), Err(RestoreError::Length));
        }
        let read = |bytes: &[u8]| Reader::new(bytes).number();
        let refused = Err(RestoreError::Invalid(Field::Number));
        assert_eq!(read(&[0x80, 0]), refused, "zero in two bytes");
        assert_eq!(read(&[0x81, 0x80, 0]), refused, "one in three bytes");
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]), Ok(u64::MAX));
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2]), refused, "65 bits");
        assert_eq!(read(&[0x80; 40]), Err(RestoreError::Length), "no end");
        assert_eq!(read(&[[0x80; 40].as_slice(), &[1]].concat()), refused, "281 bits");
    }
}
