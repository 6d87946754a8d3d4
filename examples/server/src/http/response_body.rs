//! Bodies of responses in memory that is reserved first, so that clients that read nothing hold no more than is counted.
//!
//! A body cannot outgrow what is reserved for it. If a part of the server reserved too little, the response is 500, and the metric
//! `presence_reserve_faults_total` counts it.

use super::App;
use super::response::{RequestError, json};
use axum::body::{Body, Bytes};
use axum::response::Response;
use presence_core::BufferFull;
use presence_core::graph::{Error, Writer};
use tokio::sync::OwnedSemaphorePermit;

/// The bytes of one permit for memory.
pub const PERMIT: usize = 1024;

/// A body of a response, with the permit for its memory.
#[derive(Debug)]
pub struct ResponseBody {
    bytes: Vec<u8>,
    reserved: usize,
    permit: OwnedSemaphorePermit,
    is_overrun: bool,
}

impl ResponseBody {
    /// The most bytes of a body, a sixteenth of all memory for bodies: 13,000 presences with short texts fit.
    pub const MAX_LEN: usize = 8 << 20;

    /// Creates an empty body with room for so many bytes.
    ///
    /// # Errors
    ///
    /// [`Error::ResponseTooLarge`] beyond [`MAX_LEN`](Self::MAX_LEN), [`THROTTLED`](super::response::THROTTLED) if there is no memory.
    pub fn new(app: &App, bytes: usize) -> Result<Self, Error> {
        let mut body = Self { bytes: Vec::new(), reserved: 0, permit: app.reserve(0)?, is_overrun: false };
        body.reserve(app, bytes)?;
        Ok(body)
    }

    /// Reserves room for more bytes.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new). What was reserved before stays.
    pub fn reserve(&mut self, app: &App, more: usize) -> Result<(), Error> {
        let wanted = self.reserved.saturating_add(more);
        if wanted > Self::MAX_LEN {
            return Err(Error::ResponseTooLarge);
        }
        self.permit.merge(app.reserve(wanted.saturating_sub(self.permitted()))?);
        self.reserved = wanted;
        self.bytes.reserve_exact(wanted - self.bytes.len());
        Ok(())
    }

    /// Returns the bytes that the permit allows.
    fn permitted(&self) -> usize {
        self.permit.num_permits() * PERMIT
    }

    /// Returns the bytes that were written.
    pub fn written(&self) -> &[u8] {
        &self.bytes
    }

    /// Compares what was written with what was reserved, and releases what is left over.
    ///
    /// # Errors
    ///
    /// [`RequestError::Internal`] if it was more, a fault of this server, which is counted and logged.
    pub fn finish(mut self, app: &App) -> Result<Self, RequestError> {
        if self.is_overrun || self.bytes.capacity() > self.permitted() {
            app.metrics.reserve_faults.inc();
            let (held, reserved) = (self.bytes.capacity(), self.reserved);
            tracing::error!("a response of more than the {reserved} bytes reserved for it, {held} bytes so far");
            return Err(RequestError::Internal);
        }
        self.bytes.shrink_to_fit();
        self.reserved = self.bytes.capacity();
        let needed = self.reserved.div_ceil(PERMIT);
        drop(self.permit.split(self.permit.num_permits().saturating_sub(needed)));
        Ok(self)
    }

    /// Returns 200 with the finished body, which holds its permit until it is sent.
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
        &self.bytes
    }
}

/// A writer that never grows beyond what is reserved, and remembers if it should have.
impl Writer for ResponseBody {
    fn remaining(&self) -> usize {
        self.reserved.saturating_sub(self.bytes.len())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        if bytes.len() > self.remaining() {
            self.is_overrun = true;
            return Err(BufferFull);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        self.bytes.truncate(self.bytes.len().saturating_sub(count));
    }
}

/// A writer that only counts.
#[derive(Debug, Default)]
struct Length(usize);

impl Writer for Length {
    fn remaining(&self) -> usize {
        usize::MAX
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(())
    }

