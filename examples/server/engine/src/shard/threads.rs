//! The threads of shards, and how the process ends when one of them cannot go on.

use std::error::Error;
use std::sync::OnceLock;
use std::thread::JoinHandle;

/// The reason for which an engine cannot go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure<'a> {
    /// A journal has failed, or is damaged, or somebody else has written to it: memory is ahead of what is stored.
    Journal(&'a dyn Error),
    /// A thread of the engine has panicked. Without it, calls would wait for ever.
    Panic,
}

impl Failure<'_> {
    /// Returns the status with which the process ends, unless a [hook](set_failure_hook) decides otherwise: 74 or 70, as in
    /// `sysexits.h`.
    pub const fn status(&self) -> i32 {
        match self {
            Self::Journal(_) => 74,
            Self::Panic => 70,
        }
    }
}

static HOOK: OnceLock<fn(&Failure<'_>) -> !> = OnceLock::new();

/// Sets how the process ends when an engine cannot go on, instead of `exit` with [`Failure::status`]. The first call counts.
///
/// The hook must not return, because nothing that is in memory then may be told to anybody. It runs on the thread that has failed; one
/// that waits for ever keeps the process and leaves all calls without a response.
///
/// ```
/// presence_engine::set_failure_hook(|failure| {
///     eprintln!("{failure:?}");
///     std::process::abort()
/// });
/// ```
pub fn set_failure_hook(hook: fn(&Failure<'_>) -> !) {
    let _ = HOOK.set(hook);
}

fn end(failure: &Failure<'_>) -> ! {
    match HOOK.get() {
        Some(hook) => hook(failure),
        None => std::process::exit(failure.status()),
    }
}

/// Ends the process, because memory is ahead of what is durable, and no response may show that.
pub fn stop_everything(error: &dyn Error) -> ! {
    tracing::error!("the journal failed, so nothing can be promised any more: {error}");
    end(&Failure::Journal(error))
}

/// Starts a thread; if it panics, the process ends.
pub fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let guarded = move || {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
            end(&Failure::Panic);
        }
    };
    std::thread::Builder::new().name(name).spawn(guarded).unwrap_or_else(|error| stop_everything(&error))
}
