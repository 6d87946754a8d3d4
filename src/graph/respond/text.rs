//! Pieces of JSON text: templates, strings, numbers.

use crate::buffer::BufferFull;
use crate::graph::json::Value;
use crate::graph::respond::writer::Writer;
use crate::id::hex_digit;
use crate::time::Duration;

/// Writes a template, with the next of these pieces in place of each star.
pub(crate) fn write_template(writer: &mut dyn Writer, template: &str, pieces: &[&[u8]]) -> Result<(), BufferFull> {
    let mut rest = template.as_bytes();
    let mut pieces = pieces.iter();
    loop {
        let plain = rest.iter().take_while(|byte| **byte != b'*').count();
        let Some((before, after)) = rest.split_at_checked(plain) else { return Ok(()) };
        writer.write(before)?;
        let [_, after @ ..] = after else { return Ok(()) };
        rest = after;
        if let Some(piece) = pieces.next() {
            writer.write(piece)?;
        }
    }
}

/// Writes a JSON string, with the escapes that [`write_escaped`] says.
pub(crate) fn write_string(writer: &mut dyn Writer, text: &str) -> Result<(), BufferFull> {
    writer.write(b"\"")?;
    write_escaped(writer, text, false)?;
    writer.write(b"\"")
}

/// Writes a JSON value as it was written, but for what may end a line.
pub(super) fn write_value(writer: &mut dyn Writer, value: Value<'_>) -> Result<(), BufferFull> {
    write_escaped(writer, value.as_str(), true)
}

/// Writes text, with escapes for what JSON requires, unless it `is_json` already, and for what may end a line.
///
/// Some readers cut text into lines as Unicode does, also at U+0085, U+2028 and U+2029, and terminals obey DEL and the control
/// characters from U+0080 on. So none of them is written: a text in an event of a stream must not look like another event.
fn write_escaped(writer: &mut dyn Writer, text: &str, is_json: bool) -> Result<(), BufferFull> {
    let mut rest = text.as_bytes();
    let mut at = 0_usize;
    while let Some((before, character)) = rest.split_at_checked(at) {
        // What follows the backslash, the length of the escape, and what the second two digits of `\u` say.
        let (kind, page, len, low, after) = match character {
            [low @ (0..=0x1F | 0x7F), after @ ..] | [0xC2, low @ 0x80..=0x9F, after @ ..] => {
                (b'u', b'0', 6, *low, after)
            }
            [0xE2, 0x80, low @ (0xA8 | 0xA9), after @ ..] => (b'u', b'2', 6, *low & 0x3F, after),
            [quoted @ (b'"' | b'\\'), after @ ..] if !is_json => (*quoted, 0, 2, 0, after),
            _ => {
                at = at.saturating_add(1);
                continue;
            }
        };
        writer.write(before)?;
        // One array for both kinds, and one call: a small device pays thirty bytes for another.
        let escape = [b'\\', kind, page, b'0', hex_digit(low >> 4), hex_digit(low & 15)];
        writer.write(escape.get(..len).unwrap_or_default())?;
        (rest, at) = (after, 0);
    }
    writer.write(rest)
}

/// Writes a JSON string, or null.
pub(super) fn write_optional(writer: &mut dyn Writer, text: Option<&str>) -> Result<(), BufferFull> {
    match text {
        Some(text) => write_string(writer, text),
        None => writer.write(b"null"),
    }
}

/// Writes the decimal digits of a number over `text`; a one as the first digit counts `highest`.
///
/// The rest is multiplied by ten again and again. A division would link half a kilobyte into a small device, one of 64 bits a
/// kilobyte.
pub(super) fn digits(text: &mut [u8], number: u64, highest: u64) {
    let mut rest = number;
    for digit in text {
        *digit = b'0';
        while let Some(less) = rest.checked_sub(highest) {
            rest = less;
            *digit = digit.saturating_add(1);
        }
        // It is less than `highest`, so that it does not wrap.
        rest = rest.wrapping_mul(10);
    }
}

/// Returns the three digits of a status.
pub(super) fn status_digits(status: u16) -> [u8; 3] {
    let mut text = [0; 3];
    digits(&mut text, status.into(), 100);
    text
}

/// Writes a length of time in seconds, with up to three decimals.
pub(super) fn write_seconds(writer: &mut dyn Writer, time: Duration) -> Result<(), BufferFull> {
    // Nineteen digits, after a one in the longest times of all.
    const FIRST: u64 = 10_000_000_000_000_000_000;
    let mut text = [b'1'; 20];
    let rest = time.as_millis().checked_sub(FIRST);
    let [first, others @ ..] = &mut text;
    if rest.is_none() {
        *first = b'0';
    }
    digits(others, rest.unwrap_or(time.as_millis()), FIRST / 10);
    let Some((whole, fraction)) = text.split_at_checked(17) else { return Ok(()) };
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    writer.write(whole.get(zeros.min(16)..).unwrap_or_default())?;
    let decimals = fraction.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last.saturating_add(1));
    if decimals > 0 {
        writer.write(b".")?;
        writer.write(fraction.get(..decimals).unwrap_or_default())?;
    }
    Ok(())
}

