//! The other side of the wire: what devices and gateways send to Graph, or to a server like it, and what they receive. Feature
//! `client`.
//!
//! Nothing here has I/O, a clock or memory of its own: the caller's HTTP client sends a method, a path, headers and a body
//! that stand in buffers of the caller, and hands over what it received.
//!
//! Modules point one way, downwards in this list:
//!
//! | module | for |
//! | --- | --- |
//! | `request` | [`Call`] for Graph's calls, [`Form`] for those of sign-in: method, path, headers, body |
//! | `answer` | [`PresenceObject`] alone and in bulk, [`ErrorAnswer`] with `Retry-After`, [`TokenAnswer`], [`DeviceAnswer`] |
//! | `follower` | [`Follower`]: when to ask, what an answer, a failure or silence means, and the command for a lamp |
//! | `feed` | [`Feed`]: a server's events, instead of asking again and again |
//! | `sign_in` | [`SignIn`]: tokens by a device code or a browser, and their renewal |
//!
//! Every request that can be built is one that [`serve`](crate::graph::serve) accepts, and every answer that it writes is read
//! ([F4](crate::rules#f4)).

mod answer;
mod feed;
mod follower;
mod request;
mod sign_in;
mod wait;

pub use answer::{AnswerError, DeviceAnswer, ErrorAnswer, OAuthError, PresenceObject, TokenAnswer};
#[cfg(feature = "batch")]
pub use answer::{BatchAnswer, BatchedAnswer, Presences};
#[cfg(feature = "details")]
pub use answer::{ReceivedLocation, ReceivedMessage};
pub use feed::{Feed, FeedEvent};
pub use follower::{Follower, Link, Reply, Step, Update};
#[cfg(feature = "batch")]
pub use request::{BatchedCall, CallBatch};
pub use request::{Call, Form, Principal};
pub use sign_in::{RedirectError, SignIn, SignInEnd, SignInStep};
