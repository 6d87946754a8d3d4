//! The ids and the date that errors carry.

/// The `innerError` of an error body: what helps to find the request in logs. Unknown members are null.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Trace<'a> {
    /// The date and time, in the format of the application's wall clock.
    pub date: Option<&'a str>,
    /// The id that the application gave the request.
    pub request_id: Option<&'a str>,
    /// The id that the client gave the request, in its `client-request-id` header; without one, `request_id` is written.
    pub client_request_id: Option<&'a str>,
}

impl Trace<'_> {
    /// Creates a trace of which nothing is known.
    // Not a constant: that would be zeroed as a whole, and link `memset` into a small device.
    pub(super) const fn new() -> Self {
        Self { date: None, request_id: None, client_request_id: None }
    }
}
