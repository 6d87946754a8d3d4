//! All four steps in one: parse, authorise, execute, write. Rules H2, H5, H6.

use super::HAS_BATCH;
use crate::buffer::BufferFull;
use crate::graph::authorise::Caller;
#[cfg(feature = "details")]
use crate::graph::environment::Environment;
use crate::graph::error::Error;
use crate::graph::json::Value;
use crate::graph::request::batch::{Batch, Dependencies, Element};
#[cfg(feature = "details")]
use crate::graph::request::details::{DetailsAction, TextBuffer};
use crate::graph::request::{Ids, RawRequest, Request, World};
use crate::graph::respond::writer::{Reserve, Writer};
use crate::graph::respond::{Trace, fill, status, write_error, write_read, write_user};
use crate::graph::store::Store;
use crate::id::{SessionId, UserId};
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::{Command, Transition};

/// Everything about a request that does not stand in it.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The moment it is carried out at.
    pub now: Instant,
    /// Who sent it.
    pub caller: Caller,
    /// What errors tell of it.
    pub trace: Trace<'a>,
    /// Which users the embedder knows; `None` if it takes every GUID for a user. Rule M5.
    pub known: Option<&'a dyn Fn(UserId) -> bool>,
    /// What the embedder knows of zones, of the time on the wall and of user principal names. Feature `details`.
    #[cfg(feature = "details")]
    pub hooks: Option<&'a dyn Environment>,
}

impl<'a> Context<'a> {
    /// A request of this caller at this moment, in an embedder that takes every GUID for a user. O(1).
    #[must_use]
    pub const fn new(now: Instant, caller: Caller) -> Self {
        Self {
            now,
            caller,
            trace: Trace { date: None, request_id: None, client_request_id: None },
            known: None,
            #[cfg(feature = "details")]
            hooks: None,
        }
    }

    #[cfg(feature = "details")]
    pub(super) const fn world(&self) -> World<'a> {
        World { hooks: self.hooks, now: self.now }
    }

    #[cfg(not(feature = "details"))]
    pub(super) const fn world(&self) -> World<'a> {
        World::NOTHING
    }

    pub(super) fn knows(&self, user: UserId) -> bool {
        self.known.is_none_or(|known| known(user))
    }
}

impl core::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Context").field("now", &self.now).field("caller", &self.caller).finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Context<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Context({}, {})", self.now, self.caller);
    }
}

/// Serves a request: parses, authorises, executes, and writes the answer's body into `sink`; an action that succeeds has
/// none. Returns the HTTP status. Every transition that was applied is handed to `changes`, in order. Rules H1 to H3, H5.
/// O(bytes), in bounded memory, and whatever the store takes for what it is asked: once, or for each id of a bulk read and
/// each element of a batch.
///
/// An answer that does not fit never leaves a change unreported (rule H6): an action runs only when its answer has room, a
/// read that does not fit is answered 507, and an error body that does not fit is left out.
///
/// ```
/// use presence_core::directory::InlineDirectory;
/// use presence_core::graph::{Body, Buffer, Caller, Context, RawRequest, serve};
/// use presence_core::{Instant, Policy, SessionId, UserId};
///
/// let mut directory = InlineDirectory::<UserId, SessionId, 4, 8>::with_policy(Policy::GRAPH);
/// let exchange = Context::new(Instant::ZERO, Caller::Trusted { me: None });
/// let request = RawRequest {
///     method: "POST",
///     target: "/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence/setPresence",
///     content_type: Some("application/json"),
///     body: Body::Bytes(
///         br#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InACall"}"#,
///     ),
/// };
/// let mut bytes = [0; 512];
/// let status = serve(&request, &exchange, &mut directory, &mut Buffer::new(&mut bytes), &mut |_, _| {});
/// assert_eq!(status, 200);
/// ```
pub fn serve(
    incoming: &RawRequest<'_, '_>,
    exchange: &Context<'_>,
    store: &mut dyn Store,
    sink: &mut dyn Writer,
    changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
) -> u16 {
    let request = Request::parse_in(incoming, exchange, store.policy());
    let mut body = Reserve::new(sink, 0);
    let outcome = match &request {
        Err(refusal) => Err(*refusal),
        Ok(request) => exchange.caller.authorise(request).and_then(|()| match request {
            Request::Execute { user, command } => act(*user, *command, exchange, store, changes),
            #[cfg(feature = "details")]
            Request::ExecuteDetails { user, action } => execute_details_action(*user, *action, exchange, store),
            Request::Batch(batch) if HAS_BATCH => {
                run_batch(*batch, exchange, store, &mut body, changes).map_err(|BufferFull| Error::AnswerTooLarge)
            }
            _ => write_body(request, exchange, store, &mut body).map_err(|BufferFull| Error::AnswerTooLarge),
        }),
    };
    match outcome {
        Ok(()) => 200,
        Err(refusal) => {
            crate::log::trace!("refused: {}", refusal);
            // What is there is part of an answer that did not fit.
            body.take_all_back();
            if write_error(&mut body, refusal, &exchange.trace).is_err() {
                body.take_all_back();
            }
            refusal.status()
        }
    }
}

