//! JSON text, validated whole before anything is made of it, then walked where it lies.
//!
//! The scanner is iterative and its memory does not grow with the text: one bit for each of at most [`MAX_DEPTH`] levels.
//! What it has let through is decoded where it is needed, without asking again whether it is well formed.

mod scanner;
#[cfg(test)]
mod tests;
mod text;

pub(super) use text::decode;

use heapless::VecView;
use scanner::Scanner;
use text::Decoded;

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
pub struct DuplicateMemberError;

impl core::fmt::Display for DuplicateMemberError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the same member stands twice")
    }
}

impl core::error::Error for DuplicateMemberError {}

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
        if scanner.is_at_end() { Ok(value) } else { Err(JsonError::Syntax) }
    }

    /// The text of the value, as it was written. O(1).
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    fn opens_with(self, byte: u8) -> bool {
        self.0.as_bytes().first() == Some(&byte)
    }

    /// Whether this is an object. O(1).
    #[must_use]
    pub fn is_object(self) -> bool {
        self.opens_with(b'{')
    }

    /// Whether this is an array. O(1).
    #[must_use]
    pub fn is_array(self) -> bool {
        self.opens_with(b'[')
    }

    /// Whether this is null. O(1).
    #[must_use]
    pub fn is_null(self) -> bool {
        // Nothing else that was validated begins so.
        self.opens_with(b'n')
    }

    /// The members of an object, in order; none of anything else. Names are quoted and as they were written. O(bytes) to
    /// exhaust.
    pub fn members(self) -> impl Iterator<Item = (&'a str, Self)> {
        let mut inside = Scanner::inside(self.0, b'{');
        core::iter::from_fn(move || inside.member())
    }

    /// The elements of an array, in order; none of anything else. O(bytes) to exhaust.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        let mut inside = Scanner::inside(self.0, b'[');
        core::iter::from_fn(move || inside.element())
    }

    /// The member of an object that has this name, however it is escaped; null counts as absent. O(bytes).
    ///
    /// # Errors
    ///
    /// [`DuplicateMemberError`] when there are two of that name. Rule H2.
    pub fn member(self, name: &str) -> Result<Option<Self>, DuplicateMemberError> {
        let mut found = None;
        let mut inside = Scanner::inside(self.0, b'{');
        while let Some((quoted, value)) = inside.member() {
            if Self(quoted).is_text(name) {
                if found.is_some() {
                    return Err(DuplicateMemberError);
                }
                found = Some(value);
            }
        }
        Ok(found.filter(|value| !value.is_null()))
    }

    /// Whether this is a string. O(1).
    #[must_use]
    pub fn is_string(self) -> bool {
        self.opens_with(b'"')
    }

    /// What stands between the quotation marks of a string, still escaped; `None` of anything else. O(1).
    pub(super) fn escaped(self) -> Option<&'a str> {
        if self.is_string() { self.0.get(1..self.0.len().saturating_sub(1)) } else { None }
    }

    /// The text of a string: where it lies, or, if something in it is escaped, decoded into `buffer`. `None` of anything
    /// else, of a decoded text longer than the buffer, and of what cannot be text. O(bytes).
    pub(super) fn text<'b>(self, buffer: &'b mut VecView<u8>) -> Option<&'b str>
    where
        'a: 'b,
    {
        decode(self.escaped()?, buffer)
    }

    /// The length of a string's text, decoded, in bytes. `None` of anything else, and of what cannot be text. O(bytes).
    #[cfg(feature = "details")]
    pub(super) fn text_len(self) -> Option<usize> {
        Decoded::new(self.escaped()?).text_len()
    }

    /// Whether the name of a member, quoted and as it was written, is this one. O(bytes).
    #[cfg(feature = "details")]
    pub(super) fn is_name(quoted: &str, name: &str) -> bool {
        Value(quoted).is_text(name)
    }

    /// Whether this is a string of this text, however it is escaped. O(bytes).
    #[must_use]
    pub fn is_text(self, text: &str) -> bool {
        self.escaped().is_some_and(|inside| Decoded::new(inside).eq(text.bytes()))
    }

    /// Whether both are strings of the same text, however they are escaped. O(bytes).
    #[must_use]
    pub fn is_same_text(self, other: Self) -> bool {
        self.escaped().zip(other.escaped()).is_some_and(|(one, other)| Decoded::new(one).eq(Decoded::new(other)))
    }
}

/// What can still be told of an object that is not taken in because it is nested too deeply: the member of this name, if
/// it stands before the fault.
pub(super) fn member_before_fault<'a>(text: &'a [u8], name: &str) -> Option<Value<'a>> {
    let mut scanner = Scanner::new(core::str::from_utf8(text).ok()?);
    scanner.space();
    Value(scanner.rest()).member(name).ok()?
}
