//! Errors of JSON texts.

/// The reason for which a text is not accepted as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum JsonError {
    /// The text is not UTF-8.
    NotUtf8,
    /// The text is not well-formed JSON.
    Syntax,
    /// The text is nested more deeply than [`Value::MAX_DEPTH`](super::Value::MAX_DEPTH).
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

/// The error of looking up a member that an object has twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct DuplicateMemberError;

impl core::fmt::Display for DuplicateMemberError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the same member is given twice")
    }
}

impl core::error::Error for DuplicateMemberError {}