/// Executes an action.
fn act(
    user: UserId,
    command: Command<SessionId>,
    exchange: &Context<'_>,
    store: &mut dyn Store,
    changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
) -> Result<(), Error> {
    if !exchange.knows(user) {
        return Err(Error::UnknownUser);
    }
    Ok(store.execute(exchange.now, user, command, changes)?)
}

/// Executes an action about a user's details.
#[cfg(feature = "details")]
fn execute_details_action(
    user: UserId,
    action: DetailsAction<'_>,
    exchange: &Context<'_>,
    store: &mut dyn Store,
) -> Result<(), Error> {
    if !exchange.knows(user) {
        return Err(Error::UnknownUser);
    }
    Ok(store.execute_details(exchange.now, user, action.command(&mut TextBuffer::new()))?)
}

/// Writes the body of the answer to a read.
fn write_body(
    request: &Request<'_>,
    exchange: &Context<'_>,
    store: &dyn Store,
    sink: &mut dyn Writer,
) -> Result<(), BufferFull> {
    match request {
        Request::Get { user, select } => write_user(sink, exchange, store, *user, *select),
        Request::GetPresences(ids) if HAS_BATCH => write_users(sink, exchange, store, *ids),
        // Actions are carried out elsewhere, and so are batches, which hold no batches; nor does anybody parse any without
        // feature `batch`.
        _ => Err(BufferFull),
    }
}

/// Writes the answer to a bulk read.
fn write_users(
    sink: &mut dyn Writer,
    exchange: &Context<'_>,
    store: &dyn Store,
    ids: Ids<'_>,
) -> Result<(), BufferFull> {
    sink.write(b"{\"value\":[")?;
    let mut separator = "";
    let select = ids.select();
    let mut ids = ids.iter();
    loop {
        let users: heapless::Vec<UserId, READ_AT_ONCE> = ids.by_ref().take(READ_AT_ONCE).collect();
        if users.is_empty() {
            break;
        }
        let mut written = Ok(());
        store.read_batch(exchange.now, &users, &mut |user, presence, version| {
            if written.is_ok() {
                let read = if exchange.knows(user) { (presence, version) } else { (Presence::Unknown, 0) };
                written = sink
                    .write(separator.as_bytes())
                    .and_then(|()| write_read(sink, exchange, store, user, read, select));
                separator = ",";
            }
        });
        written?;
    }
    sink.write(b"]}")
}

/// How many users of a bulk read are read at once: enough to wait for their memory side by side, few enough for a stack.
const READ_AT_ONCE: usize = 16;

const RESPONSES: &str = "{\"responses\":[";

/// Runs the elements of a batch in order. Each is sure of room for its bare status, for that of every element is kept
/// free until its turn.
///
/// # Errors
///
/// [`BufferFull`] when there is none for the bare status of every element. None was run then.
fn run_batch(
    batch: Batch<'_>,
    exchange: &Context<'_>,
    store: &mut dyn Store,
    sink: &mut dyn Writer,
    changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
) -> Result<(), BufferFull> {
    // Behind each element goes a comma or the last bracket, and behind them all a brace.
    let bare = batch.elements().map(|element| bare_len(element.id()).saturating_add(1));
    let mut reserved = bare.fold(1, usize::saturating_add);
    if sink.remaining() < reserved.saturating_add(RESPONSES.len()) {
        return Err(BufferFull);
    }
    sink.write(RESPONSES.as_bytes())?;
    let mut answered = Dependencies::new();
    for element in batch.elements() {
        if !answered.is_empty() {
            sink.write(b",")?;
            reserved = reserved.saturating_sub(1);
        }
        reserved = reserved.saturating_sub(bare_len(element.id()));
        let refused = answered.check(element).err();
        let mut answer = Reserve::new(sink, reserved);
        let status = answer_element(element, refused, exchange, store, &mut answer, changes)?;
        answered.note(element, status);
    }
    sink.write(b"]}")
}

/// Where an answer stands.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// On a line of its own.
    Line,
    /// In a batch, whose clients look at each element's headers.
    Element,
}

impl Form {
    /// What stands between the status of an answer and its body.
    const fn opening(self) -> &'static [u8] {
        match self {
            Self::Line => b",\"body\":",
            Self::Element => br#","headers":{"Content-Type":"application/json"},"body":"#,
        }
    }
}

/// The length of an answer without a body.
fn bare_len(id: Value<'_>) -> usize {
    r#"{"id":,"status":200}"#.len().saturating_add(id.as_str().len())
}

