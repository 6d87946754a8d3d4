//! Server-sent events, piece by piece: the changes of `GET /presence/changes`.

mod line;

use crate::time::Duration;
use heapless::Vec;
use line::{Field, Line};

/// An event, or another sign of life, that a [`Feed`] has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FeedEvent<'a> {
    /// Everything that was known is void; all users follow.
    StartOver,
    /// A presence object, as it was sent: of one user, present or changed.
    Presence(&'a [u8]),
    /// All users have been sent; changes follow.
    UpToDate,
    /// The time after which to connect again, when the stream has ended.
    Retry(Duration),
    /// A comment: the server says that it is there.
    Comment,
    /// An event of another name.
    Other,
    /// An event whose data is longer than the feed has memory for: its beginning.
    TooLong(&'a [u8]),
}

/// A reader of server-sent events, in memory of a fixed size: bytes in, events out.
///
/// It takes a stream in pieces of any size, and reads it as the [standard] says: lines that end in CR, LF or both, a byte order
/// mark before them, comments. `DATA` is the longest data of an event in bytes, `Resource::max_len(TextBuffer::CAPACITY)` for any presence
/// object of Graph's; longer data is told, and skipped. `ID` is the length of the longest id, and 5 at least, for the names of
/// lines: less does not compile.
///
/// ```
/// use presence_core::client::{Feed, FeedEvent};
///
/// let mut feed: Feed<512> = Feed::new();
/// let mut seen = Vec::new();
/// for mut piece in [b"event: presence\r\nid: 7\r\nda".as_slice(), b"ta: {\"id\":1}\r\n\r\n: still here\r\n"] {
///     while let Some(event) = feed.next(&mut piece) {
///         seen.push(match event {
///             FeedEvent::Presence(object) => String::from_utf8_lossy(object).into_owned(),
///             other => format!("{other:?}"),
///         });
///     }
/// }
/// assert_eq!(seen, [r#"{"id":1}"#, "Comment"]);
/// // When the stream has ended, another one resumes after this event.
/// assert_eq!(feed.last_event_id(), b"7");
/// feed.reopen();
/// ```
///
/// [standard]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed<const DATA: usize, const ID: usize = 128> {
    line: Line<ID>,
    name: Name,
    data: Data<DATA>,
    /// The id of the event that is being read.
    id: Vec<u8, ID>,
    /// The id of the last event that was complete.
    last_id: Vec<u8, ID>,
    /// True if `data` is of an event that the caller has received.
    is_told: bool,
}

/// The name of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    StartOver,
    Presence,
    UpToDate,
    Other,
}

/// The lines of an event's data.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Data<const DATA: usize> {
    bytes: Vec<u8, DATA>,
    has_lines: bool,
    /// True inside a line.
    is_open: bool,
    is_too_long: bool,
}

impl<const DATA: usize> Data<DATA> {
    const EMPTY: Self = Self { bytes: Vec::new(), has_lines: false, is_open: false, is_too_long: false };

    fn push(&mut self, byte: u8) {
        self.is_too_long |= self.bytes.push(byte).is_err();
    }

    /// Begins a line if none is open: between two is a line feed.
    fn open_line(&mut self) {
        if self.has_lines && !self.is_open {
            self.push(b'\n');
        }
        (self.has_lines, self.is_open) = (true, true);
    }

    fn clear(&mut self) {
        self.bytes.clear();
        (self.has_lines, self.is_open, self.is_too_long) = (false, false, false);
    }
}

