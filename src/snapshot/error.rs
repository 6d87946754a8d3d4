//! What can be wrong: every refusal is one small value.

use crate::user::InvariantError;

/// Why bytes were not taken for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RestoreError {
    /// Too short or too long: cut off, or followed by something else.
    Length,
    /// Damaged: the checksum is that of other bytes.
    Checksum,
    /// Written by a later version of this library, in this version of the form.
    NewerForm(u8),
    /// More sessions than this user has room for. Nothing is evicted.
    Full,
    /// Something fell due before instant 0 of the clock: see [`restore`](super::restore).
    BeforeEpoch,
    /// The bytes are as somebody wrote them, and no user is like that.
    Invalid(Field),
}

/// What is wrong in bytes that are no user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Field {
    /// The version of the form: there is no version 0, nor 255.
    Form,
    /// The length of an id is another: this is a user with other ids.
    IdLength,
    /// Flags that mean nothing, or contradict what follows.
    Flags,
    /// A number of more than 64 bits, or written longer than it need be.
    Number,
    /// A byte that is no presence. Rule M3.
    Presence,
    /// An id that does not exist, comes twice, or is out of order. Rule M2.
    SessionIds,
    /// A session fades that was not set to Available. Rule S3.
    Fades,
    /// The version is ahead of the revision. Rules V1, V2.
    Version,
    /// A text of a user's details.
    #[cfg(feature = "details")]
    Text,
    /// A place of a user's details.
    #[cfg(feature = "details")]
    Place,
}

impl From<InvariantError> for RestoreError {
    fn from(contradiction: InvariantError) -> Self {
        Self::Invalid(match contradiction {
            InvariantError::SessionIds => Field::SessionIds,
            InvariantError::Fades => Field::Fades,
            InvariantError::Version => Field::Version,
        })
    }
}

impl core::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length => f.write_str("a snapshot of another length"),
            Self::Checksum => f.write_str("a damaged snapshot"),
            Self::NewerForm(form) => write!(f, "a snapshot of the later form {form}"),
            Self::Full => f.write_str("more sessions than there is room for"),
            Self::BeforeEpoch => f.write_str("something fell due before the clock began"),
            Self::Invalid(field) => write!(f, "no user: {}", field.text()),
        }
    }
}

impl Field {
    const fn text(self) -> &'static str {
        match self {
            Self::Form => "there is no such form",
            Self::IdLength => "its ids have another length",
            Self::Flags => "its flags mean nothing",
            Self::Number => "a number is too large, or longer than need be",
            Self::Presence => "a byte is no presence",
            Self::SessionIds => InvariantError::SessionIds.text(),
            Self::Fades => InvariantError::Fades.text(),
            Self::Version => InvariantError::Version.text(),
            #[cfg(feature = "details")]
            Self::Text => "a text is none",
            #[cfg(feature = "details")]
            Self::Place => "a byte is no kind of place",
        }
    }
}

impl core::error::Error for RestoreError {}
