//! User objects: what the application knows of a user.

use crate::buffer::BufferFull;
use crate::graph::context::Context;
use crate::graph::request::select::{Select, USER_PROPERTIES};
use crate::graph::respond::text::{write_string, write_template};
use crate::graph::respond::writer::Writer;
use crate::id::UserId;

/// The longest user principal name that is written, in bytes: the longest that a path may have.
const MAX_PRINCIPAL_NAME: usize = 320;
/// The longest display name that is written, in bytes: 256 characters of any kind.
const MAX_DISPLAY_NAME: usize = 1024;

impl Context<'_> {
    /// The length of the longest user object, in bytes. Every byte of a name may need an escape. Feature `details`.
    pub const MAX_USER_LEN: usize =
        r#"{"id":"","userPrincipalName":"","displayName":""}"#.len() + 36 + 6 * (MAX_PRINCIPAL_NAME + MAX_DISPLAY_NAME);

    /// Writes a user object: the id, and the names that the environment tells. Feature `details`.
    ///
    /// Other names are null. Those that are longer than the [`Environment`](crate::graph::Environment) says are, too.
    ///
    /// # Errors
    ///
    /// [`BufferFull`]; [`MAX_USER_LEN`](Self::MAX_USER_LEN) bytes suffice.
    ///
    /// ```
    /// use presence_core::graph::{Buffer, Caller, Context, Environment, Select};
    /// use presence_core::{Instant, UserId};
    ///
    /// struct Names;
    ///
    /// impl Environment for Names {
    ///     fn display_name(&self, _: UserId, read: &mut dyn FnMut(&str)) {
    ///         read("Adele Vance");
    ///     }
    /// }
    ///
    /// let context = Context::new(Instant::ZERO, Caller::Trusted { me: None }).with_environment(&Names);
    /// let mut bytes = [0; 128];
    /// let mut body = Buffer::new(&mut bytes);
    /// context.write_user(UserId::from_bytes([0x11; 16]), Select::ALL, &mut body)?;
    /// let expected =
    ///     br#"{"id":"11111111-1111-1111-1111-111111111111","userPrincipalName":null,"displayName":"Adele Vance"}"#;
    /// assert_eq!(body.written(), expected);
    /// # Ok::<(), presence_core::BufferFull>(())
    /// ```
    pub fn write_user(&self, user: UserId, select: Select, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        let mut opening = "{";
        for (position, name) in USER_PROPERTIES {
            if select.contains_at(position) {
                write_template(writer, r#"*"*":"#, &[opening.as_bytes(), name.as_bytes()])?;
                opening = ",";
                self.write_user_property(name, user, writer)?;
            }
        }
        // Of the names that a request selects there may be none.
        writer.write(if opening == "{" { b"{}" } else { b"}" })
    }

    fn write_user_property(&self, name: &str, user: UserId, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        let max_len = match name {
            "id" => {
                let mut id = heapless::Vec::new();
                user.push_text(&mut id);
                return write_template(writer, "\"*\"", &[&id]);
            }
            "userPrincipalName" => MAX_PRINCIPAL_NAME,
            _ => MAX_DISPLAY_NAME,
        };
        let mut written = None;
        let mut read = |text: &str| {
            if written.is_none() && text.len() <= max_len {
                written = Some(write_string(writer, text));
            }
        };
        match self.environment {
            Some(environment) if name == "userPrincipalName" => environment.principal_name(user, &mut read),
            Some(environment) => environment.display_name(user, &mut read),
            None => {}
        }
        written.unwrap_or_else(|| writer.write(b"null"))
    }
}
