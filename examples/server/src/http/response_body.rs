//! Bodies of responses in memory that is reserved first, so that clients that read nothing hold no more than is counted.
//!
//! A body cannot outgrow what is reserved for it. If a part of the server reserved too little, the response is 500, and the metric
//! `presence_reserve_faults_total` counts it. `presence_reserved_bytes` is what is reserved at the moment, for bodies of requests too.
//!
//! What is not counted is a constant times something that has a limit itself:
//!
//! - **A connection** holds the head of a request, or one or two pieces of a body that is read, discarded or drained (64 KiB each,
//!   hyper's buffer), as much that waits to be sent, and one error, which a [`Bounded`] writer keeps within [`RequestError::MAX_LEN`], or
//!   the shorter response to an advance. Only when it is sent does hyper read the next request.
//! - **A reader of changes** holds one event, within the length of the longest presence object, and a chunk of users of each shard.
//! - **A request in flight** holds, for each element of a batch, a job and what its shard responds: one user with at most 64
//!   sessions. What a bulk read or a list needs is reserved.
//! - **A connection** also holds the line of its request for the access log, and those for the audit log: a few kibibytes, one
//!   for each element of a batch. The queues of the logs hold 4 MiB, and as much is being written.
//! - **A thread** writes one text of metrics at a time, which is reserved before anything waits.
//! - **Details of users** are the shard's own. What changes while a read waits is held until its response is written: one copy for
//!   each change in at most 30 seconds.
//!
//! `/openapi.json` is a part of the program.

use super::App;
use super::account::Account;
use super::bounded::{Bounded, Length};
use super::response::{RequestError, json};
use super::throttle::Memory;
use axum::body::{Body, Bytes};
use axum::response::Response;
use presence_core::BufferFull;
use presence_core::graph::{Error, Ids, Resource, TextBuffer, Writer};

/// The bytes of one unit of memory.
pub const PERMIT: usize = 1024;

/// A body of a response, with its memory.
#[derive(Debug)]
pub struct ResponseBody {
    bytes: Bounded,
    memory: Memory,
}

const _: () = assert!(
    Ids::MAX_COUNT * (Resource::max_len(TextBuffer::CAPACITY) + 1) + r#"{"value":[]}"#.len() <= ResponseBody::MAX_LEN
);

impl ResponseBody {
    /// The most bytes of a body: every bulk read fits, and of 13,000 users of a batch those with short texts.
    pub const MAX_LEN: usize = 9 << 20;

    /// Creates an empty body with room for so many bytes, in the memory of its caller.
    ///
    /// # Errors
    ///
    /// [`Error::ResponseTooLarge`] beyond [`MAX_LEN`](Self::MAX_LEN), and those of [`App::reserve`].
    pub fn new(app: &App, account: Account, bytes: usize) -> Result<Self, RequestError> {
        let mut body = Self { bytes: Bounded::new(0), memory: app.reserve(account, 0)? };
        body.reserve(bytes)?;
        Ok(body)
    }

