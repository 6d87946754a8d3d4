//! Percent-encoding, of paths, queries and forms alike.

use crate::buffer::BufferFull;
use crate::graph::Writer;
use crate::id::hex_digit;

/// Writes text percent-encoded: all but the letters, digits and four signs that [RFC 3986] leaves unreserved.
///
/// A space is `%20`, which paths, queries and forms read alike.
///
/// [RFC 3986]: https://www.rfc-editor.org/rfc/rfc3986#section-2.3
pub(super) fn write_encoded(writer: &mut dyn Writer, text: &str) -> Result<(), BufferFull> {
    let mut rest = text.as_bytes();
    loop {
        let plain = rest.iter().take_while(|byte| is_unreserved(**byte)).count();
        let Some((before, after)) = rest.split_at_checked(plain) else { return Ok(()) };
        writer.write(before)?;
        let [byte, after @ ..] = after else { return Ok(()) };
        let digits = [hex_digit(byte >> 4), hex_digit(byte & 15)].map(|digit| digit.to_ascii_uppercase());
        writer.write(b"%")?;
        writer.write(&digits)?;
        rest = after;
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::request::written::written_text;

    #[test]
    fn f4_what_has_a_meaning_in_a_uri_is_encoded() {
        for (text, expected) in [
            ("", ""),
            ("aZ09-._~", "aZ09-._~"),
            (" ", "%20"),
            ("a+b c@x/é😀%&=?#'", "a%2Bb%20c%40x%2F%C3%A9%F0%9F%98%80%25%26%3D%3F%23%27"),
        ] {
            let mut buffer = [0; 64];
            assert_eq!(written_text(&mut buffer, |writer| write_encoded(writer, text)), Ok(expected));
        }
    }
}
