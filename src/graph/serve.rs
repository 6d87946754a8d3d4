//! Serving a request: parse, authorise, execute, write the response.

use crate::buffer::BufferFull;
use crate::graph::HAS_BATCH;
use crate::graph::context::Context;
use crate::graph::error::Error;
#[cfg(feature = "lines")]
use crate::graph::json::Value;
use crate::graph::request::Request;
use crate::graph::request::batch::{Batch, Dependencies};
#[cfg(feature = "details")]
use crate::graph::request::details::{DetailsAction, TextBuffer};
use crate::graph::request::element::Element;
use crate::graph::request::ids::Ids;
use crate::graph::request::raw::RawRequest;
use crate::graph::respond::element::{Envelope, Response};
use crate::graph::respond::resource::Resource;
use crate::graph::respond::writer::{Reserve, Writer};
use crate::graph::store::Store;
use crate::id::{SessionId, UserId};
use crate::presence::Presence;
use crate::user::{Command, Transition};

/// Serves a request: parses, authorises, executes, and writes the body of the response. Returns the HTTP status.
///
/// The response to a successful action has no body, and neither has any to `HEAD`. `on_change` receives every transition that
/// was applied, in order. A response that does not fit never hides a change: an action runs only if its response fits, a read
/// that does not fit gives 507, and an error body that does not fit is left out. See [H6](crate::rules#h6).
///
/// ```
/// use presence_core::directory::InlineDirectory;
/// use presence_core::graph::{Buffer, Caller, Context, RawRequest, serve};
/// use presence_core::{Instant, Policy, SessionId, UserId};
///
/// let mut directory = InlineDirectory::<UserId, SessionId, 4, 8>::with_policy(Policy::GRAPH);
/// let context = Context::new(Instant::ZERO, Caller::Trusted { me: None });
/// let body = br#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InACall"}"#;
/// let raw = RawRequest::new("POST", "/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence/setPresence")
///     .with_content_type("application/json")
///     .with_body(body);
/// let mut bytes = [0; 512];
/// let status = serve(&raw, &context, &mut directory, &mut Buffer::new(&mut bytes), &mut |_, _| {});
/// assert_eq!(status, 200);
/// ```
pub fn serve(
    raw: &RawRequest<'_, '_>,
    context: &Context<'_>,
    store: &mut dyn Store,
    writer: &mut dyn Writer,
    on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
) -> u16 {
    let request = Request::parse(raw, context, store.policy());
    let mut executor = Executor { context, store, on_change };
    let mut body = Reserve::new(writer, 0);
    let outcome = match &request {
        Err(error) => Err(*error),
        Ok(request) => context.caller.authorise(request).and_then(|()| match request {
            Request::Execute { user, command } => executor.execute(*user, *command),
            #[cfg(feature = "details")]
            Request::ExecuteDetails { user, action } => executor.execute_details(*user, *action),
            #[cfg(feature = "details")]
            Request::GetUser { user, .. } if !context.knows(*user) => Err(Error::UnknownUser),
            Request::Batch(batch) if HAS_BATCH => {
                executor.run_batch(*batch, &mut body).map_err(|BufferFull| Error::ResponseTooLarge)
            }
            _ if raw.is_head() => Ok(()),
            _ => executor.write_read(request, &mut body).map_err(|BufferFull| Error::ResponseTooLarge),
        }),
    };
    match outcome {
        Ok(()) => 200,
        Err(error) => {
            crate::log::trace!("rejected: {}", error);
            // Whatever was written is part of a response that did not fit.
            body.discard_all();
            if !raw.is_head() && error.write(&context.trace, &mut body).is_err() {
                body.discard_all();
            }
            error.status()
        }
    }
}

/// Serves a command about the user that the caller acts for, and writes its response as that of a line without an id. No command
/// is nothing to do.
///
/// # Errors
///
/// [`BufferFull`] if not even the bare status fits. Nothing was done then.
#[cfg(feature = "lines")]
pub(crate) fn serve_command(
    command: Result<Option<Command<SessionId>>, Error>,
    context: &Context<'_>,
    store: &mut dyn Store,
    writer: &mut dyn Writer,
    on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
) -> Result<(), BufferFull> {
    let response = Response { id: Value::NULL, envelope: Envelope::Line };
    if writer.remaining() < response.bare_len() {
        return Err(BufferFull);
    }
    let mut executor = Executor { context, store, on_change };
    let command = context.caller.me().ok_or(Error::NoSignedInUser).and_then(|user| Ok((user, command?)));
    let error = match command {
        Err(error) => Some(error),
        Ok((_, None)) => response.write_done(writer).map(|()| None)?,
        Ok((user, Some(command))) => executor.run(&Request::Execute { user, command }, response, writer)?,
    };
    executor.write_outcome(error, response, writer).map(|_| ())
}

