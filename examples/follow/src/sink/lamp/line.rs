//! The bytes of a lamp, as lines.

/// The longest line that is kept. A lamp's are shorter; what is longer is from another device.
const LONGEST: usize = 8 * 1024;

/// The beginning of a line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    is_too_long: bool,
}

impl Lines {
    /// Creates an empty buffer.
    pub(super) const fn new() -> Self {
        Self { begun: Vec::new(), is_too_long: false }
    }

    /// Takes bytes, and hands out the lines that they end; none that is too long.
    pub(super) fn push(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => {
                    if !self.is_too_long && !self.begun.is_empty() {
                        take(&self.begun);
                    }
                    self.begun.clear();
                    self.is_too_long = false;
                }
                _ if self.begun.len() == LONGEST => self.is_too_long = true,
                _ => self.begun.push(*byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut taken) = (Lines::new(), Vec::new());
        for piece in pieces {
            lines.push(piece, |line| taken.push(String::from_utf8_lossy(line).into_owned()));
        }
        taken
    }

    #[test]
    fn lines_end_as_any_system_ends_them() {
        assert_eq!(lines(&[b"a\nb\r\nc\rd", b"e", b"\n\n", b"f"]), ["a", "b", "c", "de"]);
    }

    #[test]
    fn a_line_that_is_too_long_takes_no_other_with_it() {
        let long = vec![b'x'; LONGEST + 1];
        assert_eq!(lines(&[b"a\n", &long, &long, b"\nb\n"]), ["a", "b"]);
        assert_eq!(lines(&[&long[1..], b"\n"]), [String::from_utf8_lossy(&long[1..])]);
    }
}
