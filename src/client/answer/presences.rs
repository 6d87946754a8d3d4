//! Answers with many presence objects.

use super::error::AnswerError;
use super::presence::PresenceObject;
use super::read::{array, object, string};
use crate::graph::json::Value;

/// The answer to a bulk read, or to a read of the collection ([H3](crate::rules#h3)). Feature `batch`.
///
/// It is validated as a whole, so that the buffer has to hold all of it. A client whose buffer is small asks for few users at
/// a time, and for `id`, `availability` and `activity` alone: then each takes at most 113 bytes where no server adds to it. One
/// that shows many users reads a [`Feed`](crate::client::Feed), in memory for one of them.
///
/// ```
/// use presence_core::Presence;
/// use presence_core::client::Presences;
///
/// let body = br#"{"value":[{"availability":"Away","activity":"Away"},{"availability":"Busy","activity":"InACall"}]}"#;
/// let presences: Result<Vec<_>, _> = Presences::parse(body)?.iter().map(|read| read.map(|read| read.presence)).collect();
/// assert_eq!(presences, Ok(vec![Presence::Away, Presence::InACall]));
/// # Ok::<(), presence_core::client::AnswerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Presences<'a> {
    value: Value<'a>,
    /// The address of what is left, if the server answers page by page.
    pub next_link: Option<Value<'a>>,
}

impl<'a> Presences<'a> {
    /// Reads the whole answer.
    ///
    /// # Errors
    ///
    /// [`AnswerError`], of what surrounds the presence objects.
    pub fn parse(body: &'a [u8]) -> Result<Self, AnswerError> {
        let answer = object(body)?;
        Ok(Self { value: array(answer, "value")?, next_link: string(answer, "@odata.nextLink")? })
    }

    /// Returns the presence objects, in the order of the answer.
    pub fn iter(self) -> impl Iterator<Item = Result<PresenceObject<'a>, AnswerError>> {
        self.value.elements().map(PresenceObject::read)
    }

    /// Returns the presence objects of selected members, in the order of the answer, as
    /// [`PresenceObject::parse_selected`] reads them. Feature `details`.
    #[cfg(feature = "details")]
    pub fn iter_selected(self) -> impl Iterator<Item = Result<PresenceObject<'a>, AnswerError>> {
        self.value.elements().map(PresenceObject::read_selected)
    }
}
