//! What requests are served by until it is reloaded.

use super::{App, Hosts, Rates};
use crate::names::Names;
use crate::policies::Policies;
use crate::tokens::Tokens;
use std::sync::Arc;

/// What a running server can replace, all at once.
#[derive(Debug, Default)]
pub struct Current {
    /// The known tokens.
    pub tokens: Tokens,
    /// The policies that requests are decided under.
    pub policies: Policies,
    /// The user principal names.
    pub names: Names,
    /// The names under which the server may be asked.
    pub hosts: Hosts,
    /// The rates of callers.
    pub rates: Rates,
}

impl App {
    /// Returns what requests are served by now.
    pub fn current(&self) -> arc_swap::Guard<Arc<Current>> {
        self.current.load()
    }

    /// Replaces it. Requests that have begun end under what they began with.
    pub fn set_current(&self, current: Current) {
        self.current.store(Arc::new(current));
    }
}
