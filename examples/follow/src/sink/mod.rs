//! Where the presence goes: one file for each kind. Each runs in a thread of its own, with a slot for the latest state.

pub(crate) mod lamp;
pub(crate) mod mqtt;
mod options;
mod pause;
mod secret;
pub(crate) mod server;
pub(crate) mod terminal;

pub use options::SinkOptions;

use crate::slot::Wake;
use crate::{Clock, Console, Slot, State};
use presence_core::{Absence, Presence};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

/// The longest sleep: timers do not run while a computer is suspended.
const NAP: Duration = Duration::from_secs(30);

/// What the thread of a sink is given.
#[derive(Clone, Debug)]
pub struct Inbox {
    /// The latest state: a new one for each change, and each renewal of a lease. Closed when it is to end.
    pub states: Slot<State>,
    /// The clock of the times in a state.
    pub clock: Clock,
    /// For messages to the person.
    pub console: Console,
}

impl Inbox {
    /// Sends each state as an event, for a sink that waits for other events as well; in the end, `None` as one.
    fn forward<E: Send + 'static>(&self, events: Sender<E>, event: fn(Option<State>) -> E) {
        let states = self.states.clone();
        thread::spawn(move || {
            loop {
                let state = match states.take(NAP) {
                    Wake::New(state) => Some(state),
                    Wake::Timeout => continue,
                    Wake::Closed => None,
                };
                let is_end = state.is_none();
                if events.send(event(state)).is_err() || is_end {
                    break;
                }
            }
        });
    }
}

/// Returns the presence that others may be told; `None` if nothing is known, of which nobody is told anything (rule P4).
fn known(state: &State) -> Option<Presence> {
    let is_known = state.presence != Presence::Unknown && !state.absence.is_some_and(Absence::is_stale);
    is_known.then_some(state.presence)
}
