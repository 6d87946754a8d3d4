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
//! | `feed` | [`Feed`]: a server's events, instead of asking again and again |
//! | `follower` | [`Follower`]: when to ask, what an answer, a failure or silence means, and the command for a lamp |
//! | `sign_in` | [`SignIn`]: tokens by a device code or a browser, and their renewal |
//!
//! Every request that can be built is one that [`serve`](crate::graph::serve) accepts, and every answer that it writes is read
//! ([F4](crate::rules#f4)).
//!
//! # A lamp that follows Graph
//!
//! [`SignIn`] and [`Follower`] say what to send and when; the caller sends it. Here the network is a function that answers at
//! once, and sleeping is a number that grows:
//!
//! ```
//! use presence_core::client::{
//!     Call, DeviceAnswer, Follower, Form, Link, Principal, Reply, SignIn, SignInStep, Step, TokenAnswer,
//! };
//! use presence_core::{Instant, Policy, Presence, SingleUser};
//!
//! const CLIENT_ID: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
//! const SCOPE: &str = "Presence.Read offline_access";
//!
//! // Sends a request, and returns status and body; `None` if no answer comes.
//! fn send(target: &str, _authorization: &str, form: &str) -> Option<(u16, &'static str)> {
//!     # let _ = form;
//!     Some(match target {
//!         "devicecode" => (200, r#"{"device_code":"d","user_code":"FJC3Q9","verification_uri":"https://a.b","expires_in":900}"#),
//!         "token" => (200, r#"{"token_type":"Bearer","access_token":"a","refresh_token":"r","expires_in":3600}"#),
//!         _ => (200, r#"{"availability":"Busy","activity":"InACall"}"#),
//!     })
//! }
//!
//! let mut lamp: SingleUser<u8, 4> = SingleUser::new(Policy::DESK);
//! let mut follower = Follower::new(1, &Policy::MIRROR);
//! let mut sign_in = SignIn::new(); // with a stored refresh token: `SignIn::with_refresh_token`
//! sign_in.begin();
//! let (mut authorization, mut refresh_token, mut device_code) = (String::new(), String::new(), String::new());
//! let random = 4; // of a board's own
//! # let mut shown = Vec::new();
//! let mut now = Instant::ZERO;
//! while now < Instant::from_secs(90) {
//!     let step = sign_in.next(now, random);
//!     let form = match step {
//!         SignInStep::AskCode => Some(Form::DeviceAuthorization { client_id: CLIENT_ID, scope: SCOPE }),
//!         SignInStep::AskWithDeviceCode => Some(Form::DeviceCode { client_id: CLIENT_ID, device_code: &device_code }),
//!         SignInStep::Renew => Some(Form::Refresh { client_id: CLIENT_ID, refresh_token: &refresh_token, scope: SCOPE }),
//!         _ => None,
//!     };
//!     if let Some(form) = form {
//!         let endpoint = if step == SignInStep::AskCode { "devicecode" } else { "token" };
//!         match send(endpoint, "", &form.to_string()) {
//!             None => sign_in.failed(now),
//!             Some((status, body)) if step == SignInStep::AskCode => match DeviceAnswer::read(status, body.as_bytes()) {
//!                 Ok(answer) => {
//!                     // Shows the person `user_code` and `verification_uri`.
//!                     device_code = answer.device_code.text_start(&mut [0; 256]).unwrap_or_default().into();
//!                     sign_in.code(now, &answer);
//!                 }
//!                 Err(error) => sign_in.rejected(now, error, None),
//!             },
//!             Some((status, body)) => match TokenAnswer::read(status, body.as_bytes()) {
//!                 Ok(answer) => {
//!                     authorization = answer.authorization(&mut [0; TokenAnswer::MAX_AUTHORIZATION_LEN])?.into();
//!                     if sign_in.granted(now, &answer, &refresh_token) {
//!                         // Stores it before it is used.
//!                         let mut buffer = [0; TokenAnswer::MAX_TOKEN_LEN];
//!                         refresh_token = answer.refresh_token.and_then(|token| token.text_start(&mut buffer)).unwrap_or_default().into();
//!                     }
//!                     follower.signed_in();
//!                 }
//!                 Err(error) => sign_in.rejected(now, error, None),
//!             },
//!         }
//!         continue;
//!     }
//!     if sign_in.end().is_some() {
//!         follower.sign_in_needed(); // and a button calls `begin`
//!     }
//!     let mut wake = if let SignInStep::Wait(until) = step { until } else { Instant::NEVER };
//!     if sign_in.is_signed_in(now) {
//!         match follower.next(now, random) {
//!             Step::Wait(until) => wake = wake.min(until),
//!             Step::Ask { .. } => {
//!                 let target = Call::presence(Principal::ME).target().to_string();
//!                 match send(&target, &authorization, "") {
//!                     None => follower.failed(now),
//!                     Some((status, body)) => {
//!                         if status == 401 { sign_in.unauthorized() } else { sign_in.authorized() }
//!                         let update = follower.answered(now, Reply::read(status, None, body.as_bytes()));
//!                         follower.show(now, &update, &mut lamp, |_| {})?; // draws what has changed
//!                     }
//!                 }
//!                 continue;
//!             }
//!         }
//!     }
//!     # shown.push((now.as_secs(), lamp.presence(now)));
//!     now = wake.min(lamp.next_deadline().unwrap_or(Instant::NEVER)); // sleeps
//!     lamp.advance(now, |_| {});
//! }
//! # assert_eq!(shown, [(0, Presence::Offline), (5, Presence::InACall), (35, Presence::InACall), (65, Presence::InACall)]);
//! assert_eq!((lamp.presence(now), follower.link(now)), (Presence::InACall, Link::Ok));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

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
