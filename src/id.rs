//! The ids of the wire: GUIDs, compared by value. Rule M2.

/// The characters of a GUID: 32 hexadecimal digits and four hyphens.
pub const GUID_LEN: usize = 36;

/// The text is not a GUID: eight, four, four, four and twelve hexadecimal digits with hyphens between, in any case, with
/// or without braces around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NotAGuid;

impl core::fmt::Display for NotAGuid {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a GUID")
    }
}

impl core::error::Error for NotAGuid {}

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
const fn parse(text: &[u8]) -> Result<Bytes, NotAGuid> {
    let mut rest = match text {
        [b'{', inner @ .., b'}'] => inner,
        _ => text,
    };
    let mut bytes = Bytes([0; 16]);
    let mut unread: &mut [u8] = &mut bytes.0;
    let mut place = 0;
    while let [byte, later @ ..] = unread {
        if follows_hyphen(place) {
            let [b'-', after @ ..] = rest else { return Err(NotAGuid) };
            rest = after;
        }
        let [high, low, after @ ..] = rest else { return Err(NotAGuid) };
        let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low)) else { return Err(NotAGuid) };
        *byte = (high << 4) | low;
        (rest, unread, place) = (after, later, place.saturating_add(1));
    }
    if rest.is_empty() { Ok(bytes) } else { Err(NotAGuid) }
}

/// Lower-case text of a GUID, hyphens and all.
fn write(bytes: [u8; 16]) -> [u8; GUID_LEN] {
    let mut bytes = bytes.iter();
    let mut low = None;
    core::array::from_fn(|place| match place {
        8 | 13 | 18 | 23 => b'-',
        _ => hex_digit(low.take().unwrap_or_else(|| {
            let byte = bytes.next().copied().unwrap_or(0);
            low = Some(byte & 15);
            byte >> 4
        })),
    })
}

/// What both kinds of id can do, given their bytes.
macro_rules! guid {
    ($name:ident) => {
        impl core::hash::Hash for $name {
            /// As one number: that spares hashers the length of an array that always has the same.
            fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
                state.write_u128(u128::from_le_bytes(self.to_bytes()));
            }
        }

        impl $name {
            /// Reads the text of a GUID, in any case, with or without braces (rule M2). O(1).
            ///
            /// # Errors
            ///
            /// [`NotAGuid`] for anything else.
            pub const fn parse(text: &str) -> Result<Self, NotAGuid> {
                Self::parse_ascii(text.as_bytes())
            }

            /// The same, of bytes that need not be text.
            pub(crate) const fn parse_ascii(text: &[u8]) -> Result<Self, NotAGuid> {
                match parse(text) {
                    Ok(Bytes(bytes)) => Ok(Self::from_bytes(bytes)),
                    Err(error) => Err(error),
                }
            }

            /// The lower-case text, as ASCII bytes. O(1).
            #[must_use]
            pub fn to_text(self) -> [u8; GUID_LEN] {
                write(self.to_bytes())
            }
        }

        impl core::str::FromStr for $name {
            type Err = NotAGuid;

            fn from_str(text: &str) -> Result<Self, NotAGuid> {
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserId([u8; 16]);

impl UserId {
    /// The id with these bytes, in the order in which they are written. O(1).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, in the order in which they are written. O(1).
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

guid!(UserId);

/// Which session of a user it is: the application's (client) id, a GUID. The same id under two users names two
/// unrelated sessions. Rule M2.
// Two numbers, for a user's sessions are compared and moved at every step: a small device would do it byte by byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "SessionIdBytes", into = "SessionIdBytes"))]
pub struct SessionId {
    high: u64,
    low: u64,
}

/// What serde writes: an id of either kind is written alike.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "SessionId")]
struct SessionIdBytes([u8; 16]);

#[cfg(feature = "serde")]
impl From<SessionIdBytes> for SessionId {
    fn from(bytes: SessionIdBytes) -> Self {
        Self::from_bytes(bytes.0)
    }
}

#[cfg(feature = "serde")]
impl From<SessionId> for SessionIdBytes {
    fn from(id: SessionId) -> Self {
        Self(id.to_bytes())
    }
}

impl SessionId {
    /// The id with these bytes, in the order in which they are written. O(1).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        let number = u128::from_be_bytes(bytes);
        Self { high: (number >> 64) as u64, low: number as u64 }
    }

    /// The bytes, in the order in which they are written. O(1).
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        (((self.high as u128) << 64) | self.low as u128).to_be_bytes()
    }
}

guid!(SessionId);
