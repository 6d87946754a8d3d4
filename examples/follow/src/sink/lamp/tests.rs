//! Conversations with lamps: scripted ones, the firmware itself, and the firmware at the other end of a pseudo-terminal.

mod board;
mod firmware;
mod scripted;
#[cfg(target_os = "linux")]
mod terminal;
