//! The wire: Microsoft Graph's presence requests in JSON, parsed, authorised, executed, and responded to. Feature `graph`.
//!
//! [`serve`] serves a request over HTTP, [`serve_line`] one over a serial line or standard input, where a line is one element
//! of a Graph batch. An application that needs more control combines the parts: [`Request::parse`], [`Caller::authorise`],
//! [`Store::execute`] and [`Store::read`], [`Resource::write`] and [`Error::write`]. A server that shards by user also takes a
//! [`Batch`], or the [`Ids`] of a bulk read, apart itself.
//!
//! Reading order: [`Context`] is what is not in a request; [`json`] validates text; [`Target`] is the meaning of a path;
//! [`Request`] is a request that passed the checks of [H2](crate::rules#h2); [`Caller`] decides what is allowed; [`Store`]
//! executes; [`Error`] is everything that can go wrong.
//!
//! Feature `batch` adds batches and bulk reads; without it their paths are unknown, and a small device links less. Feature
//! `details` adds status messages, out of office, work locations, `$select` and user principal names, for which the application
//! implements `Environment`; and `GET /me` and `GET /users/{id}`.
//!
//! A device or gateway that follows another system reads its answers with [`Resource::read`], and [`json`] for the rest;
//! [`Command::mirror`](crate::Command::mirror) makes the command.
//!
//! Nothing is collected, so that the caller's buffers bound all memory. Associated constants say how large these must be:
//! [`RawRequest::MAX_BODY`], [`Line::MAX_LEN`], [`Resource::MAX_LEN`], [`Error::MAX_LEN`], [`Ids::MAX_RESPONSE`],
//! [`Element::MAX_RESPONSE`], [`ChangeEvent::MAX_LEN`]; with feature `details` also `Resource::max_len` and
//! `Context::MAX_USER_LEN`.

mod authorise;
#[cfg(any(feature = "client", feature = "details"))]
mod calendar;
mod caller;
mod context;
#[cfg(feature = "details")]
mod date_time;
#[cfg(feature = "details")]
mod environment;
mod error;
pub mod json;
mod line;
mod permissions;
mod request;
mod respond;
mod serve;
mod single_user;
mod store;
mod trace;
mod under_policy;
#[cfg(feature = "details")]
mod with_details;

#[cfg(feature = "client")]
pub(crate) use calendar::{days_of_month, number, number_after, seconds_before};
pub use caller::Caller;
pub use context::Context;
#[cfg(all(feature = "client", feature = "details"))]
pub(crate) use context::is_utc;
#[cfg(feature = "details")]
pub use date_time::DateTime;
#[cfg(feature = "details")]
pub use environment::Environment;
pub use error::{Error, Field};
pub use line::{Line, serve_line};
pub use permissions::Permissions;
pub use request::Request;
pub use request::batch::{Batch, Dependencies};
#[cfg(feature = "details")]
pub use request::details::{DetailsAction, TextBuffer};
pub use request::element::Element;
pub use request::ids::Ids;
pub use request::raw::RawRequest;
pub use request::select::Select;
pub use request::target::{Operation, Target, UserRef};
#[cfg(feature = "client")]
pub(crate) use request::uri::{percent_decoded, until};
#[cfg(all(feature = "client", feature = "details"))]
pub(crate) use respond::details::date_time;
pub use respond::event::ChangeEvent;
pub use respond::resource::Resource;
#[cfg(all(feature = "client", any(feature = "batch", feature = "details")))]
pub(crate) use respond::text::write_string;
#[cfg(feature = "client")]
pub(crate) use respond::text::write_template;
pub use respond::writer::{Buffer, Writer};
pub use serve::serve;
#[cfg(feature = "lines")]
pub(crate) use serve::serve_command;
pub use single_user::SingleUserStore;
pub use store::Store;
pub use trace::Trace;
#[cfg(feature = "details")]
pub use with_details::{DetailsMap, WithDetails};

/// True if batches and bulk reads are served.
const HAS_BATCH: bool = cfg!(feature = "batch");
