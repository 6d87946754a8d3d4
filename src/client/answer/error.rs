//! The reason for which an answer is not understood.

use crate::graph::json::JsonError;
use crate::graph::{Error, Field};

/// The reason for which an answer is not understood, with the member at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AnswerError {
    /// It is not JSON.
    Json(JsonError),
    /// It is JSON, but no object.
    NotAnObject,
    /// A member that is needed is missing or null.
    Missing(&'static str),
    /// A member has the wrong type or form.
    Malformed(&'static str),
    /// A member is given twice.
    Duplicate(&'static str),
    /// A text is longer than it may be.
    TooLong(&'static str),
}

impl core::fmt::Display for AnswerError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (member, fault) = match self {
            Self::Json(error) => return error.fmt(f),
            Self::NotAnObject => return f.write_str("not an object"),
            Self::Missing(member) => (member, " is missing"),
            Self::Malformed(member) => (member, " is not as it should be"),
            Self::Duplicate(member) => (member, " is given twice"),
            Self::TooLong(member) => (member, " is too long"),
        };
        f.write_str(member)?;
        f.write_str(fault)
    }
}

impl core::error::Error for AnswerError {}

impl From<JsonError> for AnswerError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl AnswerError {
    /// Returns the error of what [`Resource::read`](crate::graph::Resource::read) does not understand.
    pub(super) const fn of_presence(error: Error) -> Self {
        const SETTINGS: &str = "outOfOfficeSettings";
        match error {
            Error::Missing(field) => Self::Missing(field.member()),
            Error::Malformed(Field::Body) => Self::Malformed(SETTINGS),
            Error::Malformed(field) => Self::Malformed(field.member()),
            Error::Duplicate(field) => Self::Duplicate(field.member()),
            Error::Json(_) => Self::Duplicate(SETTINGS),
            _ => Self::NotAnObject,
        }
    }
}
