//! What a device is: its board, and its number among others of its kind.

/// The board of a device, and its serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Identity {
    /// The name of the board, as in `build BOARD`.
    pub board: &'static str,
    /// The number that no other board of its kind has; `None` if the board has none.
    pub serial_number: Option<u64>,
}

impl Identity {
    /// The version of the firmware.
    pub const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    /// Returns the serial number in sixteen hexadecimal digits.
    #[must_use]
    pub fn serial_digits(self) -> Option<[u8; 16]> {
        let number = self.serial_number?;
        let mut digits = [0; 16];
        for (place, digit) in digits.iter_mut().rev().enumerate() {
            let value = (number >> (4 * place)) as u8 & 15;
            *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
        }
        Some(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_has_sixteen_digits() {
        let digits = |serial_number| Identity { board: "x", serial_number }.serial_digits();
        assert_eq!(digits(None), None);
        assert_eq!(digits(Some(0x0123_4567_89AB_CDEF)).as_ref(), Some(b"0123456789abcdef"));
        assert_eq!(digits(Some(0x5254_0012_3456)).as_ref(), Some(b"0000525400123456"));
    }
}
