//! The scanner: one pass over a text, without recursion, with one bit of memory for each level.

use super::error::JsonError;

/// The maximum depth of nested objects and arrays.
pub(super) const MAX_DEPTH: u32 = 32;

/// A position in a text, up to which it has been read.
pub(super) struct Scanner<'a> {
    text: &'a str,
    position: usize,
    is_first: bool,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, position: 0, is_first: true }
    }

    /// Creates a scanner at the first member or element of a container; at the end of any other value.
    pub(super) fn inside(text: &'a str, opening: u8) -> Self {
        let mut scanner = Self::new(text);
        if !scanner.take(opening) {
            scanner.position = text.len();
        }
        scanner
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.position >= self.text.len()
    }

    /// Returns the text that has not been read.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// Returns the text between an earlier position and this one. Bytes with a meaning are ASCII, so that no character is
    /// cut.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.position).unwrap_or_default()
    }

    /// Returns the next byte; at the end zero, which has no meaning anywhere.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.position).copied().unwrap_or(0)
    }

    fn next(&mut self) -> u8 {
        let byte = self.peek();
        self.position = self.position.saturating_add(1);
        byte
    }

    fn take(&mut self, expected: u8) -> bool {
        let is_there = self.peek() == expected;
        self.position = self.position.saturating_add(is_there.into());
        is_there
    }

    fn require(&mut self, expected: u8) -> Result<(), JsonError> {
        if self.take(expected) { Ok(()) } else { Err(JsonError::Syntax) }
    }

    pub(super) fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.next();
        }
    }

    /// One value, containers and all.
    pub(super) fn value(&mut self) -> Result<&'a str, JsonError> {
        self.space();
        let start = self.position;
        // One bit a level: whether it is an object.
        let (mut objects, mut depth) = (0u32, 0u32);
        loop {
            self.space();
            match self.next() {
                opening @ (b'{' | b'[') => {
                    if depth == MAX_DEPTH {
                        return Err(JsonError::TooDeep);
                    }
                    depth = depth.saturating_add(1);
                    objects = (objects << 1) | u32::from(opening == b'{');
                    self.space();
                    let is_empty = matches!((opening, self.peek()), (b'{', b'}') | (b'[', b']'));
                    if !is_empty {
                        if opening == b'{' {
                            self.name()?;
                        }
                        continue;
                    }
                }
                b'"' => self.string()?,
                b't' => self.word(b"rue")?,
                b'f' => self.word(b"alse")?,
                b'n' => self.word(b"ull")?,
                first @ (b'-' | b'0'..=b'9') => self.number(first)?,
                _ => return Err(JsonError::Syntax),
            }
            // After a value: what closes closes, a comma asks for the next one.
            loop {
                if depth == 0 {
                    return Ok(self.since(start));
                }
                self.space();
                let is_object = objects & 1 == 1;
                match self.next() {
                    b',' => {
                        if is_object {
                            self.space();
                            self.name()?;
                        }
                        break;
                    }
                    closing if closing == if is_object { b'}' } else { b']' } => {
                        depth = depth.saturating_sub(1);
                        objects >>= 1;
                    }
                    _ => return Err(JsonError::Syntax),
                }
            }
        }
    }

    /// Reads the rest of a word.
    fn word(&mut self, rest: &[u8]) -> Result<(), JsonError> {
        rest.iter().try_for_each(|byte| self.require(*byte))
    }

    /// Reads the name of a member, in its quotation marks, and the colon after it.
    fn name(&mut self) -> Result<&'a str, JsonError> {
        let start = self.position;
        self.require(b'"')?;
        self.string()?;
        let name = self.since(start);
        self.space();
        self.require(b':')?;
        Ok(name)
    }

    /// Reads a string, after its opening quotation mark.
    fn string(&mut self) -> Result<(), JsonError> {
        loop {
            match self.next() {
                b'"' => return Ok(()),
                b'\\' => match self.next() {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            if !self.next().is_ascii_hexdigit() {
                                return Err(JsonError::Syntax);
                            }
                        }
                    }
                    _ => return Err(JsonError::Syntax),
                },
                0..=0x1F => return Err(JsonError::Syntax),
                _ => {}
            }
        }
    }

    /// Reads a number, after its first byte.
    fn number(&mut self, first: u8) -> Result<(), JsonError> {
        let leading = if first == b'-' { self.next() } else { first };
        match leading {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return Err(JsonError::Syntax),
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn skip_digits(&mut self) {
        while self.peek().is_ascii_digit() {
            self.next();
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.next().is_ascii_digit() {
            return Err(JsonError::Syntax);
        }
        self.skip_digits();
        Ok(())
    }

    /// Reads the comma before every member or element but the first, and reports whether one follows.
    fn separator(&mut self) -> bool {
        self.space();
        if !core::mem::take(&mut self.is_first) {
            if !self.take(b',') {
                return false;
            }
            self.space();
        }
        true
    }

    pub(super) fn element(&mut self) -> Option<&'a str> {
        if self.separator() { self.value().ok() } else { None }
    }

    pub(super) fn member(&mut self) -> Option<(&'a str, &'a str)> {
        if !self.separator() {
            return None;
        }
        let name = self.name().ok()?;
        Some((name, self.value().ok()?))
    }
}
