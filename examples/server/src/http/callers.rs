//! Callers: who a request is from, by its token and by what proxies say.

use super::App;
use super::response::RequestError;
use crate::tokens::Identity;
use http::header::{FORWARDED, VIA};
use http::{HeaderMap, HeaderName};
use presence_core::graph::Error;

/// The headers with which proxies say that somebody else is asking.
static OF_PROXIES: [HeaderName; 5] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

/// Reports whether a proxy says that it asks for somebody else, who may be on another machine.
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    OF_PROXIES.iter().any(|name| headers.contains_key(name))
}

impl App {
    /// Returns the caller of a request.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] without exactly one known token; [`RequestError::ForwardedDevelopment`] for a development
    /// token that came through a proxy: it is for this machine alone.
    pub fn identify(&self, headers: &HeaderMap) -> Result<Identity, RequestError> {
        let identity = self.current().tokens.identify(headers).ok_or(Error::Unauthenticated)?;
        if identity.is_trusted() && is_forwarded(headers) {
            return Err(RequestError::ForwardedDevelopment);
        }
        Ok(identity)
    }
}
