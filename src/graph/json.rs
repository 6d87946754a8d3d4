//! JSON text, validated whole before anything is made of it, then walked where it lies.
//!
//! The scanner is iterative and its memory does not grow with the text: one bit for each of at most [`MAX_DEPTH`] levels.
//! It stands before serde-json-core, which decodes single members and would recurse without limit, and skip garbage, on
//! text that nobody has looked at.

use crate::id::hex_value;
use serde_json_core::str::{EscapedStr, EscapedStringFragment};

/// How deeply objects and arrays may be nested.
pub const MAX_DEPTH: u32 = 32;

/// Why a text is not JSON that is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum JsonError {
    /// It is not UTF-8.
    NotUtf8,
    /// It is not JSON.
    Syntax,
    /// It is nested more deeply than [`MAX_DEPTH`].
    TooDeep,
}

impl core::fmt::Display for JsonError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "not UTF-8",
            Self::Syntax => "not JSON",
            Self::TooDeep => "nested too deeply",
        })
    }
}

impl core::error::Error for JsonError {}

/// The same member stands twice in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DuplicateMember;

impl core::fmt::Display for DuplicateMember {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the same member stands twice")
    }
}

impl core::error::Error for DuplicateMember {}

/// A JSON value where it lies in its text, already validated.
///
/// ```
/// use presence_core::graph::json::Value;
///
/// let value = Value::parse(br#" {"ids": ["a", "b"], "more": {"ids": 1}} "#)?;
/// let ids = value.member("ids")?.expect("a member");
/// assert_eq!(ids.elements().count(), 2);
/// assert!(ids.elements().next().is_some_and(|id| id.is_text("a")));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// The value null.
    pub const NULL: Self = Self("null");

    /// Validates a text that is one JSON value, with white space around it. O(bytes), in bounded memory.
    ///
    /// # Errors
    ///
    /// [`JsonError`] says what is wrong.
    pub fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        let text = core::str::from_utf8(text).map_err(|_| JsonError::NotUtf8)?;
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.space();
        if scanner.rest.is_empty() { Ok(value) } else { Err(JsonError::Syntax) }
    }

    /// The text of the value, as it was written. O(1).
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether this is an object. O(1).
    #[must_use]
    pub fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Whether this is an array. O(1).
    #[must_use]
    pub fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    /// Whether this is null. O(1).
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The members of an object, in order; none of anything else. Names are quoted and as they were written. O(bytes) to
    /// exhaust.
    pub fn members(self) -> impl Iterator<Item = (&'a str, Self)> {
        let mut inside = Scanner::inside(self.0, '{');
        core::iter::from_fn(move || inside.as_mut()?.member())
    }

    /// The elements of an array, in order; none of anything else. O(bytes) to exhaust.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        let mut inside = Scanner::inside(self.0, '[');
        core::iter::from_fn(move || inside.as_mut()?.element())
    }

    /// The member of an object that has this name, however it is escaped; null counts as absent. O(bytes).
    ///
    /// # Errors
    ///
    /// [`DuplicateMember`] when there are two of that name. Rule H2.
    pub fn member(self, name: &str) -> Result<Option<Self>, DuplicateMember> {
        let mut named =
            self.members().filter(|(quoted, _)| units(quoted).eq(name.encode_utf16())).map(|(_, value)| value);
        let first = named.next();
        if named.next().is_some() { Err(DuplicateMember) } else { Ok(first.filter(|value| !value.is_null())) }
    }

    /// Whether this is a string. O(1).
    #[must_use]
    pub fn is_string(self) -> bool {
        self.0.starts_with('"')
    }

    /// What stands between the quotation marks of a string, still escaped; `None` of anything else. O(bytes).
    pub(super) fn escaped(self) -> Option<EscapedStr<'a>> {
        serde_json_core::from_str(self.0).ok().map(|(text, _)| text)
    }

    /// The text of a string: where it lies, or, if something in it is escaped, decoded into `buffer`. `None` of anything
    /// else, of a decoded text longer than the buffer, and of what cannot be text. O(bytes).
    pub(super) fn text<'b, const N: usize>(self, buffer: &'b mut heapless::String<N>) -> Option<&'b str>
    where
        'a: 'b,
    {
        decode(self.escaped()?, buffer)
    }

    /// Whether this is a string of this text, however it is escaped. O(bytes).
    #[must_use]
    pub fn is_text(self, text: &str) -> bool {
        self.is_string() && units(self.0).eq(text.encode_utf16())
    }

    /// Whether both are strings of the same text, however they are escaped. O(bytes).
    #[must_use]
    pub fn is_same_text(self, other: Self) -> bool {
        self.is_string() && other.is_string() && units(self.0).eq(units(other.0))
    }
}