/// The number of users of a bulk read that are read at once: enough for prefetching, few enough for a stack.
const READ_AT_ONCE: usize = 16;

const RESPONSES: &str = "{\"responses\":[";

/// A call of [`serve`] or [`serve_line`](crate::graph::serve_line): what every request in it is executed with.
pub(super) struct Executor<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) store: &'a mut dyn Store,
    pub(super) on_change: &'a mut dyn FnMut(UserId, &Transition<SessionId>),
}

impl Executor<'_> {
    fn execute(&mut self, user: UserId, command: Command<SessionId>) -> Result<(), Error> {
        if !self.context.knows(user) {
            return Err(Error::UnknownUser);
        }
        Ok(self.store.execute(self.context.now, user, command, self.on_change)?)
    }

    #[cfg(feature = "details")]
    fn execute_details(&mut self, user: UserId, action: DetailsAction<'_>) -> Result<(), Error> {
        if !self.context.knows(user) {
            return Err(Error::UnknownUser);
        }
        let mut buffer = TextBuffer::new();
        let command = action.command(&mut buffer);
        Ok(self.store.execute_details(self.context.now, user, command, self.on_change)?)
    }

    /// Writes the body of the response to a read.
    fn write_read(&self, request: &Request<'_>, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        match request {
            Request::Get { user, select } => {
                let known = self.context.knows(*user);
                let (presence, version) =
                    if known { self.store.read(self.context.now, *user) } else { (Presence::Unknown, 0) };
                self.write_user(Resource::new(*user, presence, version).with_select(*select), writer)
            }
            #[cfg(feature = "details")]
            Request::GetUser { user, select } => self.context.write_user(*user, *select, writer),
            Request::GetPresences(ids) if HAS_BATCH => self.write_users(*ids, writer),
            // Actions and batches do not come here, and without feature `batch` no bulk read is parsed.
            _ => Err(BufferFull),
        }
    }

    /// Writes the response to a bulk read.
    fn write_users(&self, ids: Ids<'_>, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        writer.write(b"{\"value\":[")?;
        let mut separator = "";
        let select = ids.select();
        let mut ids = ids.iter();
        loop {
            let users: heapless::Vec<UserId, READ_AT_ONCE> = ids.by_ref().take(READ_AT_ONCE).collect();
            if users.is_empty() {
                break;
            }
            let mut written = Ok(());
            self.store.read_batch(self.context.now, &users, &mut |user, presence, version| {
                if written.is_ok() {
                    let known = self.context.knows(user);
                    let (presence, version) = if known { (presence, version) } else { (Presence::Unknown, 0) };
                    let resource = Resource::new(user, presence, version).with_select(select);
                    written = writer.write(separator.as_bytes()).and_then(|()| self.write_user(resource, writer));
                    separator = ",";
                }
            });
            written?;
        }
        writer.write(b"]}")
    }

    /// Writes a presence object, with the user's details if the store keeps any.
    // A call more is a few bytes more on a small device.
    #[inline]
    fn write_user(&self, resource: Resource<'_>, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        #[cfg(feature = "details")]
        {
            let Context { now, caller, .. } = self.context;
            let mut resource = resource;
            resource.is_own = caller.me() == Some(resource.user);
            resource.epoch = self.context.epoch();
            let mut written = None;
            if resource.presence != Presence::Unknown {
                self.store.read_details(*now, resource.user, &mut |details| {
                    written = Some(resource.with_details(details).write(writer));
                });
            }
            written.unwrap_or_else(|| resource.write(writer))
        }
        #[cfg(not(feature = "details"))]
        resource.write(writer)
    }

    /// Runs the elements of a batch in order, and writes their responses.
    ///
    /// Space for the bare status of every element is reserved until its turn.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if the bare status of every element does not fit. None was run then.
    fn run_batch(&mut self, batch: Batch<'_>, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        let bare_len = |element: Element<'_>| response_to(element, Envelope::Element).bare_len();
        // After each element comes a comma or the last bracket, and after them all a brace.
        let bare = batch.elements().map(|element| bare_len(element).saturating_add(1));
        let mut reserved = bare.fold(1, usize::saturating_add);
        if writer.remaining() < reserved.saturating_add(RESPONSES.len()) {
            return Err(BufferFull);
        }
        writer.write(RESPONSES.as_bytes())?;
        let mut dependencies = Dependencies::new();
        for element in batch.elements() {
            if !dependencies.is_empty() {
                writer.write(b",")?;
                reserved = reserved.saturating_sub(1);
            }
            reserved = reserved.saturating_sub(bare_len(element));
            let verdict = dependencies.check(element);
            let status = self.run_element(element, verdict, &mut Reserve::new(writer, reserved))?;
            dependencies.record(element, status);
        }
        writer.write(b"]}")
    }

    /// Runs an element of a batch, unless it must not run, and writes its response. Returns its status.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if the bare status does not fit. Nothing was done then.
    fn run_element(
        &mut self,
        element: Element<'_>,
        verdict: Result<(), Error>,
        writer: &mut dyn Writer,
    ) -> Result<u16, BufferFull> {
        let response = response_to(element, Envelope::Element);
        if writer.remaining() < response.bare_len() {
            return Err(BufferFull);
        }
        let request = verdict.and_then(|()| element.request(self.context, self.store.policy()));
        let error = match &request {
            Err(error) => Some(*error),
            Ok(request) => self.run(request, response, writer)?,
        };
        self.write_outcome(error, response, writer)
    }

    /// Runs a line: an element by itself, which may be a batch. Writes its response.
    ///
    /// # Errors
    ///
    /// [`BufferFull`] if the bare status does not fit. Nothing was done then.
    pub(super) fn run_line(&mut self, element: Element<'_>, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        let response = response_to(element, Envelope::Line);
        if writer.remaining() < response.bare_len() {
            return Err(BufferFull);
        }
        let request = element.request(self.context, self.store.policy());
        let error = match &request {
            Err(error) => Some(*error),
            // Here and not in `run`, which a batch comes to as well: nothing calls itself.
            Ok(request @ Request::Batch(batch)) if HAS_BATCH => match self.context.caller.authorise(request) {
                Err(error) => Some(error),
                Ok(()) => response.write_body(writer, |body| self.run_batch(*batch, body))?,
            },
            Ok(request) => self.run(request, response, writer)?,
        };
        self.write_outcome(error, response, writer).map(|_| ())
    }

    /// Authorises and executes a request that is no batch, and writes its response; returns the error if it fails, and
    /// leaves its response to the caller.
    fn run(
        &mut self,
        request: &Request<'_>,
        response: Response<'_>,
        writer: &mut dyn Writer,
    ) -> Result<Option<Error>, BufferFull> {
        if let Err(error) = self.context.caller.authorise(request) {
            return Ok(Some(error));
        }
        let outcome = match request {
            Request::Execute { user, command } => self.execute(*user, *command),
            #[cfg(feature = "details")]
            Request::ExecuteDetails { user, action } => self.execute_details(*user, *action),
            #[cfg(feature = "details")]
            Request::GetUser { user, .. } if !self.context.knows(*user) => Err(Error::UnknownUser),
            _ => return response.write_body(writer, |body| self.write_read(request, body)),
        };
        match outcome {
            Err(error) => Ok(Some(error)),
            Ok(()) => response.write_done(writer).map(|()| None),
        }
    }

    /// Writes the response to a request that failed. Returns the status, also of one that succeeded.
    fn write_outcome(
        &self,
        error: Option<Error>,
        response: Response<'_>,
        writer: &mut dyn Writer,
    ) -> Result<u16, BufferFull> {
        let Some(error) = error else { return Ok(200) };
        crate::log::trace!("rejected: {}", error);
        response.write_error(error, &self.context.trace, writer)?;
        Ok(error.status())
    }
}