    /// Creates a body of bytes that somebody else has written, at once and whole, as what writes metrics does.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn of(app: &App, account: Account, bytes: Vec<u8>) -> Result<Self, RequestError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(Error::ResponseTooLarge.into());
        }
        Ok(Self { memory: app.reserve(account, bytes.capacity())?, bytes: Bounded::full(bytes) })
    }

    /// Reserves room for more bytes.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new). What was reserved before stays.
    pub fn reserve(&mut self, more: usize) -> Result<(), RequestError> {
        let wanted = self.bytes.limit().saturating_add(more);
        if wanted > Self::MAX_LEN {
            return Err(Error::ResponseTooLarge.into());
        }
        self.memory.grow_to(wanted)?;
        self.bytes.grow(more);
        Ok(())
    }

    /// Reserves room for what a function writes, and lets it write. The function is called twice, first to count the bytes.
    ///
    /// # Errors
    ///
    /// Those of [`reserve`](Self::reserve); nothing is written then.
    pub fn append(
        &mut self,
        mut write: impl FnMut(&mut dyn Writer) -> Result<(), BufferFull>,
    ) -> Result<(), RequestError> {
        let length = Length::of(&mut write);
        self.append_at_most(length, |body| write(body))
    }

    /// Reserves room for at most so many bytes, and lets a function write. What it does not use is there for what follows.
    ///
    /// # Errors
    ///
    /// Those of [`reserve`](Self::reserve); nothing is written then.
    pub fn append_at_most(
        &mut self,
        bytes: usize,
        write: impl FnOnce(&mut Self) -> Result<(), BufferFull>,
    ) -> Result<(), RequestError> {
        self.reserve(bytes)?;
        let before = self.len();
        if write(self).is_err() {
            self.bytes.mark_overrun();
        }
        self.bytes.give_back((before + bytes).saturating_sub(self.len()));
        Ok(())
    }

    /// Returns the length of what was written.
    pub fn len(&self) -> usize {
        self.bytes.written().len()
    }

    /// Writes bytes of this body again, from one offset to another.
    pub fn copy(&mut self, from: usize, to: usize) {
        self.bytes.copy(from, to);
    }

    /// Records that a part of this body outgrew what was reserved for it elsewhere.
    pub const fn mark_overrun(&mut self) {
        self.bytes.mark_overrun();
    }

    /// Compares what was written with what was reserved, and releases what is left over.
    ///
    /// # Errors
    ///
    /// [`RequestError::Internal`] if it was more, a fault of this server, which is counted and logged.
    pub fn finish(mut self, app: &App) -> Result<Self, RequestError> {
        if self.bytes.is_overrun() || self.bytes.held() > self.memory.bytes() {
            app.metrics.reserve_faults.inc();
            let (held, reserved) = (self.bytes.held(), self.bytes.limit());
            tracing::error!("a response of more than the {reserved} bytes reserved for it, {held} bytes so far");
            return Err(RequestError::Internal);
        }
        self.bytes.shrink();
        self.memory.shrink_to(self.bytes.held());
        Ok(self)
    }

    /// Returns 200 with the finished body as JSON, which holds its memory until it is sent.
    ///
    /// # Errors
    ///
    /// That of [`finish`](Self::finish).
    pub fn into_response(self, app: &App) -> Result<Response, RequestError> {
        let mut response = json(Vec::new());
        *response.body_mut() = Body::from(Bytes::from_owner(self.finish(app)?));
        Ok(response)
    }
}

impl AsRef<[u8]> for ResponseBody {
    fn as_ref(&self) -> &[u8] {
        self.bytes.written()
    }
}

impl Writer for ResponseBody {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        self.bytes.write(bytes)
    }

    fn discard_last(&mut self, count: usize) {
        self.bytes.discard_last(count);
    }
}

#[cfg(test)]
mod tests {
    use super::super::BUFFERS;
    use super::super::fixture::Fixture;
    use super::super::shares::most;
    use super::*;
    use http_body_util::BodyExt;

    const DEVELOPER: Account = Account::Developer;

    fn held(fixture: &Fixture) -> usize {
        BUFFERS - fixture.app.limits.buffers.free()
    }

    #[tokio::test]
    async fn a_body_holds_what_it_takes_until_it_is_sent() {
        let (fixture, _queue) = Fixture::stalled();
        let mut body = ResponseBody::new(&fixture.app, DEVELOPER, 0).unwrap();
        body.append(|writer| writer.write(&[b' '; 5 * PERMIT + 1])).unwrap();
        assert_eq!((held(&fixture), body.len()), (6, 5 * PERMIT + 1));
        let response = body.into_response(&fixture.app).unwrap();
        assert_eq!(held(&fixture), 6);
        let sent = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!((held(&fixture), sent.len()), (6, 5 * PERMIT + 1));
        drop(sent);
        assert_eq!(held(&fixture), 0);
    }

    #[tokio::test]
    async fn what_was_not_used_is_released() {
        let (fixture, _queue) = Fixture::stalled();
        let mut body = ResponseBody::new(&fixture.app, DEVELOPER, 100 * PERMIT).unwrap();
        assert_eq!(held(&fixture), 100);
        body.write(b"{}").unwrap();
        let body = body.finish(&fixture.app).unwrap();
        assert_eq!((held(&fixture), body.bytes.held()), (1, 2));
        drop(body);
        let whole = ResponseBody::of(&fixture.app, DEVELOPER, Vec::with_capacity(3 * PERMIT)).unwrap();
        assert_eq!(held(&fixture), 3);
        assert_eq!(whole.finish(&fixture.app).unwrap().bytes.held(), 0);
        assert_eq!(held(&fixture), 0);
    }