impl<const DATA: usize, const ID: usize> Default for Feed<DATA, ID> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const DATA: usize, const ID: usize> Feed<DATA, ID> {
    /// Creates a reader that has received nothing. `const`, so that it can live in a `static`.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(ID >= "event".len(), "names of lines take five bytes") };
        Self {
            line: Line::FIRST,
            name: Name::Other,
            data: Data::EMPTY,
            id: Vec::new(),
            last_id: Vec::new(),
            is_told: false,
        }
    }

    /// Returns the id of the last complete event, for the header `Last-Event-ID` of the next request.
    ///
    /// Empty if there was none, or if it was longer than `ID` bytes: then the server starts over.
    #[must_use]
    pub fn last_event_id(&self) -> &[u8] {
        &self.last_id
    }

    /// Begins with a new stream, which resumes after [`last_event_id`](Self::last_event_id). What the old one left incomplete
    /// is discarded.
    pub fn reopen(&mut self) {
        self.line.restart();
        self.id.clone_from(&self.last_id);
        self.next_event();
    }

    /// Begins with a new stream that starts over, without an id.
    pub fn start_over(&mut self) {
        self.last_id.clear();
        self.reopen();
    }

    /// Returns the next event, and takes the bytes that it was made of off the input; `None` when the input is used up.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<FeedEvent<'_>> {
        if self.is_told {
            self.next_event();
        }
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            if let Some(told) = self.take(byte) {
                return Some(self.event(told));
            }
        }
        None
    }

    fn next_event(&mut self) {
        self.name = Name::Other;
        self.data.clear();
        self.is_told = false;
    }

    /// Takes a byte, and returns what is complete with it.
    fn take(&mut self, byte: u8) -> Option<Told> {
        match self.line.take(byte)? {
            line::Step::Data(byte) => {
                self.data.open_line();
                self.data.push(byte);
                None
            }
            line::Step::End(None) => self.dispatch(),
            line::Step::End(Some(field)) => self.end_line(field),
        }
    }

    fn end_line(&mut self, field: Field) -> Option<Told> {
        let value = self.line.value();
        match field {
            Field::Comment => return Some(Told::Comment),
            Field::Retry => return value.and_then(number).map(Told::Retry),
            Field::Event => self.name = value.map_or(Name::Other, name),
            Field::Id => match value {
                Some(value) if value.contains(&0) => {}
                Some(value) => {
                    self.id.clear();
                    // Of the same capacity.
                    let _ = self.id.extend_from_slice(value);
                }
                None => self.id.clear(),
            },
            Field::Data => {
                self.data.open_line();
                self.data.is_open = false;
            }
            Field::Other => {}
        }
        None
    }

    /// Ends an event, at an empty line.
    fn dispatch(&mut self) -> Option<Told> {
        self.last_id.clone_from(&self.id);
        if !self.data.has_lines {
            self.next_event();
            return None;
        }
        self.is_told = true;
        Some(Told::Event)
    }

    fn event(&self, told: Told) -> FeedEvent<'_> {
        match (told, self.name) {
            (Told::Comment, _) => FeedEvent::Comment,
            (Told::Retry(after), _) => FeedEvent::Retry(after),
            (Told::Event, _) if self.data.is_too_long => FeedEvent::TooLong(&self.data.bytes),
            (Told::Event, Name::StartOver) => FeedEvent::StartOver,
            (Told::Event, Name::Presence) => FeedEvent::Presence(&self.data.bytes),
            (Told::Event, Name::UpToDate) => FeedEvent::UpToDate,
            (Told::Event, Name::Other) => FeedEvent::Other,
        }
    }
}

/// A thing that is complete.
#[derive(Clone, Copy)]
enum Told {
    Comment,
    Retry(Duration),
    Event,
}

/// Returns the event of a name.
fn name(name: &[u8]) -> Name {
    match name {
        b"start-over" => Name::StartOver,
        b"presence" => Name::Presence,
        b"up-to-date" => Name::UpToDate,
        _ => Name::Other,
    }
}

/// Reads milliseconds: digits alone.
fn number(digits: &[u8]) -> Option<Duration> {
    let mut millis: u64 = 0;
    for byte in digits {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        millis = millis.saturating_mul(10).saturating_add(digit.into());
    }
    if digits.is_empty() { None } else { Some(Duration::from_millis(millis)) }
}
