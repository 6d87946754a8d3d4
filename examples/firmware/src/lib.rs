//! Firmware of a presence light, independent of the board and of its clock.
//!
//! Applications send requests over a serial line. The device holds their sessions, aggregates them, shows the result as a
//! light and reports each change. Everything here runs on a host as well; each file in `boards/` adds one board.
//!
//! Reading order:
//!
//! - [`App`]: the user and the sessions of applications.
//! - [`AnimatedLight`]: plays what is known, presence and link, on a [`Light`].
//! - [`PresenceLight`]: all of these together.
//! - [`storage`]: keeps the newest snapshot over a reset.
//! - [`Device`]: a presence light with its buttons and its storage.
//! - [`Clock`]: converts a board's counter to instants.
//! - [`run`]: the [`MainLoop`] of a [`Board`].

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used))]

mod animated_light;
mod app;
mod board;
mod button;
mod clock;
mod configuration;
mod device;
mod glyph;
mod identity;
mod light;
mod line;
mod link;
mod log;
mod look;
mod packets;
mod presence_light;
mod receive;
mod requests;
mod settings;
pub mod storage;

pub use animated_light::{AnimatedLight, LightSettings};
pub use app::{App, CAPACITY, OWNER, OnChange, SESSIONS};
pub use board::{Board, MainLoop, run};
pub use button::{Button, Buttons, Pressed};
pub use clock::{Clock, FIRST_TICK, Rate, counts_left};
pub use configuration::{Configuration, SettingsChange};
pub use device::{Device, LONGEST_NAP, WATCHDOG};
pub use glyph::{Glyph, MAX_BRIGHTNESS, glyph};
pub use identity::Identity;
pub use light::{DutyLight, Frame, Light, LightError, PinLight, SmartLight, smart_colour};
pub use line::ReceivedByte;
pub use link::Link;
pub use log::log_tick;
pub use look::Sign;
pub use packets::{Port, packets};
pub use presence_light::{MAX_LINE, MAX_OUTPUT, MAX_RESPONSE, PresenceLight};
pub use receive::{Inbox, QUEUE_LEN};
pub use settings::{MAX_SETTINGS, Setting, Settings, SettingsFull};
