//! The log of messages, on standard error.

use crate::options::LogFilter;
use std::error::Error;
use std::io::IsTerminal;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{Handle, Layer};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

/// What changes the filter of the log.
#[derive(Clone, Debug)]
pub struct LogHandle(Handle<EnvFilter, Registry>);

/// Starts the log, with the usual filter until the settings are known.
pub fn start() -> LogHandle {
    let (filter, handle) = Layer::new(EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A log that cannot be written, on a full disk say, must not end the server. Reporting that to the log would.
        .log_internal_errors(false);
    tracing_subscriber::registry().with(filter).with(lines).init();
    LogHandle(handle)
}

impl LogHandle {
    /// Sets the filter.
    ///
    /// # Errors
    ///
    /// If the log is gone, which it never is.
    pub fn set(&self, filter: &LogFilter) -> Result<(), Box<dyn Error>> {
        Ok(self.0.reload(filter.filter())?)
    }
}
