//! A presence light for a desk.
//!
//! Applications say over a serial line what they know, one request a line; the device holds their sessions, aggregates
//! them, shows the result as a light and tells every change. What is here knows no board and no clock, so that it runs on a
//! host as well; the files in `boards/` know one board each, and nothing else.
//!
//! Reading order: [`App`] holds the sessions; [`LineBuffer`] makes lines of bytes; [`AnimatedLight`] makes light of presence;
//! [`PresenceLight`] is all of them together; [`storage`] keeps what survives a reset; [`Clock`] makes moments of a board's
//! counter; [`run`] is the main loop of a [`Board`].

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used))]

mod app;
mod board;
mod button;
mod clock;
mod glyph;
mod light;
mod line;
mod log;
mod presence_light;
mod receive;
pub mod storage;

pub use app::{App, OWNER, OnChange, SESSIONS};
pub use board::{Board, run};
pub use button::{Button, Buttons, Pressed};
pub use clock::{Clock, FIRST_TICK, Rate};
pub use glyph::{Glyph, MAX_BRIGHTNESS, glyph};
pub use light::{AnimatedLight, DutyLight, Frame, Light, LightError, PinLight, SmartLight, smart_colour};
pub use line::{LineBuffer, ReceivedByte};
pub use log::log_tick;
pub use presence_light::{MAX_LINE, MAX_RESPONSE, PresenceLight};
pub use receive::{Inbox, QUEUE_LEN};
