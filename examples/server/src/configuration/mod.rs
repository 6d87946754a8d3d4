//! What a server is started with: its [settings](crate::settings), and what these name.
//!
//! Reading order: [`grants`] collects tokens, from files too; [`check`] says whether everything goes together; the [`report`] of
//! `check-config` shows what is effective; [`reload`] does it again while the server runs.

mod check;
mod grants;
pub mod reload;
pub mod report;

pub use grants::{Given, Grants};

use crate::http::{Current, Hosts, Rates};
use crate::policies::Policies;
use crate::settings::Settings;
use crate::tokens::Tokens;
use std::error::Error;

/// Settings that go together, with the tokens that they name.
#[derive(Debug)]
pub struct Configuration {
    /// The settings.
    pub settings: Settings,
    /// The tokens.
    pub grants: Grants,
}

impl Configuration {
    /// Collects the tokens of settings, and checks everything that a start checks, except for data.
    ///
    /// # Errors
    ///
    /// The first thing that keeps a server from starting.
    pub fn new(settings: Settings) -> Result<Self, Box<dyn Error>> {
        let grants = Grants::collect(&settings)?;
        check::check(&settings.options, &grants)?;
        let configuration = Self { settings, grants };
        configuration.current(None)?;
        Ok(configuration)
    }

    /// Returns what requests are served by. Rates that stay are as used up as they were `before`.
    ///
    /// # Errors
    ///
    /// A token or a policy that is given twice.
    pub fn current(&self, before: Option<&Current>) -> Result<Current, Box<dyn Error>> {
        let options = &self.settings.options;
        let tokens = Tokens::new(self.grants.iter().map(|given| (&given.grant, given.place.as_str())))?;
        let rates = Rates::new(
            tokens.callers(),
            options.application_rate,
            options.user_rate,
            before.map(|current| &current.rates),
        );
        Ok(Current {
            tokens,
            rates,
            policies: Policies::new(options.policy, options.app_policy.iter().copied())?,
            names: options.user_name.iter().cloned().collect(),
            hosts: Hosts::new(options.host.clone(), !options.listen.is_seen_by_browsers_here()),
        })
    }
}
