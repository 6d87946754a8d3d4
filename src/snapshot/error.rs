//! The errors of [`restore`](super::restore): small `Copy` values.

use super::version::FORMAT_VERSION;
use crate::user::InvariantError;

/// The reason why bytes could not be restored.
///
/// A snapshot with a matching checksum can still be invalid, for example if it holds ids of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RestoreError {
    /// The snapshot is too short or too long: it was cut off, or something follows it.
    Length,
    /// The checksum does not match: the snapshot is damaged.
    Checksum,
    /// The snapshot has this format version, which a later version of this library wrote.
    NewerVersion(u8),
    /// There are more sessions, or longer texts, than fit. Nothing is dropped to make it fit.
    Full,
    /// A deadline fell before instant 0 of the clock: see [`restore`](super::restore).
    BeforeEpoch,
    /// The format version is 0 or 255, which do not exist: the bytes are not a snapshot.
    FormatVersion,
    /// The ids have another length: the snapshot is that of a user with another type of id.
    IdLength,
    /// The flags mean nothing, or contradict what follows.
    Flags,
    /// A number has more than 64 bits, or a longer encoding than necessary.
    Number,
    /// A byte is not a [`Presence`](crate::Presence).
    Presence,
    /// A session id does not exist, occurs twice, or is out of order.
    SessionIds,
    /// A session fades although it was not set to Available, against rule [S3](crate::rules#s3).
    Fades,
    /// The version of the user is ahead of its revision.
    VersionAhead,
    /// A text of the details is empty where it must not be, or is not UTF-8.
    #[cfg(feature = "details")]
    Text,
    /// A byte is not a [`WorkLocationType`](crate::details::WorkLocationType).
    #[cfg(feature = "details")]
    WorkLocationType,
}

impl From<InvariantError> for RestoreError {
    fn from(error: InvariantError) -> Self {
        match error {
            InvariantError::SessionIds => Self::SessionIds,
            InvariantError::Fades => Self::Fades,
            InvariantError::VersionAhead => Self::VersionAhead,
        }
    }
}

impl core::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Length => "the snapshot is too short or too long",
            Self::Checksum => "the snapshot is damaged: its checksum does not match",
            Self::NewerVersion(version) => {
                return write!(f, "the snapshot has format version {version}, newer than version {FORMAT_VERSION}");
            }
            Self::Full => "the snapshot holds more sessions or longer texts than fit",
            Self::BeforeEpoch => "a deadline fell before instant 0 of the clock: see snapshot::restore",
            Self::FormatVersion => "not a snapshot: its format version does not exist",
            Self::IdLength => "the ids of the snapshot have another length",
            Self::Flags => "the flags of the snapshot are invalid",
            Self::Number => "a number is too large, or encoded in more bytes than necessary",
            Self::Presence => "a byte is not a presence",
            Self::SessionIds => InvariantError::SessionIds.text(),
            Self::Fades => InvariantError::Fades.text(),
            Self::VersionAhead => InvariantError::VersionAhead.text(),
            #[cfg(feature = "details")]
            Self::Text => "a text is empty or not UTF-8",
            #[cfg(feature = "details")]
            Self::WorkLocationType => "a byte is not a work location type",
        })
    }
}

impl core::error::Error for RestoreError {}
