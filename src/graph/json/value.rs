//! A validated JSON value, borrowed from its text.

use super::error::JsonError;
use super::scanner::Scanner;
#[cfg(feature = "client")]
use super::text::decode_start;
use super::text::{Decoded, decode, decode_into};
use crate::buffer::BufferFull;
use heapless::VecView;

/// A validated JSON value, borrowed from its text.
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

    /// The maximum depth of nested objects and arrays.
    pub const MAX_DEPTH: u32 = super::scanner::MAX_DEPTH;

    /// Validates a text that is one JSON value, with white space around it.
    ///
    /// # Errors
    ///
    /// The [`JsonError`] of the first fault.
    pub fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        let text = core::str::from_utf8(text).map_err(|_| JsonError::NotUtf8)?;
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.space();
        if scanner.is_at_end() { Ok(Self(value)) } else { Err(JsonError::Syntax) }
    }

    /// Returns the text of the value, as it was written: of a number, what `parse` reads.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    fn opens_with(self, byte: u8) -> bool {
        self.0.as_bytes().first() == Some(&byte)
    }

    /// Reports whether this is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.opens_with(b'{')
    }

    /// Reports whether this is an array.
    #[must_use]
    pub fn is_array(self) -> bool {
        self.opens_with(b'[')
    }

    /// Reports whether this is null.
    #[must_use]
    pub fn is_null(self) -> bool {
        // No other valid value begins so.
        self.opens_with(b'n')
    }

    /// Returns the members of an object, in order; none of any other value. Names are quoted, as they were written.
    pub fn members(self) -> impl Iterator<Item = (&'a str, Self)> {
        let mut inside = Scanner::inside(self.0, b'{');
        core::iter::from_fn(move || inside.member().map(|(name, value)| (name, Self(value))))
    }

    /// Returns the elements of an array, in order; none of any other value.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        let mut inside = Scanner::inside(self.0, b'[');
        core::iter::from_fn(move || inside.element().map(Self))
    }

    /// Returns the member of an object with this name, in any spelling; null counts as absent.
    ///
    /// # Errors
    ///
    /// [`JsonError::DuplicateMember`] if there are two members of that name.
    pub fn member(self, name: &str) -> Result<Option<Self>, JsonError> {
        let mut found = None;
        let mut inside = Scanner::inside(self.0, b'{');
        while let Some((quoted, value)) = inside.member() {
            if Self(quoted).is_text(name) {
                if found.is_some() {
                    return Err(JsonError::DuplicateMember);
                }
                found = Some(Self(value));
            }
        }
        Ok(found.filter(|value| !value.is_null()))
    }

    /// Reports whether this is a string.
    #[must_use]
    pub fn is_string(self) -> bool {
        self.opens_with(b'"')
    }

    /// Returns the text between the quotation marks of a string, still escaped; `None` of any other value.
    pub(in super::super) fn escaped(self) -> Option<&'a str> {
        if self.is_string() { self.0.get(1..self.0.len().saturating_sub(1)) } else { None }
    }

    /// Returns the text of a string, decoded into `buffer` if something in it is escaped.
    ///
    /// `None` of any other value, of a decoded text longer than the buffer, and of half a surrogate pair.
    pub(in super::super) fn text_in<'b>(self, buffer: &'b mut VecView<u8>) -> Option<&'b str>
    where
        'a: 'b,
    {
        decode(self.escaped()?, buffer)
    }

    /// Returns the text of a string, decoded into `buffer` if something in it is escaped.
    ///
    /// A text without escapes is borrowed from the value, however long it is. `Ok(None)` of any other value, and of a string
    /// with half a surrogate pair, which is no text; [`is_string`](Self::is_string) tells these apart.
    ///
    /// ```
    /// use presence_core::graph::json::Value;
    ///
    /// let answer = Value::parse(br#"{"activity":"In\u0041Call","availability":"Busy","id":7}"#)?;
    /// let mut buffer = [0; 32];
    /// assert_eq!(answer.member("availability")?.map(|value| value.text(&mut buffer)), Some(Ok(Some("Busy"))));
    /// assert_eq!(answer.member("activity")?.map(|value| value.text(&mut buffer)), Some(Ok(Some("InACall"))));
    /// assert_eq!(answer.member("id")?.map(|value| value.text(&mut buffer)), Some(Ok(None)));
    /// # Ok::<(), presence_core::graph::json::JsonError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if something is escaped, and the decoded text is longer than the buffer.
    pub fn text<'b>(self, buffer: &'b mut [u8]) -> Result<Option<&'b str>, BufferFull>
    where
        'a: 'b,
    {
        self.escaped().map_or(Ok(None), |inside| decode_into(inside, buffer))
    }

    /// Returns the bytes of a string's text, decoded; none of any other value.
    #[cfg(feature = "client")]
    pub(crate) fn text_bytes(self) -> impl Iterator<Item = u8> + use<'a> {
        self.escaped().map(Decoded::new).into_iter().flatten()
    }

    /// Decodes the text of a string into `buffer`, and returns as many of its characters as have room; `None` of any other
    /// value. Feature `client`.
    ///
    /// Half a surrogate pair, which is no character, is U+FFFD.
    ///
    /// ```
    /// use presence_core::graph::json::Value;
    ///
    /// let message = Value::parse(br#""caf\u00e9, \ud83d\ude00""#)?;
    /// assert_eq!(message.text_start(&mut [0; 32]), Some("café, 😀"));
    /// assert_eq!(message.text_start(&mut [0; 10]), Some("café, "));
    /// assert_eq!(message.text_start(&mut [0; 4]), Some("caf"));
    /// # Ok::<(), presence_core::graph::json::JsonError>(())
    /// ```
    #[cfg(feature = "client")]
    pub fn text_start(self, buffer: &mut [u8]) -> Option<&str> {
        self.escaped().map(|inside| decode_start(inside, buffer))
    }

    /// Returns the value of `true` or `false`; `None` of any other value.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Returns the length of a string's text, decoded, in bytes; `None` of any other value, and of half a surrogate pair.
    #[cfg(feature = "details")]
    pub(in super::super) fn text_len(self) -> Option<usize> {
        Decoded::new(self.escaped()?).text_len()
    }

    /// Reports whether the name of a member, quoted as it was written, is this one.
    #[cfg(feature = "details")]
    pub(in super::super) fn is_name(quoted: &str, name: &str) -> bool {
        Value(quoted).is_text(name)
    }

    /// Reports whether this is a string of this text, in any spelling.
    #[must_use]
    pub fn is_text(self, text: &str) -> bool {
        self.escaped().is_some_and(|inside| Decoded::new(inside).eq(text.bytes()))
    }

    /// Reports whether this is a string whose text, decoded, has more bytes than this; half a surrogate pair counts as three.
    pub(crate) fn is_text_longer_than(self, bytes: usize) -> bool {
        self.escaped().is_some_and(|inside| Decoded::new(inside).nth(bytes).is_some())
    }

    /// Reports whether both are strings of the same text, in any spelling.
    #[must_use]
    pub fn is_same_text(self, other: Self) -> bool {
        self.escaped().zip(other.escaped()).is_some_and(|(one, other)| Decoded::new(one).eq(Decoded::new(other)))
    }
}

/// Returns a text without the byte order mark before it, which some clients send.
pub(crate) const fn without_mark(text: &[u8]) -> &[u8] {
    match text {
        [0xEF, 0xBB, 0xBF, text @ ..] => text,
        _ => text,
    }
}

/// Returns a member of an object that is nested too deeply, if the member comes before the fault.
pub(in super::super) fn member_before_fault<'a>(text: &'a [u8], name: &str) -> Option<Value<'a>> {
    let mut scanner = Scanner::new(core::str::from_utf8(text).ok()?);
    scanner.space();
    Value(scanner.rest()).member(name).ok()?
}

/// Returns the start of a text that breaks off, of which only members may be asked for: those before the fault are found.
#[cfg(feature = "lines")]
pub(crate) fn before_fault(text: &[u8]) -> Option<Value<'_>> {
    let end = core::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
    core::str::from_utf8(text.get(..end)?).ok().map(Value)
}
