//! The device on a host: its queue, its lines, its buttons, its light and its main loop.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod animated_light;
mod buttons;
mod eight_sessions;
mod fixture;
mod lights;
mod limits;
mod lines;
mod losses;
mod main_loop;
mod port;
mod presence_light;
mod receive;
mod requests;
mod saves;
mod sleep;
mod write_errors;
