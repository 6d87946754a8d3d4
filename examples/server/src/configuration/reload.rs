//! Reloading while the server runs, on SIGHUP: settings, files of tokens, the log's filter, the machine's time zones.
//!
//! A configuration that a start would reject changes nothing. What needs a restart is named in the log and stays.

use super::{Configuration, Given};
use crate::http::App;
use crate::messages::LogHandle;
use crate::settings::{self, Inputs};
use crate::zones;
use std::error::Error;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

/// What a reload reads, and what it changes.
#[derive(Debug)]
pub struct Reloader {
    /// The settings that stay the same.
    pub inputs: Inputs,
    /// What the server runs with.
    pub running: Mutex<Configuration>,
    /// The server.
    pub app: Arc<App>,
    /// The log.
    pub log: LogHandle,
    /// The token of a first try, if there was no other at the start.
    pub kept: Option<Given>,
}

impl Reloader {
    /// Reads everything anew, and applies what can be applied. Logs what has changed, and what has not.
    ///
    /// The files of logs are opened anew in any case: they may have been renamed.
    pub fn reload(&self) {
        self.app.logs.reopen();
        match self.try_reload() {
            Ok(changes) if changes.is_empty() => tracing::info!("reloaded: nothing has changed"),
            Ok(changes) => tracing::info!("reloaded: {}", changes.join(", ")),
            Err(error) => tracing::error!("not reloaded, everything stays as it is: {error}"),
        }
    }

    /// Returns the names of what has changed.
    fn try_reload(&self) -> Result<Vec<String>, Box<dyn Error>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let listen = &running.settings.options.listen;
        let fresh = Configuration::new(self.inputs.read()?.listening_at(listen))?;
        // What stays counts for the check: a development token must not get to a server that listens elsewhere still.
        let mut next = Configuration::new(running.settings.reloaded(&fresh.settings)?.listening_at(listen))?;
        if next.grants.is_empty() {
            self.kept.iter().for_each(|given| next.grants.add_development(given.clone()));
        }
        if next.grants.is_empty() {
            tracing::warn!("no token is known any more; a restart creates a development token");
        }
        let current = next.current(Some(&self.app.current()))?;
        self.log.set(&next.settings.options.log)?;
        let mut changes: Vec<_> = running.settings.changes(&next.settings).map(|(key, _)| key.to_owned()).collect();
        if running.grants != next.grants {
            changes.push(format!("{} tokens", next.grants.iter().count()));
        }
        for (key, [old, new]) in next.settings.changes(&fresh.settings) {
            let source = fresh
                .settings
                .source(key, 0)
                .map_or_else(|| format!("the default of {key}"), |source| source.name(key));
            tracing::warn!("{source} needs a restart: it is {}, and will be {}", shown(key, old), shown(key, new));
        }
        zones::install(&next.settings.options.zoneinfo);
        self.app.set_current(current);
        *running = next;
        Ok(changes)
    }
}

/// Returns values as people read them.
fn shown(key: &str, values: &[OsString]) -> String {
    debug_assert!(!settings::is_secret(key), "secrets can be reloaded");
    let texts: Vec<_> = values.iter().map(|value| value.to_string_lossy()).collect();
    if texts.is_empty() { "unset".to_owned() } else { texts.join(" ") }
}
