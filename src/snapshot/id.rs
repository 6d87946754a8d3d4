//! The encoding of ids as bytes.

use crate::id::{SessionId, UserId};

/// An id that a snapshot can hold, encoded in a fixed number of bytes, at most 255.
///
/// ```
/// use presence_core::snapshot::StoredId;
///
/// #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
/// enum Application {
///     Calendar,
///     Phone,
/// }
///
/// impl StoredId for Application {
///     type Bytes = [u8; 1];
///
///     fn to_stored(self) -> [u8; 1] {
///         [self as u8]
///     }
///
///     fn from_stored(bytes: [u8; 1]) -> Option<Self> {
///         [Self::Calendar, Self::Phone].into_iter().find(|id| id.to_stored() == bytes)
///     }
/// }
/// ```
pub trait StoredId: Sized {
    /// The encoding: an array of bytes.
    type Bytes: Copy + AsRef<[u8]> + for<'a> TryFrom<&'a [u8]>;

    /// Returns the encoding of this id: unique to it, and stable across versions of the application.
    fn to_stored(self) -> Self::Bytes;

    /// Returns the id with this encoding, or `None` if there is none.
    fn from_stored(bytes: Self::Bytes) -> Option<Self>;
}

impl<const LEN: usize> StoredId for [u8; LEN] {
    type Bytes = Self;

    fn to_stored(self) -> Self {
        self
    }

    fn from_stored(bytes: Self) -> Option<Self> {
        Some(bytes)
    }
}

macro_rules! stored_guid {
    ($($id:ty),*) => {$(
        impl StoredId for $id {
            type Bytes = [u8; 16];

            fn to_stored(self) -> [u8; 16] {
                self.to_bytes()
            }

            fn from_stored(bytes: [u8; 16]) -> Option<Self> {
                Some(Self::from_bytes(bytes))
            }
        }
    )*};
}

stored_guid!(SessionId, UserId);

macro_rules! stored_integer {
    ($($id:ty),*) => {$(
        /// Encodes the integer in little-endian order.
        impl StoredId for $id {
            type Bytes = [u8; size_of::<$id>()];

            fn to_stored(self) -> Self::Bytes {
                self.to_le_bytes()
            }

            fn from_stored(bytes: Self::Bytes) -> Option<Self> {
                Some(Self::from_le_bytes(bytes))
            }
        }
    )*};
}

stored_integer!(u8, u16, u32, u64, u128);
