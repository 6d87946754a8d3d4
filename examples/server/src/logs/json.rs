//! Lines of JSON in ASCII alone: whatever a text holds, a line has one end, and no reader takes another character for it.
//!
//! JSON itself allows U+2028 and U+0085 in texts, which some readers of lines take for ends; here they are escaped, as is all
//! that is not printable ASCII. Bytes that are no UTF-8 become U+FFFD.

use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};
use std::io;

/// A text of a client: at most so many of its bytes are written, whatever they are. One that is cut ends in `…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientText(String);

impl ClientText {
    /// Copies at most `longest` bytes.
    pub fn new(bytes: &[u8], longest: usize) -> Self {
        match bytes.get(..longest).filter(|_| bytes.len() > longest) {
            Some(kept) => {
                // A character that the cut has split is left out.
                let whole = (0..4).map(|cut| &kept[..kept.len().saturating_sub(cut)]);
                let text = whole.map(std::str::from_utf8).find_map(Result::ok).map(str::to_owned);
                Self(text.unwrap_or_else(|| String::from_utf8_lossy(kept).into_owned()) + "…")
            }
            None => Self(String::from_utf8_lossy(bytes).into_owned()),
        }
    }
}

impl Serialize for ClientText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Appends a value as a line.
pub fn append_line(lines: &mut Vec<u8>, value: &impl Serialize) {
    let start = lines.len();
    match value.serialize(&mut serde_json::Serializer::with_formatter(&mut *lines, Ascii)) {
        Ok(()) => lines.push(b'\n'),
        // Writing to memory does not fail, and no value here has keys that are no texts.
        Err(_) => lines.truncate(start),
    }
}

/// Writes texts in printable ASCII.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut units = [0; 2];
        let mut rest = fragment;
        while let Some(position) = rest.find(|character| !matches!(character, ' '..='~')) {
            let (plain, after) = rest.split_at(position);
            CompactFormatter.write_string_fragment(writer, plain)?;
            let mut characters = after.chars();
            for unit in characters.next().unwrap_or_default().encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = characters.as_str();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Serialize)]
    struct Line<'a> {
        path: ClientText,
        agent: Option<ClientText>,
        name: &'a str,
    }

    /// Reads a line with a parser that knows nothing of this file.
    fn read(line: &[u8]) -> serde_json::Value {
        let text = std::str::from_utf8(line).unwrap();
        assert!(text.ends_with('\n') && text.trim_end_matches('\n').bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(text).unwrap()
    }

    proptest! {
        #[test]
        fn a_line_is_one_whatever_it_says(
            path in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..300),
                any::<String>().prop_map(String::into_bytes),
                "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{2029}\u{feff}\"\\\\\u{10ffff}]{0,40}".prop_map(String::into_bytes),
            ],
            name in any::<String>(),
        ) {
            let mut lines = b"before\n".to_vec();
            let path_text = ClientText::new(&path, 4096);
            append_line(&mut lines, &Line { path: path_text, agent: None, name: &name });
            let line = read(&lines["before\n".len()..]);
            prop_assert_eq!(line["path"].as_str().unwrap(), String::from_utf8_lossy(&path));
            prop_assert_eq!(line["name"].as_str().unwrap(), name);
        }

        #[test]
        fn a_long_text_is_cut(text in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..300), longest in 0..64usize) {
            let ClientText(cut) = ClientText::new(text.as_bytes(), longest);
            match cut.strip_suffix('…').filter(|_| text.len() > longest) {
                Some(kept) => prop_assert!(text.starts_with(kept) && kept.len() <= longest && longest - kept.len() < 4),
                None => prop_assert_eq!(&cut, &text),
            }
            let ClientText(cut) = ClientText::new(&bytes, longest);
            // Each byte that is no text is one character of three bytes.
            prop_assert!(cut.len() <= 3 * (longest + 1));
        }
    }
}
