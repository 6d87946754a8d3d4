//! Responses and events as JSON text, written piece by piece.

#[cfg(feature = "details")]
pub(in crate::graph) mod details;
pub(in crate::graph) mod element;
mod error;
pub(in crate::graph) mod event;
mod presence;
mod read;
pub(in crate::graph) mod resource;
pub(in crate::graph) mod text;
#[cfg(feature = "details")]
mod user;
pub(in crate::graph) mod writer;