    fn discard_last(&mut self, count: usize) {
        self.0 = self.0.saturating_sub(count);
    }
}

impl App {
    /// Writes a body in exactly the memory that it takes. `write` is called twice, first to count the bytes.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseBody::new`] and [`ResponseBody::finish`].
    pub fn write_body(
        &self,
        mut write: impl FnMut(&mut dyn Writer) -> Result<(), BufferFull>,
    ) -> Result<ResponseBody, RequestError> {
        let mut length = Length::default();
        // Counting does not fail, and `finish` reports a body that is not complete.
        let _ = write(&mut length);
        let mut body = ResponseBody::new(self, length.0)?;
        body.is_overrun |= write(&mut body).is_err();
        body.finish(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::BUFFERS;
    use super::super::fixture::Fixture;
    use super::*;
    use http_body_util::BodyExt;

    fn held(fixture: &Fixture) -> usize {
        BUFFERS - fixture.app.limits.buffers.available_permits()
    }

    #[tokio::test]
    async fn a_body_holds_what_it_takes_until_it_is_sent() {
        let (fixture, _queue) = Fixture::stalled();
        let body = fixture.app.write_body(|writer| writer.write(&[b' '; 5 * PERMIT + 1])).unwrap();
        assert_eq!((held(&fixture), body.written().len()), (6, 5 * PERMIT + 1));
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
        let mut body = ResponseBody::new(&fixture.app, 100 * PERMIT).unwrap();
        assert_eq!(held(&fixture), 100);
        body.write(b"{}").unwrap();
        let body = body.finish(&fixture.app).unwrap();
        assert_eq!((held(&fixture), body.bytes.capacity()), (1, 2));
    }

    /// The check works in every build: what was not reserved is not written, and the request fails visibly.
    #[tokio::test]
    async fn writing_more_than_was_reserved_is_a_counted_fault() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        let mut length = 10;
        let growing = app.write_body(|writer| {
            length += 1;
            writer.write(&vec![b' '; length])
        });
        let error = growing.unwrap_err();
        assert_eq!((error, error.status(), app.metrics.reserve_faults.get()), (RequestError::Internal, 500, 1));
        let mut body = ResponseBody::new(app, 10).unwrap();
        assert_eq!(body.write(&[b' '; 11]), Err(BufferFull));
        body.write(b"{}").unwrap();
        assert_eq!(body.into_response(app).unwrap_err(), RequestError::Internal);
        // A body that breaks off in the same place twice.
        assert_eq!(app.write_body(|_| Err(BufferFull)).unwrap_err(), RequestError::Internal);
        // Bytes that came in another way.
        let mut body = ResponseBody::new(app, 10).unwrap();
        body.bytes = vec![b' '; PERMIT + 1];
        assert_eq!(body.finish(app).unwrap_err(), RequestError::Internal);
        assert_eq!((app.metrics.reserve_faults.get(), held(&fixture)), (4, 0));
        assert!(app.metrics.text().contains("presence_reserve_faults_total 4\n"));
    }

    #[tokio::test]
    async fn a_body_has_a_largest_size_and_the_memory_an_end() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        let mut bodies = Vec::new();
        for _ in 0..BUFFERS * PERMIT / ResponseBody::MAX_LEN {
            let mut body = ResponseBody::new(app, ResponseBody::MAX_LEN).unwrap();
            assert_eq!(body.reserve(app, 1), Err(Error::ResponseTooLarge));
            bodies.push(body);
        }
        assert_eq!(held(&fixture), BUFFERS);
        assert_eq!(ResponseBody::new(app, 1).unwrap_err().status(), 429);
        bodies.pop();
        assert!(ResponseBody::new(app, ResponseBody::MAX_LEN + 1).is_err_and(|error| error.status() == 507));
        assert!(ResponseBody::new(app, ResponseBody::MAX_LEN).is_ok());
    }
}