/// Returns a version as `sequenceNumber`, a string of one letter and ten digits: such strings sort as their versions do.
///
/// Version 0 is null, because nothing visible has ever changed.
pub(super) fn sequence_number(version: u64, text: &mut [u8; 13]) -> &[u8] {
    const LETTER: u64 = 10_000_000_000;
    if version == 0 {
        return b"null";
    }
    let [opening, letter, number @ .., closing] = &mut *text;
    (*opening, *letter, *closing) = (b'"', b'A', b'"');
    let mut rest = version;
    while let Some(less) = rest.checked_sub(LETTER) {
        if *letter == b'Z' {
            // The last number there is, after 260 billion changes of one user.
            rest = LETTER.saturating_sub(1);
            break;
        }
        (*letter, rest) = (letter.saturating_add(1), less);
    }
    digits(number, rest, LETTER / 10);
    text
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::graph::respond::writer::Buffer;
    use std::string::String;

    fn written(write: impl FnOnce(&mut dyn Writer) -> Result<(), BufferFull>) -> String {
        let mut bytes = [0; 256];
        let mut buffer = Buffer::new(&mut bytes);
        write(&mut buffer).unwrap();
        String::from_utf8(buffer.written().to_vec()).unwrap()
    }

    #[test]
    fn v1_sequence_numbers_sort_as_strings() {
        let text = |version| written(|writer| writer.write(sequence_number(version, &mut [0; 13])));
        assert_eq!(text(0), "null");
        assert_eq!(text(1), "\"A0000000001\"");
        assert_eq!(text(129_311_063), "\"A0129311063\"");
        assert_eq!(text(9_999_999_999), "\"A9999999999\"");
        assert_eq!(text(10_000_000_000), "\"B0000000000\"");
        assert_eq!(text(259_999_999_999), "\"Z9999999999\"");
        assert_eq!(text(260_000_000_000), "\"Z9999999999\"");
        assert_eq!(text(u64::MAX), "\"Z9999999999\"");
        let versions = [1, 2, 9, 10, 99, 9_999_999_999, 10_000_000_000, 19_999_999_999, 20_000_000_000];
        assert!(versions.is_sorted_by_key(|&version| text(version)));
    }

    #[test]
    fn seconds_have_up_to_three_decimals() {
        for (millis, expected) in [
            (0, "0"),
            (1, "0.001"),
            (10, "0.01"),
            (100, "0.1"),
            (999, "0.999"),
            (1000, "1"),
            (1500, "1.5"),
            (300_000, "300"),
            (300_125, "300.125"),
            (10_000, "10"),
            (u64::MAX, "18446744073709551.615"),
        ] {
            assert_eq!(written(|writer| write_seconds(writer, Duration::from_millis(millis))), expected);
        }
    }

    /// At each place of texts of any length.
    #[test]
    fn what_may_end_a_line_is_escaped_at_every_place() {
        let characters = [
            ('\u{2028}', r"\u2028"),
            ('\u{2029}', r"\u2029"),
            ('\n', r"\u000a"),
            ('\u{85}', r"\u0085"),
            ('"', r#"\""#),
        ];
        for length in [0, 1, 31, 32, 33, 63, 64, 65, 100] {
            for (place, (character, escape)) in (0..=length).flat_map(|place| characters.map(|one| (place, one))) {
                let (before, after) = ("x".repeat(place), "é".repeat(length - place));
                let text = std::format!("{before}{character}{after}");
                let expected = std::format!("\"{before}{escape}{after}\"");
                assert_eq!(written(|writer| write_string(writer, &text)), expected);
            }
        }
    }

    #[test]
    fn strings_are_escaped() {
        for text in ["", "plain", "a\"b", "\\", "\u{0}\u{1f}\n", "é😀\"\"\\\\x", "\"", "tail\t"] {
            let json = written(|writer| write_string(writer, text));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
        let shortest = r#""\"\\\u000a\u001f""#;
        assert_eq!(written(|writer| write_string(writer, "\"\\\n\u{1f}")), shortest, "no more than must be");
    }

    /// Beside what JSON requires, nothing else is escaped. In a value that is JSON already, the rest stays as it was written.
    #[test]
    fn what_may_end_a_line_is_escaped() {
        let all = (0..=0x3000).chain(0xFFF0..=0x1_0010).chain(0x10_FFF0..=0x10_FFFF).filter_map(char::from_u32);
        for character in all {
            let text = std::format!("a{character}{character}b");
            let is_unsafe = character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
            let one = match character {
                '"' | '\\' => std::format!("\\{character}"),
                _ if is_unsafe => std::format!("\\u{:04x}", u32::from(character)),
                _ => String::from(character),
            };
            let json = written(|writer| write_string(writer, &text));
            assert_eq!(json, std::format!("\"a{one}{one}b\""));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            if character >= ' ' && !matches!(character, '"' | '\\') {
                let value = std::format!("\"\\\"{text}\\u2028\"");
                let echoed = written(|writer| write_value(writer, Value::parse(value.as_bytes()).unwrap()));
                assert_eq!(echoed, std::format!("\"\\\"a{one}{one}b\\u2028\""));
            }
        }
    }
}