/// Decodes an escaped text into `buffer`, unless nothing in it is escaped.
pub(super) fn decode<'b, const N: usize>(
    escaped: EscapedStr<'b>,
    buffer: &'b mut heapless::String<N>,
) -> Option<&'b str> {
    if !escaped.0.contains('\\') {
        return Some(escaped.0);
    }
    buffer.clear();
    for fragment in escaped.fragments() {
        match fragment.ok()? {
            EscapedStringFragment::NotEscaped(text) => buffer.push_str(text).ok()?,
            EscapedStringFragment::Escaped(character) => buffer.push(character).ok()?,
        }
    }
    Some(buffer.as_str())
}

/// The UTF-16 units of a quoted string: what its escapes count in, so that texts compare however they are escaped, emoji
/// and lone surrogates too.
fn units(quoted: &str) -> impl Iterator<Item = u16> {
    let inside = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
    let mut characters = inside.chars();
    let mut second = None;
    core::iter::from_fn(move || {
        if let Some(unit) = second.take() {
            return Some(unit);
        }
        let plain = match characters.next()? {
            '\\' => match characters.next()? {
                'u' => {
                    let digits = characters.by_ref().take(4).filter_map(|digit| hex_value(u8::try_from(digit).ok()?));
                    return Some(digits.fold(0, |unit, digit| (unit << 4) | u16::from(digit)));
                }
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            },
            other => other,
        };
        let mut both = [0; 2];
        let mut encoded = plain.encode_utf16(&mut both).iter().copied();
        let first = encoded.next();
        second = encoded.next();
        first
    })
}

/// The place in a text up to which it has been looked at.
struct Scanner<'a> {
    rest: &'a str,
    is_first: bool,
}

impl<'a> Scanner<'a> {
    const fn new(text: &'a str) -> Self {
        Self { rest: text, is_first: true }
    }

    /// At the first member or element of a container.
    fn inside(text: &'a str, opening: char) -> Option<Self> {
        text.strip_prefix(opening).map(Self::new)
    }

    fn space(&mut self) {
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

    fn expect(&mut self, expected: &str) -> Result<(), JsonError> {
        if self.take(expected) { Ok(()) } else { Err(JsonError::Syntax) }
    }

    /// The text between an earlier place and this one.
    fn since(&self, start: &'a str) -> &'a str {
        start.get(..start.len().saturating_sub(self.rest.len())).unwrap_or_default()
    }

    /// One value, containers and all.
    fn value(&mut self) -> Result<Value<'a>, JsonError> {
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
                b't' => self.expect("rue")?,
                b'f' => self.expect("alse")?,
                b'n' => self.expect("ull")?,
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
        self.expect("\"")?;
        self.string()?;
        self.space();
        self.expect(":")
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
            self.expect(",").ok()?;
            self.space();
        }
        Some(())
    }

    fn element(&mut self) -> Option<Value<'a>> {
        self.separator()?;
        self.value().ok()
    }

    fn member(&mut self) -> Option<(&'a str, Value<'a>)> {
        self.separator()?;
        let start = self.rest;
        self.expect("\"").ok()?;
        self.string().ok()?;
        let name = self.since(start);
        self.space();
        self.expect(":").ok()?;
        Some((name, self.value().ok()?))
    }
}