/// Answers one element of a batch: `{"id":…,"status":…,"body":…}`. Returns its status.
///
/// # Errors
///
/// [`BufferFull`] when there is none for the bare status. Nothing was done then.
fn answer_element(
    element: Element<'_>,
    refused: Option<Error>,
    exchange: &Context<'_>,
    store: &mut dyn Store,
    sink: &mut dyn Writer,
    changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
) -> Result<u16, BufferFull> {
    let (id, form) = (element.id(), Form::Element);
    if sink.remaining() < bare_len(id) {
        return Err(BufferFull);
    }
    let request = match refused {
        Some(refusal) => Err(refusal),
        None => element.request_in(exchange, store.policy()),
    };
    let refusal = match &request {
        Err(refusal) => Some(*refusal),
        Ok(request) => apply_unchecked(request, id, form, exchange, store, sink, changes)?,
    };
    finish(refusal, id, form, exchange, sink)
}

/// Answers a line: an element by itself, which may be a batch.
///
/// # Errors
///
/// [`BufferFull`] when there is none for the bare status. Nothing was done then.
pub(super) fn answer_line(
    element: Element<'_>,
    exchange: &Context<'_>,
    store: &mut dyn Store,
    sink: &mut dyn Writer,
    changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
) -> Result<(), BufferFull> {
    let (id, form) = (element.id(), Form::Line);
    if sink.remaining() < bare_len(id) {
        return Err(BufferFull);
    }
    let request = element.request_in(exchange, store.policy());
    let refusal = match &request {
        Err(refusal) => Some(*refusal),
        // Here and not among all other requests, which a batch comes to as well: nothing calls itself.
        Ok(request @ Request::Batch(batch)) if HAS_BATCH => match exchange.caller.authorise(request) {
            Err(refusal) => Some(refusal),
            Ok(()) => with_body(sink, id, form, |body| run_batch(*batch, exchange, store, body, changes))?,
        },
        Ok(request) => apply_unchecked(request, id, form, exchange, store, sink, changes)?,
    };
    finish(refusal, id, form, exchange, sink).map(|_| ())
}

/// Answers what was refused. Returns the status, of what was not refused as well.
fn finish(
    refusal: Option<Error>,
    id: Value<'_>,
    form: Form,
    exchange: &Context<'_>,
    sink: &mut dyn Writer,
) -> Result<u16, BufferFull> {
    let Some(refusal) = refusal else { return Ok(200) };
    crate::log::trace!("refused: {}", refusal);
    write_refusal(sink, Some(id), form, refusal, &exchange.trace)?;
    Ok(refusal.status())
}

/// Carries out a request, but for a batch, and answers it; or tells why not, and leaves the answer to the caller.
fn apply_unchecked(
    request: &Request<'_>,
    id: Value<'_>,
    form: Form,
    exchange: &Context<'_>,
    store: &mut dyn Store,
    sink: &mut dyn Writer,
    changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
) -> Result<Option<Error>, BufferFull> {
    if let Err(refusal) = exchange.caller.authorise(request) {
        return Ok(Some(refusal));
    }
    let outcome = match request {
        Request::Execute { user, command } => act(*user, *command, exchange, store, changes),
        #[cfg(feature = "details")]
        Request::ExecuteDetails { user, action } => execute_details_action(*user, *action, exchange, store),
        _ => return with_body(sink, id, form, |body| write_body(request, exchange, store, body)),
    };
    if let Err(refusal) = outcome {
        return Ok(Some(refusal));
    }
    open(sink, id, 200)?;
    sink.write(b"}").map(|()| None)
}

/// An answer with a body; or a refusal, and nothing written, if it does not fit.
// Without feature `batch` it is called in one place, and a small device pays fifty bytes for the call.
#[inline(always)]
fn with_body(
    sink: &mut dyn Writer,
    id: Value<'_>,
    form: Form,
    write: impl FnOnce(&mut dyn Writer) -> Result<(), BufferFull>,
) -> Result<Option<Error>, BufferFull> {
    // A body may turn out too long only behind its status: then both are taken back.
    let mut answer = Reserve::new(sink, 1);
    let written =
        open(&mut answer, id, 200).and_then(|()| answer.write(form.opening())).and_then(|()| write(&mut answer));
    if let Err(BufferFull) = written {
        answer.take_all_back();
        return Ok(Some(Error::AnswerTooLarge));
    }
    sink.write(b"}").map(|()| None)
}

/// An answer up to its status.
fn open(sink: &mut dyn Writer, id: Value<'_>, code: u16) -> Result<(), BufferFull> {
    fill(sink, r#"{"id":*,"status":*"#, &[id.as_str().as_bytes(), &status(code)])
}

/// An answer that says no; without its body where that does not fit.
pub(super) fn write_refusal(
    sink: &mut dyn Writer,
    id: Option<Value<'_>>,
    form: Form,
    refusal: Error,
    trace: &Trace<'_>,
) -> Result<(), BufferFull> {
    open(sink, id.unwrap_or(Value::NULL), refusal.status())?;
    // The closing brace is kept room for.
    let mut body = Reserve::new(sink, 1);
    if body.write(form.opening()).and_then(|()| write_error(&mut body, refusal, trace)).is_err() {
        body.take_all_back();
    }
    sink.write(b"}")
}
