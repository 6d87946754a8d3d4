//! Percent-encoding, of paths, queries and forms alike.

use crate::id::hex_digit;
use core::fmt::{Display, Formatter, Result, Write};

/// Text that is displayed percent-encoded: all but the letters, digits and four signs that [RFC 3986] leaves unreserved.
///
/// A space is `%20`, which paths, queries and forms read alike.
///
/// [RFC 3986]: https://www.rfc-editor.org/rfc/rfc3986#section-2.3
pub(super) struct Encoded<'a>(pub(super) &'a str);

impl Display for Encoded<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                f.write_char(byte.into())?;
            } else {
                f.write_char('%')?;
                for digit in [hex_digit(byte >> 4), hex_digit(byte & 15)] {
                    f.write_char(digit.to_ascii_uppercase().into())?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn f4_what_has_a_meaning_in_a_uri_is_encoded() {
        assert_eq!(Encoded("").to_string(), "");
        assert_eq!(Encoded("aZ09-._~").to_string(), "aZ09-._~");
        assert_eq!(Encoded("a+b c@x/é😀%&=?#'").to_string(), "a%2Bb%20c%40x%2F%C3%A9%F0%9F%98%80%25%26%3D%3F%23%27");
    }
}
