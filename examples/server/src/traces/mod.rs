//! Traces: a span for each request, and one in it for the time that shards take, sent to a collector by OTLP over HTTP.
//!
//! They are compiled in with the feature `otlp`; without it, what is here does nothing. A caller's `traceparent` (W3C Trace
//! Context) is the parent, whose decision whether to sample counts. The SDK's environment variables, such as
//! `OTEL_TRACES_SAMPLER` and `OTEL_SERVICE_NAME`, hold.

#[cfg(feature = "otlp")]
mod otlp;
#[cfg(feature = "otlp")]
pub use otlp::{Traces, child};

#[cfg(not(feature = "otlp"))]
mod nothing;
#[cfg(not(feature = "otlp"))]
pub use nothing::{Traces, child};