const fn response_to(element: Element<'_>, envelope: Envelope) -> Response<'_> {
    Response { id: element.id(), envelope }
}

#[cfg(all(test, feature = "batch"))]
mod tests {
    extern crate std;
    use super::*;
    use crate::directory::InlineDirectory;
    use crate::edges::edges;
    use crate::graph::respond::writer::Buffer;
    use crate::graph::{Caller, Line, serve_line};
    use crate::{Instant, Policy};
    use std::string::{String, ToString};
    use std::vec::Vec;
    use std::{format, vec};

    const MOST: usize = 2 * READ_AT_ONCE + 1;

    type Crowd = InlineDirectory<UserId, SessionId, 1, MOST>;

    fn user(number: usize) -> UserId {
        UserId::from_bytes([number as u8 * 5; 16])
    }

    /// Every third user was never seen, some are overdue, and each of the others shows something else, in another version.
    fn crowd() -> Crowd {
        let mut directory = Crowd::with_policy(Policy::GRAPH);
        for number in (0..MOST).filter(|number| number % 3 != 2) {
            for time in 0..=number as u64 {
                let presences = [Presence::Available, Presence::InACall, Presence::Away, Presence::Presenting];
                let presence = presences[(number + time as usize) % 4];
                let session = SessionId::from_bytes([1; 16]);
                directory
                    .set_presence(Instant::from_secs(time), user(number), session, presence, None, |_, _| {})
                    .unwrap();
            }
        }
        directory
    }

    fn body(directory: &mut Crowd, context: &Context<'_>, raw: &RawRequest<'_, '_>) -> String {
        let mut bytes = vec![0; 40_000];
        let mut buffer = Buffer::new(&mut bytes);
        assert_eq!(serve(raw, context, directory, &mut buffer, &mut |_, _| {}), 200);
        String::from_utf8(buffer.written().to_vec()).unwrap()
    }

    /// Rule H3: a bulk read is its users one by one, over HTTP, as a collection, and as a line, for every selection, with users
    /// that are unknown, repeated or overdue: at the edge of every piece of users that is read at once, too.
    #[test]
    fn h3_bulk_reads_of_every_size_around_a_piece() {
        let mut directory = crowd();
        let is_known = |id: UserId| (0..MOST).any(|number| number % 7 != 6 && user(number) == id);
        for seconds in [33, 310] {
            let now = Instant::from_secs(seconds);
            let context = Context::new(now, Caller::Trusted { me: None }).with_known_users(&is_known);
            for users in edges(READ_AT_ONCE) {
                let mut ids: Vec<_> = (0..users).map(user).collect();
                // The last is one of an earlier piece again.
                if let Some(last) = ids.last_mut() {
                    *last = user(1);
                }
                let texts: Vec<_> = ids.iter().map(ToString::to_string).collect();
                for select in ["", "$select=id,activity", "$select=sequenceNumber"] {
                    let one = |id: &String| {
                        let target = format!("/users/{id}/presence?{select}");
                        body(&mut directory, &context, &RawRequest::new("GET", &target))
                    };
                    let expected = format!("{{\"value\":[{}]}}", texts.iter().map(one).collect::<Vec<_>>().join(","));

                    let asked = format!("{{\"ids\":[\"{}\"]}}", texts.join("\",\""));
                    let target = format!("/communications/getPresencesByUserId?{select}");
                    let raw = RawRequest::new("POST", &target).with_body(asked.as_bytes());
                    assert_eq!(body(&mut directory, &context, &raw), expected, "{users} users, {select}");

                    let filter = format!("/communications/presences?$filter=id in ('{}')&{select}", texts.join("','"));
                    let raw = RawRequest::new("GET", &filter);
                    assert_eq!(body(&mut directory, &context, &raw), expected, "{users} users, {select}");

                    let line = format!("{{\"id\":\"1\",\"method\":\"POST\",\"url\":\"{target}\",\"body\":{asked}}}");
                    let mut bytes = vec![0; 40_000];
                    let mut buffer = Buffer::new(&mut bytes);
                    let line = Line::parse(line.as_bytes());
                    serve_line(line, &context, &mut directory, &mut buffer, &mut |_, _| {}).unwrap();
                    let expected = format!("{{\"id\":\"1\",\"status\":200,\"body\":{expected}}}");
                    assert_eq!(std::str::from_utf8(buffer.written()).unwrap(), expected, "{users} users, {select}");
                }
            }
        }
    }
}
