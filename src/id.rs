//! The ids of the wire: GUIDs, compared by value.

/// The characters of a GUID's text: 32 hexadecimal digits and four hyphens.
const TEXT_LEN: usize = 36;

/// The error for a text that is not a GUID.
///
/// A GUID is eight, four, four, four and twelve hexadecimal digits in any case, with hyphens between and optional braces around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ParseIdError;

impl core::fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a GUID")
    }
}

impl core::error::Error for ParseIdError {}

/// Returns the value of a hexadecimal digit.
pub(crate) const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit & 15),
        // The low bits of the letters count from one.
        b'a'..=b'f' | b'A'..=b'F' => Some((digit & 7).saturating_add(9)),
        _ => None,
    }
}

/// Returns the lower-case hexadecimal digit of a value below 16.
pub(crate) const fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' | value } else { 0x60 | value.saturating_sub(9) }
}

/// Reports whether a hyphen precedes the byte at this index.
const fn follows_hyphen(index: u8) -> bool {
    matches!(index, 4 | 6 | 8 | 10)
}

/// Bytes that can be loaded as words.
#[repr(align(8))]
struct Bytes([u8; 16]);

/// Reads the text of a GUID. Stops at the 39th byte of a longer text.
const fn parse(text: &[u8]) -> Result<Bytes, ParseIdError> {
    let mut rest = match text {
        [b'{', inner @ .., b'}'] => inner,
        _ => text,
    };
    let mut bytes = Bytes([0; 16]);
    let mut unread: &mut [u8] = &mut bytes.0;
    let mut index = 0;
    while let [byte, later @ ..] = unread {
        if follows_hyphen(index) {
            let [b'-', after @ ..] = rest else { return Err(ParseIdError) };
            rest = after;
        }
        let [high, low, after @ ..] = rest else { return Err(ParseIdError) };
        let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low)) else { return Err(ParseIdError) };
        *byte = (high << 4) | low;
        (rest, unread, index) = (after, later, index.saturating_add(1));
    }
    if rest.is_empty() { Ok(bytes) } else { Err(ParseIdError) }
}

/// Returns the character at an offset of a GUID's lower-case text.
fn character(bytes: &[u8; 16], offset: usize) -> u8 {
    let hyphens = match offset {
        8 | 13 | 18 | 23 => return b'-',
        0..=7 => 0,
        9..=12 => 1,
        14..=17 => 2,
        19..=22 => 3,
        _ => 4,
    };
    let digit = usize::saturating_sub(offset, hyphens);
    let byte = bytes.get(digit >> 1).copied().unwrap_or(0);
    hex_digit(if digit & 1 == 0 { byte >> 4 } else { byte & 15 })
}

/// Sixteen bytes as two integers. A small device moves and compares them word by word, but arrays byte by byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    high: u64,
    low: u64,
}

impl Pair {
    const fn from_bytes(bytes: [u8; 16]) -> Self {
        let number = u128::from_be_bytes(bytes);
        Self { high: (number >> 64) as u64, low: number as u64 }
    }

    const fn to_bytes(self) -> [u8; 16] {
        (((self.high as u128) << 64) | self.low as u128).to_be_bytes()
    }
}

/// Sixteen bytes as an array. In an `Option` it takes seven bytes less than integers do, and a 64-bit processor compares it at
/// once.
#[cfg(not(target_pointer_width = "32"))]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Plain([u8; 16]);

