//! Lines as hosts write them, told apart.

use super::mirror::Mirror;
use super::short_form::ShortForm;
use crate::buffer::BufferFull;
use crate::graph::json::{Value, before_fault, without_mark};
use crate::graph::{Error, Line, Trace, Writer};

/// A line, as a host wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Input<'a> {
    /// A short form, about the session of the line itself.
    ShortForm(ShortForm),
    /// A presence object, to mirror.
    Mirror(Mirror),
    /// The output of the light itself, coming back from a terminal that echoes ([L2](crate::rules#l2)): an object with `status`,
    /// with `from` and `to`, or with `light`. It is not answered, and changes nothing.
    Echo,
    /// Any other line: a request, or nothing that is understood.
    Line(Line<'a>),
}

impl<'a> Input<'a> {
    /// Parses a line of at most [`Line::MAX_LEN`] bytes, without its end.
    ///
    /// ```
    /// use presence_core::graph::Line;
    /// use presence_core::lines::Input;
    ///
    /// assert!(matches!(Input::parse(b"DoNotDisturb PT2H"), Input::ShortForm(_)));
    /// assert!(matches!(Input::parse(br#"{"availability":"Busy","activity":"InACall"}"#), Input::Mirror(_)));
    /// assert_eq!(Input::parse(br#"{"id":"1","status":200}"#), Input::Echo);
    /// let request = Input::parse(br#"{"id":"1","method":"GET","url":"/me/presence"}"#);
    /// assert!(matches!(request, Input::Line(Line::Element(_))));
    /// ```
    #[must_use]
    // Into a large function it would be inlined, whose stack it would make larger.
    #[inline(never)]
    pub fn parse(line: &'a [u8]) -> Self {
        if line.len() > Line::MAX_LEN {
            return Self::Line(Line::TOO_LONG);
        }
        let text = without_mark(line).trim_ascii();
        if let Some(form) = short_form(text) {
            return form.map_or_else(Self::invalid, Self::ShortForm);
        }
        match Value::parse(text) {
            Ok(value) if is_output(value) => Self::Echo,
            Ok(value) if Mirror::is_object(value) => Mirror::read(value).map_or_else(Self::invalid, Self::Mirror),
            Ok(value) => Self::Line(Line::from_value(value)),
            Err(_) => Self::Line(Line::parse(text)),
        }
    }

    /// Parses the start of a line of which the rest is missing.
    pub(super) fn parse_start(line: &'a [u8]) -> Self {
        if before_fault(without_mark(line).trim_ascii_start()).is_some_and(is_output) {
            Self::Echo
        } else {
            Self::Line(Line::TOO_LONG)
        }
    }

    const fn invalid(error: Error) -> Self {
        Self::Line(Line::Invalid { id: Value::NULL, error })
    }

    /// Reports whether the line is answered. A blank one is not, and neither is an echo.
    #[must_use]
    pub const fn has_response(self) -> bool {
        match self {
            Self::ShortForm(_) | Self::Mirror(_) => true,
            Self::Echo => false,
            Self::Line(line) => line.has_response(),
        }
    }

    /// Writes an error of the application's own as the response to this line; see [`Line::write_error`].
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if not even the bare status fits.
    pub fn write_error(self, error: Error, trace: &Trace<'_>, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        match self {
            Self::Line(line) => line.write_error(error, trace, writer),
            _ => Line::Blank.write_error(error, trace, writer),
        }
    }
}

/// Returns the short form that a text is, or the fault in it; `None` if it begins with no name and no pair.
fn short_form(text: &[u8]) -> Option<Result<ShortForm, Error>> {
    let word = text.split(u8::is_ascii_whitespace).next()?;
    let mut names = word.split(|byte| *byte == b'/');
    let is_name = |name: &[u8]| !name.is_empty() && name.iter().all(u8::is_ascii_alphabetic);
    let (is_word, is_pair) = (is_name(names.next()?), names.next().is_some_and(is_name));
    match core::str::from_utf8(text).ok()?.parse() {
        // A pair that does not exist is a fault of its own; a word that is no name may be anything.
        Err(Error::Pair) if !(is_word && is_pair && names.next().is_none()) => None,
        form => Some(form),
    }
}

/// Reports whether a line is what a light writes itself: a response has `status`, an event `from` and `to`, or `light`.
///
/// A member that is given twice is there. One name at a time: a small device pays more for a single pass.
fn is_output(line: Value<'_>) -> bool {
    // Both of a pair.
    [["status", "status"], ["light", "light"], ["from", "to"]]
        .iter()
        .any(|pair| pair.iter().all(|name| line.member(name) != Ok(None)))
}
