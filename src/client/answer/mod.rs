//! Answers: what a client receives.
//!
//! Each is validated as a whole by [`json`](crate::graph::json) first, so that its depth is bounded and garbage is no answer.
//! Members that are not known are skipped, in no memory; one that is read and given twice is an error.

#[cfg(feature = "batch")]
mod batch;
mod device;
mod error;
mod failure;
mod oauth;
mod presence;
#[cfg(feature = "batch")]
mod presences;
mod read;
mod retry_after;
mod token;

#[cfg(feature = "batch")]
pub use batch::{BatchAnswer, BatchedAnswer};
pub use device::DeviceAnswer;
pub use error::AnswerError;
pub use failure::ErrorAnswer;
pub use oauth::OAuthError;
pub use presence::PresenceObject;
#[cfg(feature = "details")]
pub use presence::{ReceivedLocation, ReceivedMessage};
#[cfg(feature = "batch")]
pub use presences::Presences;
pub use token::TokenAnswer;
