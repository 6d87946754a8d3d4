//! An element of a batch: a request with an id.

use crate::graph::HAS_BATCH;
use crate::graph::error::{Error, Field};
use crate::graph::json::{Value, decode};
use crate::graph::request::fields::member;
use crate::graph::request::raw::is_identity;
use crate::graph::request::target::Target;
use crate::graph::request::uri::until;

/// An element of a batch, or a line of its own: a request with an id.
///
/// ```
/// use presence_core::graph::{Caller, Context, Element, Request, Select, json::Value};
/// use presence_core::{Instant, Policy, UserId};
///
/// let value = Value::parse(br#"{"id":"1","method":"GET","url":"/me/presence"}"#)?;
/// let element = Element::parse(value)?;
/// let me = UserId::parse("fa8bf3dc-eca7-46b7-bad1-db199b62afc3")?;
/// let context = Context::new(Instant::ZERO, Caller::Trusted { me: Some(me) });
/// assert_eq!(element.request(&context, &Policy::GRAPH), Ok(Request::Get { user: me, select: Select::ALL }));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Element<'a> {
    value: Value<'a>,
    id: Value<'a>,
}

/// A buffer for methods with escapes.
pub(super) type Method = heapless::Vec<u8, 8>;
/// A buffer for targets with escapes.
pub(super) type Url = heapless::Vec<u8, 256>;
/// A buffer for media types with escapes: longer than one with all parameters that OData has.
pub(super) type MediaType = heapless::Vec<u8, 128>;
/// A buffer for content codings with escapes: longer than the one that is accepted.
type Coding = heapless::Vec<u8, 16>;

/// The headers of an element that say what its body is.
pub(super) struct Headers<'a> {
    /// The value of `Content-Type`, if it is not null.
    pub(super) content_type: Option<Value<'a>>,
    /// True if `Content-Encoding` names anything but `identity`.
    pub(super) is_coded: bool,
}

impl<'a> Element<'a> {
    /// Parses an object with an id; [`request`](Self::request) parses the rest.
    ///
    /// # Errors
    ///
    /// [`Error::NotAnObject`], or an error about [`Field::Id`]. Such an element has no id to respond to.
    pub fn parse(value: Value<'a>) -> Result<Self, Error> {
        if !value.is_object() {
            return Err(Error::NotAnObject);
        }
        let id = member(Some(value), Field::Id)?.ok_or(Error::Missing(Field::Id))?;
        if id.is_string() { Ok(Self { value, id }) } else { Err(Error::Malformed(Field::Id)) }
    }

    /// Returns the id, a JSON string as it was written.
    #[must_use]
    pub const fn id(self) -> Value<'a> {
        self.id
    }

    /// Returns the whole element.
    #[must_use]
    pub const fn value(self) -> Value<'a> {
        self.value
    }

    /// Returns the ids of the elements that this one depends on.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] or [`Error::Duplicate`], of [`Field::DependsOn`].
    pub fn depends_on(self) -> Result<impl Iterator<Item = Value<'a>>, Error> {
        let list = self.member(Field::DependsOn)?;
        if list.is_some_and(|list| !list.is_array() || list.elements().any(|id| !id.is_string())) {
            return Err(Error::Malformed(Field::DependsOn));
        }
        Ok(list.into_iter().flat_map(Value::elements))
    }

    pub(super) fn member(self, field: Field) -> Result<Option<Value<'a>>, Error> {
        member(Some(self.value), field)
    }

    /// Returns the headers that say what the body is.
    pub(super) fn headers(self) -> Result<Headers<'a>, Error> {
        let mut found = Headers { content_type: None, is_coded: false };
        let Some(headers) = self.member(Field::Headers)? else { return Ok(found) };
        if !headers.is_object() {
            return Err(Error::Malformed(Field::Headers));
        }
        for (name, value) in headers.members() {
            let is = |header: &[u8]| name.as_bytes().eq_ignore_ascii_case(header);
            if is(b"\"content-type\"") && found.content_type.replace(value).is_some() {
                return Err(Error::Malformed(Field::Headers));
            }
            // A coding that is no text is none that is known. Devices without batches do without: no line is coded.
            let is_plain = || value.is_null() || value.text_in(&mut Coding::new()).is_some_and(is_identity);
            found.is_coded |= HAS_BATCH && is(b"\"content-encoding\"") && !is_plain();
        }
        found.content_type = found.content_type.filter(|value| !value.is_null());
        Ok(found)
    }

    /// Reports whether the element is a batch itself.
    pub(super) fn is_batch(self) -> bool {
        let mut buffer = Url::new();
        let url = self.member(Field::Url).ok().flatten().and_then(Value::escaped);
        let target = url.and_then(|url| decode(until(url, b"?"), &mut buffer)).map(Target::parse);
        matches!(target, Some(Ok(Target::Batch)))
    }
}
