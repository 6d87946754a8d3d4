//! Conversations with lamps: scripted ones, the firmware itself, and a thread that talks over a pseudo-terminal.

mod scripted;
