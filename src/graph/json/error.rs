//! Errors of JSON texts and values.

/// The reason for which a text is not accepted as JSON, or a member not returned.
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
    /// An object has two members of the name that was looked up.
    DuplicateMember,
}

impl core::fmt::Display for JsonError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "not UTF-8",
            Self::Syntax => "not JSON",
            Self::TooDeep => "nested too deeply",
            Self::DuplicateMember => "the same member is given twice",
        })
    }
}

impl core::error::Error for JsonError {}
