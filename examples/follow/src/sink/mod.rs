//! Where the presence goes: one file for each kind. Each runs in a thread of its own, with a slot for the latest state.

pub(crate) mod lamp;
mod options;
pub(crate) mod terminal;

pub use options::SinkOptions;

use crate::{Clock, Console, Slot, State};

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
