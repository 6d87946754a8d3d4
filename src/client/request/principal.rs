//! The user that a call is about.

use super::encode::write_encoded;
use crate::buffer::BufferFull;
use crate::graph::{Error, Field, Writer, write_template};
use crate::id::UserId;

/// The user that a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Principal<'a>(Kind<'a>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Kind<'a> {
    Me,
    Id(UserId),
    Name(&'a str),
}

impl<'a> Principal<'a> {
    /// The user for whom the token was issued: `/me`.
    pub const ME: Self = Self(Kind::Me);

    /// The length of the longest user principal name, in bytes: 64, an at sign, and 255.
    pub const MAX_NAME_LEN: usize = 320;

    /// Creates the user of an id.
    #[must_use]
    pub const fn id(id: UserId) -> Self {
        Self(Kind::Id(id))
    }

    /// Creates the user of a user principal name, such as `adele@contoso.com`.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] of [`Field::User`] without an at sign, or [`Error::OutOfRange`] of a text that is too long.
    ///
    /// ```
    /// use presence_core::client::{Call, Principal};
    ///
    /// let call = Call::presence(Principal::name("o'neill+1@contoso.com")?);
    /// assert_eq!(call.target().to_string(), "/users/o%27neill%2B1%40contoso.com/presence");
    /// # Ok::<(), presence_core::graph::Error>(())
    /// ```
    pub fn name(name: &'a str) -> Result<Self, Error> {
        if name.len() > Self::MAX_NAME_LEN {
            return Err(Error::OutOfRange(Field::User));
        }
        if !name.bytes().any(|byte| byte == b'@') {
            return Err(Error::Malformed(Field::User));
        }
        Ok(Self(Kind::Name(name)))
    }
}

impl Principal<'_> {
    /// Writes the path of the user.
    pub(super) fn write(self, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        match self.0 {
            Kind::Me => writer.write(b"/me"),
            Kind::Id(id) => write_template(writer, "/users/*", &[&id.to_text()]),
            Kind::Name(name) => {
                writer.write(b"/users/")?;
                write_encoded(writer, name)
            }
        }
    }
}

impl From<UserId> for Principal<'_> {
    fn from(id: UserId) -> Self {
        Self::id(id)
    }
}
