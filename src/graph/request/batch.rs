//! A batch: its elements, and which of them may run.

use crate::graph::error::{Error, Field};
use crate::graph::json::Value;
use crate::graph::request::element::Element;
use crate::graph::request::fields::member;

const MAX_ELEMENTS: usize = 20;

/// The elements of a batch, borrowed from the body.
///
/// There are 1 to [`MAX_ELEMENTS`](Self::MAX_ELEMENTS) with distinct ids, and none is a batch: see [H5](crate::rules#h5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Batch<'a>(Value<'a>);

impl<'a> Batch<'a> {
    /// The maximum number of elements in a batch.
    pub const MAX_ELEMENTS: usize = MAX_ELEMENTS;

    /// The length of the longest id, decoded, in bytes. The response repeats ids, so that longer ones would cost the application.
    ///
    /// In the response an id takes at most six times as much, and two quotation marks.
    ///
    /// ```
    /// use presence_core::graph::{Batch, Error, Field, json::Value};
    ///
    /// let parse = |id: &str| Batch::parse(Value::parse(format!(r#"{{"requests":[{{"id":"{id}"}}]}}"#).as_bytes()).ok()).map(|_| ());
    /// assert_eq!(parse(&"7".repeat(Batch::MAX_ID_LEN)), Ok(()));
    /// assert_eq!(parse(&"7".repeat(Batch::MAX_ID_LEN + 1)), Err(Error::OutOfRange(Field::Id)));
    /// ```
    pub const MAX_ID_LEN: usize = 128;

    /// Parses the `requests` of a body.
    ///
    /// # Errors
    ///
    /// The [`Error`] of the whole batch: a missing or repeated id, one longer than
    /// [`MAX_ID_LEN`](Self::MAX_ID_LEN), no element or too many, a batch inside a batch.
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
            if element.id().is_text_longer_than(Self::MAX_ID_LEN) {
                return Err(Error::OutOfRange(Field::Id));
            }
            if ids.iter().any(|earlier| earlier.is_same_text(element.id())) {
                return Err(Error::Repeated(Field::Id));
            }
            if element.is_batch() {
                return Err(Error::NestedBatch);
            }
            ids.push(element.id()).map_err(|_| Error::Count(Field::Requests))?;
        }
        Ok(Self(requests))
    }

    /// Returns the elements, in order.
    pub fn elements(self) -> impl Iterator<Item = Element<'a>> {
        self.0.elements().filter_map(|value| Element::parse(value).ok())
    }
}

/// The outcome of each element of a batch so far, for an application that runs the elements itself.
///
/// ```
/// use presence_core::graph::{Dependencies, Batch, Error, json::Value};
///
/// let body = br#"{"requests":[
///     {"id":"1","method":"GET","url":"/me/presence"},
///     {"id":"2","method":"GET","url":"/me/presence","dependsOn":["1"]}
/// ]}"#;
/// let batch = Batch::parse(Some(Value::parse(body)?))?;
/// let mut dependencies = Dependencies::new();
/// let mut verdicts = Vec::new();
/// for element in batch.elements() {
///     let verdict = dependencies.check(element);
///     verdicts.push(verdict);
///     // Run it, unless it must not run; here the first is not found.
///     dependencies.record(element, verdict.map_or_else(Error::status, |()| 404));
/// }
/// assert_eq!(verdicts, [Ok(()), Err(Error::FailedDependency)]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dependencies<'a>(heapless::Vec<(Value<'a>, bool), MAX_ELEMENTS>);

impl<'a> Dependencies<'a> {
    /// Creates the state before the first element.
    #[must_use]
    pub const fn new() -> Self {
        Self(heapless::Vec::new())
    }

    /// Reports whether no element has run so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that an element may run: those it depends on came before it, and succeeded.
    ///
    /// O(bytes of the element × [`Batch::MAX_ELEMENTS`]).
    ///
    /// # Errors
    ///
    /// [`Error::FailedDependency`], or an error about [`Field::DependsOn`].
    pub fn check(&self, element: Element<'_>) -> Result<(), Error> {
        let mut verdict = Ok(());
        for (position, id) in element.depends_on()?.enumerate() {
            match self.0.iter().find(|(other, _)| other.is_same_text(id)) {
                Some((_, true)) if position < MAX_ELEMENTS => verdict = Err(Error::FailedDependency),
                Some(_) if position < MAX_ELEMENTS => {}
                _ => return Err(Error::Malformed(Field::DependsOn)),
            }
        }
        verdict
    }

    /// Records the status of an element's response.
    pub fn record(&mut self, element: Element<'a>, status: u16) {
        // A batch has no more elements than fit.
        let _ = self.0.push((element.id(), status >= 400));
    }
}
