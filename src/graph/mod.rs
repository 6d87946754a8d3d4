//! The wire: Microsoft Graph's presence requests in JSON, parsed, authorised, executed and answered. Feature `graph`.
//!
//! [`serve`] does all of it for a request over HTTP, [`serve_line`] for one over a serial line or standard input: a line
//! is one element of a Graph batch. Embedders who want to stand in between mix the parts: [`Request::parse`],
//! [`Caller::authorise`], [`Store::execute`] and [`Store::read`], [`write_presence`] and [`write_error`]; and a server
//! that shards by user takes a [`Batch`] or the [`Ids`] of a bulk read apart itself.
//!
//! Reading order: [`json`] validates text and walks it where it lies; [`Target`] is what a path means; [`Request`] is what
//! was asked, checked in the order of rule H2; [`Caller`] says who may; [`Store`] is what it is executed on, [`SingleUserStore`] the
//! smallest; [`Error`] is every way to say no.
//!
//! Batches and bulk reads are feature `batch`: without it their paths are no resources, and a device that serves one request
//! at a time links less; the README says how much.
//!
//! Feature `details` adds what else a presence tells, `$select` and user principal names; what it takes to know the world for
//! that, zones and the time on the wall, the embedder tells through `Environment`.
//!
//! Nothing is collected, so memory is bounded by the caller's buffers; the `MAX_…` constants say how large those need be.

mod authorise;
#[cfg(feature = "details")]
mod date_time;
#[cfg(feature = "details")]
mod environment;
mod error;
pub mod json;
mod line;
mod request;
mod respond;
mod serve;
mod single_user;
mod store;

pub use authorise::{Caller, Permissions};
#[cfg(feature = "details")]
pub use date_time::DateTime;
#[cfg(feature = "details")]
pub use environment::Environment;
#[cfg(feature = "details")]
pub use error::DetailsField;
pub use error::{Error, Field};
pub use line::{Line, serve_line};
pub use request::batch::{Batch, Dependencies, Element};
#[cfg(feature = "details")]
pub use request::details::{DetailsAction, MAX_MESSAGE, TextBuffer};
pub use request::select::Select;
#[cfg(feature = "details")]
pub use request::target::DetailsOperation;
pub use request::target::{Operation, Target, UserRef};
pub use request::{Body, Ids, RawRequest, Request};
#[cfg(feature = "details")]
pub use respond::details::{Resource, max_presence, write_resource};
pub use respond::writer::{Buffer, Writer};
pub use respond::{Trace, write_answer, write_change, write_error, write_presence};
pub use serve::{Context, serve};
pub use single_user::SingleUserStore;
pub use store::Store;

/// Whether batches and bulk reads are served.
const HAS_BATCH: bool = cfg!(feature = "batch");

/// Most ids in a bulk read. Rule H1.
pub const MAX_IDS: usize = 650;
/// Most elements in a batch. Rule H5.
pub const MAX_ELEMENTS: usize = 20;
/// Longest body that is taken in, in bytes: twenty bulk reads of the most ids, with room for spaces.
pub const MAX_BODY: usize = 1 << 20;
/// Longest line that is taken in, in bytes, without its newline.
pub const MAX_LINE: usize = 4096;
/// Longest presence object, in bytes, from a store that keeps no details: see `max_presence` for one that does, here and
/// for all that follows.
pub const MAX_PRESENCE: usize = 211;
/// Longest error body, in bytes, when its [`Trace`] is empty.
pub const MAX_ERROR: usize = 194;
/// Longest answer to a bulk read, in bytes.
pub const MAX_PRESENCES: usize = 12 + MAX_IDS * (MAX_PRESENCE + 1) - 1;
/// Longest answer to one element of a batch that is no bulk read, in bytes, not counting its id, which is echoed as it
/// was written.
pub const MAX_ELEMENT: usize =
    r#"{"id":,"status":200,"headers":{"Content-Type":"application/json"},"body":}"#.len() + MAX_PRESENCE;
/// Longest event of a change, in bytes.
pub const MAX_CHANGE: usize = 251;