#[cfg(not(target_pointer_width = "32"))]
impl Plain {
    const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// Defines an id that is a GUID, with the given representation.
macro_rules! guid {
    ($(#[$doc:meta])* $name:ident, $representation:ident, $serde:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(from = $serde, into = $serde))]
        pub struct $name($representation);

        impl core::hash::Hash for $name {
            /// Hashes one integer: an array would hash its constant length as well.
            fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
                state.write_u128(u128::from_le_bytes(self.to_bytes()));
            }
        }

        impl $name {
            /// The length of the text in bytes: 32 digits and four hyphens.
            pub const TEXT_LEN: usize = TEXT_LEN;

            /// Creates an id from its bytes, in the order in which the text shows them.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self($representation::from_bytes(bytes))
            }

            /// Returns the bytes, in the order in which the text shows them.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_bytes()
            }

            /// Reads the text of a GUID, in any case, with or without braces ([M2](crate::rules#m2)).
            ///
            /// # Errors
            ///
            /// [`ParseIdError`] for any other text.
            pub const fn parse(text: &str) -> Result<Self, ParseIdError> {
                Self::parse_ascii(text.as_bytes())
            }

            /// Reads the text of a GUID from bytes that need not be UTF-8.
            pub(crate) const fn parse_ascii(text: &[u8]) -> Result<Self, ParseIdError> {
                match parse(text) {
                    Ok(Bytes(bytes)) => Ok(Self::from_bytes(bytes)),
                    Err(error) => Err(error),
                }
            }

            /// Appends the lower-case text, without the copy that returning an array makes.
            #[cfg(feature = "graph")]
            #[allow(dead_code, reason = "only users are written")]
            pub(crate) fn push_text(self, text: &mut heapless::Vec<u8, TEXT_LEN>) {
                let bytes = self.to_bytes();
                for offset in 0..TEXT_LEN {
                    let _ = text.push(character(&bytes, offset));
                }
            }

            /// Returns the lower-case text as ASCII bytes.
            #[must_use]
            pub fn to_text(self) -> [u8; TEXT_LEN] {
                let bytes = self.to_bytes();
                core::array::from_fn(|offset| character(&bytes, offset))
            }
        }

        impl From<[u8; 16]> for $name {
            fn from(bytes: [u8; 16]) -> Self {
                Self::from_bytes(bytes)
            }
        }

        impl From<$name> for [u8; 16] {
            fn from(id: $name) -> Self {
                id.to_bytes()
            }
        }

        impl core::str::FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Self::parse(text)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(core::str::from_utf8(&self.to_text()).unwrap_or_default())
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }

        #[cfg(feature = "defmt")]
        impl defmt::Format for $name {
            fn format(&self, f: defmt::Formatter<'_>) {
                defmt::write!(f, "{=[u8; 16]:02x}", self.to_bytes());
            }
        }
    };
}

#[cfg(target_pointer_width = "32")]
type UserBytes = Pair;
#[cfg(not(target_pointer_width = "32"))]
type UserBytes = Plain;

guid! {
    /// The id of a user: a GUID.
    ///
    /// ```
    /// use presence_core::UserId;
    ///
    /// const ADELE: UserId = match UserId::parse("FA8BF3DC-ECA7-46B7-BAD1-DB199B62AFC3") {
    ///     Ok(id) => id,
    ///     Err(_) => panic!("not a GUID"),
    /// };
    /// assert_eq!("{fa8bf3dc-eca7-46b7-bad1-db199b62afc3}".parse(), Ok(ADELE));
    /// assert_eq!(ADELE.to_string(), "fa8bf3dc-eca7-46b7-bad1-db199b62afc3");
    /// assert_eq!(UserId::from(<[u8; 16]>::from(ADELE)), ADELE);
    /// ```
    UserId, UserBytes, "written::UserId"
}

guid! {
    /// The id of a user's session: the client id of an application, a GUID.
    ///
    /// The same id under two users names two unrelated sessions ([M2](crate::rules#m2)).
    SessionId, Pair, "written::SessionId"
}

/// The ids as serde writes and reads them: the bytes, whatever the representation.
#[cfg(feature = "serde")]
mod written {
    macro_rules! written {
        ($name:ident) => {
            #[derive(serde::Serialize, serde::Deserialize)]
            pub(super) struct $name([u8; 16]);

            impl From<$name> for super::$name {
                fn from(written: $name) -> Self {
                    Self::from_bytes(written.0)
                }
            }

            impl From<super::$name> for $name {
                fn from(id: super::$name) -> Self {
                    Self(id.to_bytes())
                }
            }
        };
    }

    written!(UserId);
    written!(SessionId);
}
