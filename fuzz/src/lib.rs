//! What the fuzzers look for. Each function takes any bytes, makes something of them, and panics when a promise does not
//! hold. They need no fuzzer: `cargo test` of the library replays every file of `corpus/` through them.

mod cut;
mod details;
mod duration;
mod history;
mod life;
#[path = "../../tests/model/mod.rs"]
mod model;
#[cfg(test)]
mod recipe;
#[cfg(test)]
mod replay;
mod snapshot;
mod user;
mod wire;

pub use cut::cut;
pub use details::details;
pub use duration::duration;
pub use history::history;
pub use snapshot::snapshot;
pub use user::user;
pub use wire::wire;

/// What the firmware's storage finds in its own crate.
mod desk {
    pub const SESSIONS: usize = 8;
}

mod log {
    macro_rules! warning {
        ($text:literal $(, $arg:expr)*) => {{ $( let _ = &$arg; )* }};
    }
    pub(crate) use warning;
}

#[allow(dead_code, unused_imports, reason = "what decides when to store is not what is cut")]
#[path = "../../examples/firmware/src/storage/mod.rs"]
mod storage;
