//! JSON text, validated whole before anything is made of it, then walked where it lies.
//!
//! The scanner is iterative and its memory does not grow with the text: one bit for each of at most [`MAX_DEPTH`] levels.
//! It stands before serde-json-core, which decodes single members and would recurse without limit, and skip garbage, on
//! text that nobody has looked at.

mod scanner;
#[cfg(test)]
mod tests;

use crate::id::hex_value;
use scanner::Scanner;
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

/// What can still be told of an object that is not taken in because it is nested too deeply: the member of this name, if
/// it stands before the fault.
pub(super) fn member_before_fault<'a>(text: &'a [u8], name: &str) -> Option<Value<'a>> {
    let text = core::str::from_utf8(text).ok()?;
    Value(text.trim_start_matches([' ', '\t', '\n', '\r'])).member(name).ok()?
}
