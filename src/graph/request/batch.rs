//! `$batch`: elements, each a request with an id, walked where they lie in the body. Rule H5.

use crate::graph::MAX_ELEMENTS;
use crate::graph::error::{Error, Field};
use crate::graph::json::{Value, decode};
use crate::graph::request::target::{Target, until};
use crate::graph::request::{Body, RawRequest, Request, World, member};
use crate::graph::serve::Context;
use crate::id::UserId;
use crate::policy::Policy;

/// The elements of a batch, 1 to [`MAX_ELEMENTS`], each with an id of its own, none of them a batch. Rule H5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Batch<'a>(Value<'a>);

impl<'a> Batch<'a> {
    /// The `requests` of a body. Rule H5. O(bytes), in bounded memory.
    ///
    /// # Errors
    ///
    /// A [`Error`] of the whole batch: a missing or repeated id, no element or too many, a batch inside a batch.
    pub fn parse(body: Option<Value<'a>>) -> Result<Self, Error> {
        let requests = member(body, Field::Requests)?.ok_or(Error::Missing(Field::Requests))?;
        if !requests.is_array() {
            return Err(Error::Malformed(Field::Requests));
        }
        let count = requests.elements().take(MAX_ELEMENTS.saturating_add(1)).count();
        if count == 0 || count > MAX_ELEMENTS {
            return Err(Error::Count(Field::Requests));
        }
        let mut ids = heapless::Vec::<Value<'_>, MAX_ELEMENTS>::new();
        for value in requests.elements() {
            let element = Element::parse(value)?;
            if ids.iter().any(|earlier| earlier.is_same_text(element.id)) {
                return Err(Error::Repeated(Field::Id));
            }
            if element.is_batch() {
                return Err(Error::NestedBatch);
            }
            ids.push(element.id).map_err(|_| Error::Count(Field::Requests))?;
        }
        Ok(Self(requests))
    }

    /// The elements, in order. O(bytes) to exhaust.
    pub fn elements(self) -> impl Iterator<Item = Element<'a>> {
        self.0.elements().filter_map(|value| Element::parse(value).ok())
    }
}

/// An element of a batch, or a line of its own: a request with an id. Rule H5.
///
/// ```
/// use presence_core::graph::{Element, Request, Select, json::Value};
/// use presence_core::{Policy, UserId};
///
/// let value = Value::parse(br#"{"id":"1","method":"GET","url":"/me/presence"}"#)?;
/// let element = Element::parse(value)?;
/// let me = UserId::parse("fa8bf3dc-eca7-46b7-bad1-db199b62afc3")?;
/// assert_eq!(element.request(Some(me), &Policy::GRAPH), Ok(Request::Get { user: me, select: Select::ALL }));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Element<'a> {
    value: Value<'a>,
    id: Value<'a>,
}

/// Which elements of a batch have been answered, and whether they failed: for whoever runs the elements itself. Rule H5.
///
/// ```
/// use presence_core::graph::{Dependencies, Batch, Error, json::Value};
///
/// let body = br#"{"requests":[
///     {"id":"1","method":"GET","url":"/me/presence"},
///     {"id":"2","method":"GET","url":"/me/presence","dependsOn":["1"]}
/// ]}"#;
/// let batch = Batch::parse(Some(Value::parse(body)?))?;
/// let mut answered = Dependencies::new();
/// let mut verdicts = Vec::new();
/// for element in batch.elements() {
///     let verdict = answered.check(element);
///     verdicts.push(verdict);
///     // Run it, unless it must not run; here the first is not found.
///     answered.note(element, verdict.map_or_else(Error::status, |()| 404));
/// }
/// assert_eq!(verdicts, [Ok(()), Err(Error::FailedDependency)]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dependencies<'a>(heapless::Vec<(Value<'a>, bool), MAX_ELEMENTS>);

impl<'a> Dependencies<'a> {
    /// None so far. O(1).
    #[must_use]
    pub const fn new() -> Self {
        Self(heapless::Vec::new())
    }

    /// Whether none was answered so far. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an element may run: what it depends on came before it, and succeeded. Rule H5. O(bytes of the element), each
    /// looked at once for each of up to [`MAX_ELEMENTS`] ids.
    ///
    /// # Errors
    ///
    /// [`Error::FailedDependency`], or what is wrong with [`Field::DependsOn`].
    pub fn check(&self, element: Element<'_>) -> Result<(), Error> {
        let mut verdict = Ok(());
        for (place, id) in element.depends_on()?.enumerate() {
            match self.0.iter().find(|(other, _)| other.is_same_text(id)) {
                Some((_, failed)) if *failed => verdict = Err(Error::FailedDependency),
                Some(_) if place < MAX_ELEMENTS => {}
                _ => return Err(Error::Malformed(Field::DependsOn)),
            }
        }
        verdict
    }

