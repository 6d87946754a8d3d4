//! Answers to batches.

use super::error::AnswerError;
use super::failure::ErrorAnswer;
use super::read::{array, member, object, string};
use crate::graph::json::Value;
use crate::time::Duration;

/// The answer to a batch ([H5](crate::rules#h5)). Feature `batch`.
///
/// ```
/// use presence_core::Presence;
/// use presence_core::client::{BatchAnswer, PresenceObject};
///
/// let body = br#"{"responses":[
///     {"id":"1","status":200,"body":{"availability":"Away","activity":"Away"}},
///     {"id":"2","status":404,"body":{"error":{"code":"NotFound","message":"Presence session not found."}}}
/// ]}"#;
/// let mut answers = BatchAnswer::parse(body)?.iter();
/// let (first, second) = (answers.next().expect("the first")?, answers.next().expect("the second")?);
/// assert_eq!(first.body.map(PresenceObject::read).transpose()?.map(|read| read.presence), Some(Presence::Away));
/// assert!(second.id.is_text("2"));
/// assert!(second.error().and_then(|error| error.code).is_some_and(|code| code.is_text("NotFound")));
/// # Ok::<(), presence_core::client::AnswerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BatchAnswer<'a>(Value<'a>);

/// The answer to one call of a batch. Feature `batch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct BatchedAnswer<'a> {
    /// The id of the call, a JSON string. Answers may come in another order than the calls.
    pub id: Value<'a>,
    /// The HTTP status.
    pub status: u16,
    /// The time to wait before another request.
    pub retry_after: Option<Duration>,
    /// The body; of a presence, what [`PresenceObject::read`](super::PresenceObject::read) reads.
    pub body: Option<Value<'a>>,
}

impl<'a> BatchAnswer<'a> {
    /// Reads the whole answer.
    ///
    /// # Errors
    ///
    /// [`AnswerError`], of what surrounds the answers to the calls.
    pub fn parse(body: &'a [u8]) -> Result<Self, AnswerError> {
        array(object(body)?, "responses").map(Self)
    }

    /// Returns the answers to the calls.
    pub fn iter(self) -> impl Iterator<Item = Result<BatchedAnswer<'a>, AnswerError>> {
        self.0.elements().map(BatchedAnswer::read)
    }
}

impl<'a> BatchedAnswer<'a> {
    fn read(value: Value<'a>) -> Result<Self, AnswerError> {
        if !value.is_object() {
            return Err(AnswerError::NotAnObject);
        }
        let status = member(value, "status")?.ok_or(AnswerError::Missing("status"))?;
        let status: Option<u16> = status.as_str().parse().ok();
        Ok(Self {
            id: string(value, "id")?.ok_or(AnswerError::Missing("id"))?,
            status: status.filter(|status| (100..=599).contains(status)).ok_or(AnswerError::Malformed("status"))?,
            retry_after: retry_after(value)?,
            body: member(value, "body")?,
        })
    }

    /// Returns the error, if the status says that there is one.
    #[must_use]
    pub fn error(&self) -> Option<ErrorAnswer<'a>> {
        (self.status >= 400).then(|| ErrorAnswer::of(self.status, self.retry_after, self.body))
    }
}

/// Reads the header `Retry-After`, whose name may be in any case.
fn retry_after(value: Value<'_>) -> Result<Option<Duration>, AnswerError> {
    let Some(headers) = member(value, "headers")? else { return Ok(None) };
    let is_it = |name: &str| name.eq_ignore_ascii_case("\"retry-after\"");
    let found = headers.members().find(|(name, _)| is_it(name)).map(|(_, value)| value.as_str());
    Ok(found.and_then(|text| ErrorAnswer::parse_retry_after(text.trim_matches('"'), None)))
}
