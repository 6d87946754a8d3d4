//! An element of a batch: a request with an id.

use crate::graph::error::{Error, Field};
use crate::graph::json::{Value, decode};
use crate::graph::request::fields::member;
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

    /// Returns the value of the header `Content-Type`.
    pub(super) fn content_type(self) -> Result<Option<Value<'a>>, Error> {
        let Some(headers) = self.member(Field::Headers)? else { return Ok(None) };
        if !headers.is_object() {
            return Err(Error::Malformed(Field::Headers));
        }
        let mut content_type: Option<Value<'a>> = None;
        for (name, value) in headers.members() {
            let is_content_type = name.as_bytes().eq_ignore_ascii_case(b"\"content-type\"");
            if is_content_type && content_type.replace(value).is_some() {
                return Err(Error::Malformed(Field::Headers));
            }
        }
        Ok(content_type.filter(|value| !value.is_null()))
    }

    /// Reports whether the element is a batch itself.
    pub(super) fn is_batch(self) -> bool {
        let mut buffer = Url::new();
        let url = self.member(Field::Url).ok().flatten().and_then(Value::escaped);
        let target = url.and_then(|url| decode(until(url, b"?"), &mut buffer)).map(Target::parse);
        matches!(target, Some(Ok(Target::Batch)))
    }
}
