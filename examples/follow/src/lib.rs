//! A program for the desk's computer: it follows presences and shows what they make together.
//!
//! Each source and each sink is a thread. Sources send [`Update`]s to one channel; the [`Hub`] makes one [`State`] of them; each
//! sink has a [`Slot`] with the latest state, so that a slow sink delays nobody.
//!
//! | module | for |
//! | --- | --- |
//! | `clock`, `console`, `slot`, `stop` | what the threads share |
//! | `hub` | what the sources make together; without I/O and clock |
//! | `http`, `tokens` | requests, and the file with the refresh token |
//! | `sign_in` | by a browser or a device code, with `presence_core::client::SignIn` |
//! | `source`, `sink` | one file for each kind |
//! | `options`, `run` | the command line, and the parts that it asks for |

mod clock;
mod console;
mod http;
mod hub;
mod options;
mod run;
mod sign_in;
mod sink;
mod slot;
mod source;
mod stop;
#[cfg(test)]
mod testing;
mod tokens;

pub use clock::Clock;
pub use console::Console;
pub use hub::{Held, Hub, State};
pub use options::Options;
pub use presence_core::client::Link;
pub use run::run;
pub use sink::{Inbox, SinkOptions};
pub use slot::{Slot, Wake};
pub use source::{Event, News, Reporter, Source, Update};
pub use stop::Stop;
