//! Signals: SIGTERM and SIGINT end the server, SIGHUP reloads it, and SIGXFSZ does nothing.
//!
//! They are caught from the first moment on, because a supervisor may send one while the data is still being loaded, and a
//! signal that nothing catches ends the process. What comes during the start is handled right after it.

use rustix::process::Signal as Number;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The signals that the server catches.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// Comes with a write beyond the limit on the size of files, which then fails as on a full disk.
    _file_size: Signal,
}

impl Signals {
    /// Catches the signals from now on. Must be called within the runtime.
    ///
    /// # Errors
    ///
    /// That of the system, if a signal cannot be caught.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            _file_size: signal(SignalKind::from_raw(Number::XFSZ.as_raw()))?,
        })
    }

    /// Handles the signals: the first SIGTERM or SIGINT makes `stop` true, and each SIGHUP calls `reload`.
    ///
    /// Never returns, so that a SIGHUP does not end a server that is shutting down. Signals that come while `reload` runs are
    /// handled after it, several SIGHUPs as one.
    pub async fn handle(mut self, stop: watch::Sender<bool>, reload: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => end(&stop),
                _ = self.interrupt.recv() => end(&stop),
                _ = self.hang_up.recv() => reload(),
            }
        }
    }
}

fn end(stop: &watch::Sender<bool>) {
    if !stop.send_replace(true) {
        tracing::info!("ending");
    }
}
