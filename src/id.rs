//! The ids of the wire: GUIDs, compared by value. Rule M2.

/// The characters of a GUID: 32 hexadecimal digits and four hyphens.
pub const GUID_LEN: usize = 36;

/// The text is not a GUID: eight, four, four, four and twelve hexadecimal digits with hyphens between, in any case, with
/// or without braces around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ParseIdError;

impl core::fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a GUID")
    }
}

impl core::error::Error for ParseIdError {}

/// The value of a hexadecimal digit.
pub(crate) const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit & 15),
        // The low bits of the letters count from one.
        b'a'..=b'f' | b'A'..=b'F' => Some((digit & 7).saturating_add(9)),
        _ => None,
    }
}

/// The lower-case hexadecimal digit of a value below 16.
pub(crate) const fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' | value } else { 0x60 | value.saturating_sub(9) }
}

/// Whether a hyphen stands before the byte at this place.
const fn follows_hyphen(place: u8) -> bool {
    matches!(place, 4 | 6 | 8 | 10)
}

/// Bytes that can be loaded as words.
#[repr(align(8))]
struct Bytes([u8; 16]);

/// The value of a GUID's text. O(1): longer text is refused at its 39th byte.
const fn parse(text: &[u8]) -> Result<Bytes, ParseIdError> {
    let mut rest = match text {
        [b'{', inner @ .., b'}'] => inner,
        _ => text,
    };
    let mut bytes = Bytes([0; 16]);
    let mut unread: &mut [u8] = &mut bytes.0;
    let mut place = 0;
    while let [byte, later @ ..] = unread {
        if follows_hyphen(place) {
            let [b'-', after @ ..] = rest else { return Err(ParseIdError) };
            rest = after;
        }
        let [high, low, after @ ..] = rest else { return Err(ParseIdError) };
        let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low)) else { return Err(ParseIdError) };
        *byte = (high << 4) | low;
        (rest, unread, place) = (after, later, place.saturating_add(1));
    }
    if rest.is_empty() { Ok(bytes) } else { Err(ParseIdError) }
}

/// The character at a place of the lower-case text of a GUID.
fn character(bytes: &[u8; 16], place: usize) -> u8 {
    let hyphens = match place {
        8 | 13 | 18 | 23 => return b'-',
        0..=7 => 0,
        9..=12 => 1,
        14..=17 => 2,
        19..=22 => 3,
        _ => 4,
    };
    let digit = usize::saturating_sub(place, hyphens);
    let byte = bytes.get(digit >> 1).copied().unwrap_or(0);
    hex_digit(if digit & 1 == 0 { byte >> 4 } else { byte & 15 })
}

/// Sixteen bytes, kept as two numbers: a small device moves and compares them word by word, and bytes one by one.
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

/// Sixteen bytes as they are: beside an `Option`'s tag they take seven bytes less than numbers do, which counts where there
/// are many, and a server compares them at once.
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

/// Makes an id that is a GUID, and is kept in the given way.
macro_rules! guid {
    ($(#[$doc:meta])* $name:ident, $kept:ident, $serde:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(from = $serde, into = $serde))]
        pub struct $name($kept);

        impl core::hash::Hash for $name {
            /// As one number: that spares hashers the length of an array that always has the same.
            fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
                state.write_u128(u128::from_le_bytes(self.to_bytes()));
            }
        }

        impl $name {
            /// The id with these bytes, in the order in which they are written. O(1).
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self($kept::from_bytes(bytes))
            }

            /// The bytes, in the order in which they are written. O(1).
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_bytes()
            }

            /// Reads the text of a GUID, in any case, with or without braces (rule M2). O(1).
            ///
            /// # Errors
            ///
            /// [`ParseIdError`] for anything else.
            pub const fn parse(text: &str) -> Result<Self, ParseIdError> {
                Self::parse_ascii(text.as_bytes())
            }

            /// The same, of bytes that need not be text.
            pub(crate) const fn parse_ascii(text: &[u8]) -> Result<Self, ParseIdError> {
                match parse(text) {
                    Ok(Bytes(bytes)) => Ok(Self::from_bytes(bytes)),
                    Err(error) => Err(error),
                }
            }

            /// Appends the lower-case text: nothing is copied as when an array is handed out.
            #[cfg(feature = "graph")]
            #[allow(dead_code, reason = "only users are written")]
            pub(crate) fn push_text(self, text: &mut heapless::Vec<u8, GUID_LEN>) {
                let bytes = self.to_bytes();
                for place in 0..GUID_LEN {
                    let _ = text.push(character(&bytes, place));
                }
            }

            /// The lower-case text, as ASCII bytes. O(1).
            #[must_use]
            pub fn to_text(self) -> [u8; GUID_LEN] {
                let bytes = self.to_bytes();
                core::array::from_fn(|place| character(&bytes, place))
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
type KeptUser = Pair;
#[cfg(not(target_pointer_width = "32"))]
type KeptUser = Plain;

guid! {
    /// Who a user is: a GUID.
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
    /// ```
    UserId, KeptUser, "written::UserId"
}

guid! {
    /// Which session of a user it is: the application's (client) id, a GUID. The same id under two users names two
    /// unrelated sessions. Rule M2.
    SessionId, Pair, "written::SessionId"
}

/// What serde writes and reads: the bytes, however an id is kept.
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
