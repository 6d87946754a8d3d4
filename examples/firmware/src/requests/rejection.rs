//! The reason for which a request of the device's own was rejected.

use presence_core::BufferFull;
use presence_core::graph::{Error, Line, Trace, Writer};

/// The reason for which a request of the device's own was rejected. Nothing has changed.
///
/// Fields that Graph does not know are named in messages as Graph names its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// One that every request has.
    Graph(Error),
    /// 400: a member is given twice.
    Duplicate(&'static str),
    /// 400: a required member is missing.
    Missing(&'static str),
    /// 400: a member has the wrong type or form.
    Malformed(&'static str),
    /// 400: a number or a duration is out of range.
    OutOfRange(&'static str),
    /// 507: there is no room for another setting.
    SettingsFull,
    /// 503: what is stored could not be erased. The rest is forgotten, and the request may be repeated.
    NotErased,
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self::Graph(error)
    }
}

impl Rejection {
    /// Writes the rejection as the response to a line; without its body if that does not fit.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if not even the bare status fits.
    pub(super) fn write(self, line: Line<'_>, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        const FIELD: &str = "InvalidArgument";
        let (status, code, pieces) = match self {
            Self::Graph(error) => return line.write_error(error, &Trace::default(), writer),
            Self::Duplicate(field) => (400, FIELD, ["[", field, "]: The field is given twice.", "", ""]),
            Self::Missing(field) => (400, FIELD, ["[", field, "]: The ", field, " field is required."]),
            Self::Malformed(field) => (400, FIELD, ["The provided [", field, "] is not valid.", "", ""]),
            Self::OutOfRange(field) => (400, FIELD, ["The provided [", field, "] is out of range.", "", ""]),
            Self::SettingsFull => {
                (507, "InsufficientStorage", ["There is no room for another setting.", "", "", "", ""])
            }
            Self::NotErased => (503, "ServiceUnavailable", ["The storage cannot be erased.", "", "", "", ""]),
        };
        let before = writer.remaining();
        let written = line.write_response(status, Some(&mut |body| write_body(code, &pieces, body)), writer);
        written.or_else(|BufferFull| {
            writer.discard_last(before - writer.remaining());
            line.write_response(status, None, writer)
        })
    }
}

/// Writes an error body, as rule H1 says and the library does.
fn write_body(code: &str, message: &[&str], body: &mut dyn Writer) -> Result<(), BufferFull> {
    let opening = [r#"{"error":{"code":""#, code, r#"","message":""#];
    const END: &str = r#"","innerError":{"date":null,"request-id":null,"client-request-id":null}}}"#;
    opening.iter().chain(message).chain([&END]).try_for_each(|piece| body.write(piece.as_bytes()))
}
