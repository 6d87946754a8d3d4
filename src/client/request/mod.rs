//! Requests: method, path, headers and body of what a client sends.

#[cfg(feature = "batch")]
mod batch;
mod body;
mod call;
mod encode;
mod form;
mod principal;
mod target;
mod written;

#[cfg(feature = "batch")]
pub use batch::{BatchedCall, CallBatch};
pub use call::Call;
pub use form::Form;
pub use principal::Principal;
