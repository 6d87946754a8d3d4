//! The scanner: one pass over a text, without recursion, with one bit of memory for each level.

use super::{JsonError, MAX_DEPTH, Value};

/// The place in a text up to which it has been looked at.
pub(super) struct Scanner<'a> {
    pub(super) rest: &'a str,
    is_first: bool,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text, is_first: true }
    }

    /// At the first member or element of a container.
    pub(super) fn inside(text: &'a str, opening: char) -> Option<Self> {
        text.strip_prefix(opening).map(Self::new)
    }

    pub(super) fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Takes the next byte. The bytes that mean something are ASCII; a part of any other character is a syntax error.
    fn next(&mut self) -> Result<u8, JsonError> {
        let byte = *self.rest.as_bytes().first().ok_or(JsonError::Syntax)?;
        self.rest = self.rest.get(1..).ok_or(JsonError::Syntax)?;
        Ok(byte)
    }

    fn take(&mut self, expected: &str) -> bool {
        self.rest.strip_prefix(expected).map(|rest| self.rest = rest).is_some()
    }

    fn require(&mut self, expected: &str) -> Result<(), JsonError> {
        if self.take(expected) { Ok(()) } else { Err(JsonError::Syntax) }
    }

    /// The text between an earlier place and this one.
    fn since(&self, start: &'a str) -> &'a str {
        start.get(..start.len().saturating_sub(self.rest.len())).unwrap_or_default()
    }

    /// One value, containers and all.
    pub(super) fn value(&mut self) -> Result<Value<'a>, JsonError> {
        self.space();
        let start = self.rest;
        // One bit a level: whether it is an object.
        let (mut objects, mut depth) = (0u32, 0u32);
        loop {
            self.space();
            match self.next()? {
                opening @ (b'{' | b'[') => {
                    if depth == MAX_DEPTH {
                        return Err(JsonError::TooDeep);
                    }
                    depth = depth.saturating_add(1);
                    objects = (objects << 1) | u32::from(opening == b'{');
                    self.space();
                    let is_empty = self.rest.starts_with(if opening == b'{' { '}' } else { ']' });
                    if !is_empty {
                        if opening == b'{' {
                            self.name()?;
                        }
                        continue;
                    }
                }
                b'"' => self.string()?,
                b't' => self.require("rue")?,
                b'f' => self.require("alse")?,
                b'n' => self.require("ull")?,
                first @ (b'-' | b'0'..=b'9') => self.number(first)?,
                _ => return Err(JsonError::Syntax),
            }
            // After a value: what closes closes, a comma asks for the next one.
            loop {
                if depth == 0 {
                    return Ok(Value(self.since(start)));
                }
                self.space();
                let is_object = objects & 1 == 1;
                match self.next()? {
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

    /// The name of a member and the colon after it.
    fn name(&mut self) -> Result<(), JsonError> {
        self.require("\"")?;
        self.string()?;
        self.space();
        self.require(":")
    }

    /// A string, from behind its opening quotation mark.
    fn string(&mut self) -> Result<(), JsonError> {
        loop {
            let plain = self.rest.bytes().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1F)).count();
            self.rest = self.rest.get(plain..).ok_or(JsonError::Syntax)?;
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            if !self.next()?.is_ascii_hexdigit() {
                                return Err(JsonError::Syntax);
                            }
                        }
                    }
                    _ => return Err(JsonError::Syntax),
                },
                _ => return Err(JsonError::Syntax),
            }
        }
    }

    /// A number, from behind its first byte.
    fn number(&mut self, first: u8) -> Result<(), JsonError> {
        let leading = if first == b'-' { self.next()? } else { first };
        match leading {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return Err(JsonError::Syntax),
        }
        if self.take(".") {
            self.digits()?;
        }
        if self.take("e") || self.take("E") {
            let _sign = self.take("+") || self.take("-");
            self.digits()?;
        }
        Ok(())
    }

    fn skip_digits(&mut self) {
        self.rest = self.rest.trim_start_matches(|character: char| character.is_ascii_digit());
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.next()?.is_ascii_digit() {
            return Err(JsonError::Syntax);
        }
        self.skip_digits();
        Ok(())
    }

    /// The comma before every member or element but the first.
    fn separator(&mut self) -> Option<()> {
        self.space();
        if !core::mem::take(&mut self.is_first) {
            self.require(",").ok()?;
            self.space();
        }
        Some(())
    }

    pub(super) fn element(&mut self) -> Option<Value<'a>> {
        self.separator()?;
        self.value().ok()
    }

    pub(super) fn member(&mut self) -> Option<(&'a str, Value<'a>)> {
        self.separator()?;
        let start = self.rest;
        self.require("\"").ok()?;
        self.string().ok()?;
        let name = self.since(start);
        self.space();
        self.require(":").ok()?;
        Some((name, self.value().ok()?))
    }
}