    /// The check works in every build: what was not reserved is not written, and the request fails visibly.
    #[tokio::test]
    async fn writing_more_than_was_reserved_is_a_counted_fault() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        let mut growing = ResponseBody::new(app, DEVELOPER, 0).unwrap();
        let mut length = 10;
        let write = |writer: &mut dyn Writer| {
            length += 1;
            writer.write(&vec![b' '; length])
        };
        growing.append(write).unwrap();
        let error = growing.finish(app).unwrap_err();
        assert_eq!((error, error.status(), app.metrics.reserve_faults.get()), (RequestError::Internal, 500, 1));
        let mut body = ResponseBody::new(app, DEVELOPER, 10).unwrap();
        assert_eq!(body.write(&[b' '; 11]), Err(BufferFull));
        body.write(b"{}").unwrap();
        assert_eq!(body.into_response(app).unwrap_err(), RequestError::Internal);
        // A body that breaks off in the same place twice.
        let mut body = ResponseBody::new(app, DEVELOPER, 0).unwrap();
        body.append(|_| Err(BufferFull)).unwrap();
        assert_eq!(body.finish(app).unwrap_err(), RequestError::Internal);
        // A content that takes all that was announced for others, too, and more.
        let mut body = ResponseBody::new(app, DEVELOPER, 2 * PERMIT).unwrap();
        body.append_at_most(10, |body| body.write(b"{}")).unwrap();
        assert_eq!(body.remaining(), 2 * PERMIT);
        body.append_at_most(0, |body| body.write(&[b' '; 2 * PERMIT + 1])).unwrap();
        assert_eq!(body.finish(app).unwrap_err(), RequestError::Internal);
        // What is copied, and is not there or finds no room.
        for (from, to) in [(0, 3), (2, 1), (0, 2)] {
            let mut body = ResponseBody::new(app, DEVELOPER, 3).unwrap();
            body.write(b"{}").unwrap();
            body.copy(from, to);
            assert_eq!(body.finish(app).unwrap_err(), RequestError::Internal);
        }
        // Bytes that came in another way.
        let mut body = ResponseBody::new(app, DEVELOPER, 10).unwrap();
        body.bytes = Bounded::new(PERMIT + 1);
        assert_eq!(body.finish(app).unwrap_err(), RequestError::Internal);
        assert_eq!((app.metrics.reserve_faults.get(), held(&fixture)), (8, 0));
        assert!(app.metrics.text().contains("presence_reserve_faults_total 8\n"));
    }

    #[tokio::test]
    async fn a_body_has_a_largest_size_and_the_memory_an_end() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        let mut bodies = Vec::new();
        let share = most(BUFFERS, DEVELOPER);
        while (share - held(&fixture)) * PERMIT >= ResponseBody::MAX_LEN {
            let mut body = ResponseBody::new(app, DEVELOPER, ResponseBody::MAX_LEN).unwrap();
            assert_eq!(body.reserve(1), Err(Error::ResponseTooLarge.into()));
            bodies.push(body);
        }
        let _rest = app.reserve(DEVELOPER, (share - held(&fixture)) * PERMIT).unwrap();
        assert_eq!(held(&fixture), share);
        assert_eq!(ResponseBody::new(app, DEVELOPER, 1).unwrap_err().status(), 429);
        assert_eq!(ResponseBody::of(app, DEVELOPER, vec![b' ']).unwrap_err().status(), 429);
        bodies.pop();
        assert!(ResponseBody::new(app, DEVELOPER, ResponseBody::MAX_LEN + 1).is_err_and(|error| error.status() == 507));
        assert!(
            ResponseBody::of(app, DEVELOPER, vec![b' '; ResponseBody::MAX_LEN + 1])
                .is_err_and(|error| error.status() == 507)
        );
        assert!(ResponseBody::new(app, DEVELOPER, ResponseBody::MAX_LEN).is_ok());
    }
}
