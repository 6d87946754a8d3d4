//! The serial line of a light: bytes to lines, and what a line may be beside a request. Feature `lines`.
//!
//! It stands in front of [`graph::serve_line`](crate::graph::serve_line). [`LineBuffer`] assembles the bytes that arrive into
//! lines ([L1](crate::rules#l1)). [`Input`] is what a line is: a request, a [`ShortForm`] such as `InACall PT1H`, a presence
//! object to mirror, or what the light said itself, coming back ([L2](crate::rules#l2), [L4](crate::rules#l4)).
//!
//! Short forms, mirrored objects and a button of the light each have a session with a fixed id. Serve every line with
//! [`Input::serve`], which leaves room for these three: give a user [`RESERVED_SESSIONS`] more than callers may fill.
//!
//! ```
//! use presence_core::graph::{Buffer, Caller, Context, SingleUserStore};
//! use presence_core::lines::{LineBuffer, RESERVED_SESSIONS};
//! use presence_core::{Instant, Policy, Presence, UserId};
//!
//! const OWNER: UserId = UserId::from_bytes([0x11; 16]);
//!
//! let mut light: SingleUserStore<{ 8 + RESERVED_SESSIONS }> = SingleUserStore::new(OWNER, Policy::DESK);
//! let mut lines = LineBuffer::<1024>::new();
//! let now = Instant::ZERO;
//! let mut said = Vec::new();
//! for byte in *b"Busy\r\n\x00InACall PT1H\n{\"availability\":\"Away\",\"activity\":\"Away\"}\n" {
//!     if lines.push(byte, now) {
//!         let input = lines.input();
//!         let mut bytes = [0; 512];
//!         let mut response = Buffer::new(&mut bytes);
//!         let context = Context::new(now, Caller::Trusted { me: Some(OWNER) });
//!         input.serve(&context, &mut light, &mut response, &mut |_, _| {})?;
//!         assert_eq!(response.written(), br#"{"id":null,"status":200}"#);
//!         said.push(light.user.presence(now));
//!     }
//! }
//! // The mirror's session is another one than that of the short forms.
//! assert_eq!(said, [Presence::Busy, Presence::InACall, Presence::InACall]);
//! # Ok::<(), presence_core::BufferFull>(())
//! ```

mod buffer;
mod input;
mod mirror;
mod serve;
mod short_form;

pub use buffer::LineBuffer;
pub use input::Input;
pub use mirror::Mirror;
pub use short_form::ShortForm;

use crate::id::SessionId;

/// The session of the line itself, which short forms set: `6c696e65-0000-4000-8000-000000000000`.
pub const OWN_SESSION: SessionId = SessionId::from_bytes(*b"line\0\0\x40\0\x80\0\0\0\0\0\0\0");

/// The session of what is mirrored: `6d697272-6f72-4000-8000-000000000000`.
pub const MIRROR_SESSION: SessionId = SessionId::from_bytes(*b"mirror\x40\0\x80\0\0\0\0\0\0\0");

/// The session of a button of the light: `62757474-6f6e-4000-8000-000000000000`.
pub const BUTTON_SESSION: SessionId = SessionId::from_bytes(*b"button\x40\0\x80\0\0\0\0\0\0\0");

/// The number of sessions of a user that only these three ids may take.
pub const RESERVED_SESSIONS: usize = RESERVED.len();

const RESERVED: [SessionId; 3] = [OWN_SESSION, MIRROR_SESSION, BUTTON_SESSION];
