//! Many calls in one request.

use super::body::write_body;
use super::call::Call;
use super::target::write_target;
use super::written::written;
use crate::buffer::BufferFull;
use crate::graph::{Batch, Error, Field, Writer, write_string, write_template};

/// A call in a batch, with an id that its answer repeats. Feature `batch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BatchedCall<'a> {
    /// The id, another one for each call of a batch, of at most [`Batch::MAX_ID_LEN`] bytes.
    pub id: &'a str,
    /// The call.
    pub call: Call<'a>,
    /// The ids of calls before this one that must have succeeded; otherwise this one is answered 424.
    pub depends_on: &'a [&'a str],
}

/// Many calls in one request: `POST /$batch` ([H5](crate::rules#h5)). Feature `batch`.
///
/// ```
/// use presence_core::client::{BatchedCall, Call, CallBatch, Principal};
/// use presence_core::{Command, Policy};
///
/// let clear = Call::execute(Principal::ME, Command::ClearPreferredPresence, &Policy::GRAPH)?;
/// let calls = [
///     BatchedCall { id: "clear", call: clear, depends_on: &[] },
///     BatchedCall { id: "read", call: Call::presence(Principal::ME), depends_on: &["clear"] },
/// ];
/// let batch = CallBatch::new(&calls)?;
/// let mut buffer = [0; 512];
/// let body = batch.write_body(&mut buffer)?;
/// assert!(body.ends_with(br#"{"id":"read","method":"GET","url":"/me/presence","dependsOn":["clear"]}]}"#));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CallBatch<'a>(&'a [BatchedCall<'a>]);

impl<'a> CallBatch<'a> {
    /// The method.
    pub const METHOD: &'static str = "POST";

    /// The target, behind the version.
    pub const TARGET: &'static str = "/$batch";

    /// Creates the batch of these calls, in their order. Takes time with the square of their number.
    ///
    /// # Errors
    ///
    /// - [`Error::Count`] of [`Field::Requests`] for no call, or for more than [`Batch::MAX_ELEMENTS`].
    /// - [`Error::OutOfRange`] of [`Field::Id`] for an id that is too long, [`Error::Repeated`] for one given twice.
    /// - [`Error::Malformed`] of [`Field::DependsOn`] for an id that is not that of a call before.
    /// - [`Error::MethodNotAllowed`] for `HEAD`.
    pub fn new(calls: &'a [BatchedCall<'a>]) -> Result<Self, Error> {
        if calls.is_empty() || calls.len() > Batch::MAX_ELEMENTS {
            return Err(Error::Count(Field::Requests));
        }
        for (position, batched) in calls.iter().enumerate() {
            let is_before = |id: &str| calls.iter().take(position).any(|other| other.id == id);
            if batched.id.len() > Batch::MAX_ID_LEN {
                return Err(Error::OutOfRange(Field::Id));
            }
            if is_before(batched.id) {
                return Err(Error::Repeated(Field::Id));
            }
            if batched.depends_on.len() > Batch::MAX_ELEMENTS || !batched.depends_on.iter().all(|id| is_before(id)) {
                return Err(Error::Malformed(Field::DependsOn));
            }
            if batched.call.method() == "HEAD" {
                return Err(Error::MethodNotAllowed);
            }
        }
        Ok(Self(calls))
    }

    /// Returns the headers, as [`Call::headers`] does.
    pub fn headers<'h>(
        &self,
        authorization: Option<&'h str>,
        client_request_id: Option<&'h str>,
    ) -> impl Iterator<Item = (&'static str, &'h str)> + use<'h> {
        super::call::headers(true, authorization, client_request_id)
    }

    /// Writes the body to the beginning of a buffer, and returns it.
    ///
    /// # Errors
    ///
    /// [`BufferFull`].
    pub fn write_body<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], BufferFull> {
        written(buffer, |writer| {
            let mut opening: &[u8] = br#"{"requests":["#;
            for batched in self.0 {
                writer.write(opening)?;
                write_call(writer, batched)?;
                opening = b",";
            }
            writer.write(b"]}")
        })
    }
}

fn write_call(writer: &mut dyn Writer, batched: &BatchedCall<'_>) -> Result<(), BufferFull> {
    writer.write(br#"{"id":"#)?;
    write_string(writer, batched.id)?;
    write_template(writer, r#","method":"*","url":""#, &[batched.call.method().as_bytes()])?;
    write_target(writer, &batched.call)?;
    writer.write(b"\"")?;
    if !batched.depends_on.is_empty() {
        let mut opening: &[u8] = br#","dependsOn":["#;
        for id in batched.depends_on {
            writer.write(opening)?;
            write_string(writer, id)?;
            opening = b",";
        }
        writer.write(b"]")?;
    }
    if batched.call.has_body() {
        writer.write(br#","headers":{"Content-Type":"application/json"},"body":"#)?;
        write_body(writer, &batched.call)?;
    }
    writer.write(b"}")
}