    /// An element was answered with this status. O(1).
    pub fn note(&mut self, element: Element<'a>, status: u16) {
        // A batch has no more elements than fit.
        let _ = self.0.push((element.id(), status >= 400));
    }
}

/// Longest method and target that are decoded when something in them is escaped.
type Method = heapless::Vec<u8, 8>;
type Url = heapless::Vec<u8, 256>;
/// The same of a media type: all parameters that OData has do not fill it.
type MediaType = heapless::Vec<u8, 128>;

impl<'a> Element<'a> {
    /// An object with an id; the rest is looked at by [`request`](Self::request). Rule H5. O(bytes).
    ///
    /// # Errors
    ///
    /// [`Error::NotAnObject`], or what is wrong with the id: then nobody can be answered under it.
    pub fn parse(value: Value<'a>) -> Result<Self, Error> {
        if !value.is_object() {
            return Err(Error::NotAnObject);
        }
        let id = member(Some(value), Field::Id)?.ok_or(Error::Missing(Field::Id))?;
        if id.is_string() { Ok(Self { value, id }) } else { Err(Error::Malformed(Field::Id)) }
    }

    /// The id, a JSON string as it was written. O(1).
    #[must_use]
    pub const fn id(self) -> Value<'a> {
        self.id
    }

    /// The whole element. O(1).
    #[must_use]
    pub const fn value(self) -> Value<'a> {
        self.value
    }

    /// The request in this element, parsed and checked as [`Request::parse`] does. O(bytes).
    ///
    /// # Errors
    ///
    /// What is wrong with the element, then what is wrong with its request.
    pub fn request(self, me: Option<UserId>, policy: &Policy) -> Result<Request<'a>, Error> {
        self.request_for(me.as_ref(), &World::NOTHING, policy)
    }

    /// The same in an exchange, as [`Request::parse_in`] does. O(bytes), and whatever the embedder's hooks take.
    ///
    /// # Errors
    ///
    /// What is wrong with the element, then what is wrong with its request.
    pub fn request_in(self, exchange: &Context<'_>, policy: &Policy) -> Result<Request<'a>, Error> {
        self.request_for(exchange.caller.me_ref(), &exchange.world(), policy)
    }

    fn request_for(self, me: Option<&UserId>, world: &World<'_>, policy: &Policy) -> Result<Request<'a>, Error> {
        let (mut method_buffer, mut url_buffer) = (Method::new(), Url::new());
        let method = self.member(Field::Method)?.ok_or(Error::Missing(Field::Method))?;
        let url = self.member(Field::Url)?.ok_or(Error::Missing(Field::Url))?;
        if !method.is_string() {
            return Err(Error::Malformed(Field::Method));
        }
        let url = url.escaped().ok_or(Error::Malformed(Field::Url))?;
        // A path too long to decode names nothing here, and neither does such a method. Without feature `details` nothing
        // after the path is looked at.
        let url = if cfg!(feature = "details") { url } else { until(url, b"?") };
        let target = decode(url, &mut url_buffer).ok_or(Error::UnknownPath)?;
        let method = method.text(&mut method_buffer).unwrap_or_default();
        Target::route(method, target, me.is_some(), world)?;
        let mut content_type_buffer = MediaType::new();
        let content_type = self.content_type()?.map(|value| value.text(&mut content_type_buffer).unwrap_or_default());
        let body = Body::Json(self.member(Field::Body)?);
        Request::parse_for(&RawRequest { method, target, content_type, body }, me, world, policy)
    }

    /// The ids of the elements that this one depends on, none if it does not say. O(bytes).
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

    fn member(self, field: Field) -> Result<Option<Value<'a>>, Error> {
        member(Some(self.value), field)
    }

    fn content_type(self) -> Result<Option<Value<'a>>, Error> {
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

    fn is_batch(self) -> bool {
        let mut buffer = Url::new();
        let url = self.member(Field::Url).ok().flatten().and_then(Value::escaped);
        let target = url.and_then(|url| decode(until(url, b"?"), &mut buffer)).map(Target::parse);
        matches!(target, Some(Ok(Target::Batch)))
    }
}