/// What can still be told of an object that is not taken in because it is nested too deeply: the member of this name, if
/// it stands before the fault.
pub(super) fn member_before_fault<'a>(text: &'a [u8], name: &str) -> Option<Value<'a>> {
    let text = core::str::from_utf8(text).ok()?;
    Value(text.trim_start_matches([' ', '\t', '\n', '\r'])).member(name).ok()?
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::String;

    #[test]
    fn takes_in_what_serde_json_takes_in() {
        for text in [
            "",
            " ",
            "{}",
            "[]",
            "null",
            "true",
            "false",
            "nul",
            "truee",
            "0",
            "-0",
            "01",
            "-",
            "1.",
            "1.5",
            ".5",
            "1e5",
            "1E+5",
            "1e",
            "1e-",
            "+1",
            "\"\"",
            "\"a",
            "\"\\n\"",
            "\"\\x\"",
            "\"\\u00e9\"",
            "\"\\u00g9\"",
            "\"\t\"",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1,2]",
            "{\"a\":[{\"b\":[]}]}",
            "[}",
            "{]",
            "[1]]",
            "{} {}",
            " { } ",
            "\u{feff}{}",
            "[\"é\"]",
            "é",
            "{\"a\":1 \"b\":2}",
            "[[],[[]],{}]",
            "\u{0}",
            "\"\u{7f}\"",
        ] {
            let expected = serde_json::from_str::<serde_json::Value>(text).is_ok();
            assert_eq!(Value::parse(text.as_bytes()).is_ok(), expected, "{text}");
        }
        assert_eq!(Value::parse(b"\"\xff\""), Err(JsonError::NotUtf8));
    }

    #[test]
    fn depth_is_bounded_and_costs_no_stack() {
        let nested = |depth: usize| std::format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Value::parse(nested(32).as_bytes()).is_ok());
        assert_eq!(Value::parse(nested(33).as_bytes()), Err(JsonError::TooDeep));
        assert_eq!(Value::parse("{\"a\":".repeat(1_000_000).as_bytes()), Err(JsonError::TooDeep));
    }

    #[test]
    fn walks_members_and_elements() {
        let value = Value::parse(br#"{ "a" : [ 1 , {"b":"}"} ] , "c" : "x\"y" , "d":null}"#).unwrap();
        let members: std::vec::Vec<_> = value.members().map(|(name, value)| (name, value.as_str())).collect();
        assert_eq!(members, [(r#""a""#, r#"[ 1 , {"b":"}"} ]"#), (r#""c""#, r#""x\"y""#), (r#""d""#, "null")]);
        let elements: std::vec::Vec<_> =
            value.member("a").unwrap().unwrap().elements().map(|element| element.as_str()).collect();
        assert_eq!(elements, ["1", r#"{"b":"}"}"#]);
        assert_eq!(value.member("d"), Ok(None));
        assert_eq!(Value::parse(br#"{"a":1,"a":2}"#).unwrap().member("a"), Err(DuplicateMember));
        assert_eq!(Value::parse(b"[1]").unwrap().members().count(), 0);
    }

    #[test]
    fn text_is_compared_and_decoded_whatever_its_escapes() {
        let value = Value::parse(br#""\/us\u0065rs""#).unwrap();
        assert!(value.is_text("/users"));
        assert!(!value.is_text("/user") && !value.is_text("/userss"));
        let emoji = |text: &'static [u8]| Value::parse(text).unwrap();
        assert!(emoji(br#""\ud83d\ude00\n""#).is_same_text(emoji("\"😀\\u000a\"".as_bytes())));
        assert!(emoji(br#""\ud83d\ude00""#).is_text("😀") && !emoji(br#""\ud83d""#).is_text("😀"));
        assert!(emoji(br#"{"\u0061t":1}"#).member("at").unwrap().is_some());
        assert_eq!(value.text(&mut heapless::String::<6>::new()), Some("/users"));
        assert_eq!(value.text(&mut heapless::String::<5>::new()), None);
        let plain = Value::parse(b"\"/users\"").unwrap();
        assert_eq!(plain.text(&mut heapless::String::<0>::new()), Some("/users"));
        assert_eq!(Value::parse(b"5").unwrap().text(&mut heapless::String::<9>::new()), None);
    }

    #[test]
    fn what_stands_before_a_fault_can_be_told() {
        let deep = std::format!(r#"{{"id":"7","body":{}"#, "[".repeat(40));
        assert_eq!(member_before_fault(deep.as_bytes(), "id").map(Value::as_str), Some("\"7\""));
        let late: String = std::format!(r#"{{"body":{},"id":"7"}}"#, "[".repeat(40));
        assert_eq!(member_before_fault(late.as_bytes(), "id"), None);
    }
}
