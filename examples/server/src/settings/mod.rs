//! Settings: options of the command line above variables of the environment, above a file, above defaults.
//!
//! Reading order: [`definitions`] asks [`Options`] which settings there are, and what a value may be; [`given`] is a value with
//! its source; [`environment`] and [`file`] read theirs; here they are put above each other; the [`page`] describes them all.
//!
//! Whatever gives a value, it becomes an option of a command line, which clap parses. So a value has one form and one parser.

mod definitions;
mod environment;
mod file;
mod given;
pub mod page;
#[cfg(test)]
mod tests;

pub use definitions::{CONFIG, Kind, all, default_text, hide_secrets, is_secret, kind};
pub use given::{Given, SettingError, Source};

use crate::listen::Listen;
use crate::options::Options;
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};
use given::Layer;
use std::ffi::OsString;
use std::path::PathBuf;

/// The settings of the command line and of the environment, which stay the same for as long as the program runs.
#[derive(Clone, Debug)]
pub struct Inputs {
    line: Layer,
    environment: Layer,
    unknown: Vec<String>,
}

impl Inputs {
    /// Reads the settings of a parsed command line, and of the variables of an environment.
    ///
    /// # Errors
    ///
    /// [`SettingError`] of a variable with a value that its setting may not have.
    pub fn new(line: &ArgMatches, variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, SettingError> {
        let (environment, unknown) = environment::read(variables)?;
        Ok(Self { line: given_on_line(line), environment, unknown })
    }

    /// Returns a warning for each variable that looks like a setting and is none.
    pub fn unknown_variables(&self) -> &[String] {
        &self.unknown
    }

    /// Reads the file, if one is named, and puts all layers above each other.
    ///
    /// # Errors
    ///
    /// [`SettingError`] with the file and the line.
    pub fn read(&self) -> Result<Settings, SettingError> {
        let mut given = match [&self.line, &self.environment].iter().find_map(|layer| layer.get(CONFIG)?.first()) {
            Some(file) => file::read(&PathBuf::from(&file.value), &file.source.name(CONFIG))?,
            None => Layer::new(),
        };
        given.extend(self.environment.clone());
        given.extend(self.line.clone());
        Settings::new(given)
    }
}

/// Returns the values that stand on a command line.
fn given_on_line(line: &ArgMatches) -> Layer {
    let mut layer = Layer::new();
    for arg in definitions::all() {
        let (id, key) = (arg.get_id().as_str(), definitions::key(&arg));
        if line.value_source(id) == Some(ValueSource::CommandLine) {
            let given = |value: &std::ffi::OsStr| Given { value: value.to_owned(), source: Source::Option };
            layer.insert(key, line.get_raw(id).into_iter().flatten().map(given).collect());
        }
    }
    layer
}

/// The settings that are effective, and who has given them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Their values.
    pub options: Options,
    given: Layer,
    effective: Vec<(String, Vec<OsString>)>,
}

impl Settings {
    fn new(given: Layer) -> Result<Self, SettingError> {
        let values = given.iter().flat_map(|(key, values)| values.iter().map(move |given| (key, given)));
        let line = values.map(|(key, given)| definitions::option(key, &given.value));
        let failed = |error: clap::Error| SettingError::Combination(error.to_string());
        let matches = definitions::command().try_get_matches_from(line).map_err(failed)?;
        let options = Options::from_arg_matches(&matches).map_err(failed)?;
        let values = |id: &str| matches.get_raw(id).into_iter().flatten().map(ToOwned::to_owned).collect();
        let effective = definitions::all().map(|arg| (definitions::key(&arg), values(arg.get_id().as_str()))).collect();
        Ok(Self { options, given, effective })
    }

    /// Returns these settings with the sockets that were passed to the process, which can be taken only once.
    pub fn listening_at(mut self, listen: &Listen) -> Self {
        if matches!(self.options.listen, Listen::Passed(None)) {
            self.options.listen = listen.clone();
        }
        self
    }

    /// Returns the values of all settings, in the order of their definitions.
    pub fn effective(&self) -> impl Iterator<Item = (&str, &[OsString])> {
        self.effective.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// Returns what has given the value at this index of a setting; nothing has, if it is the default.
    pub fn source(&self, key: &str, index: usize) -> Option<&Source> {
        self.given.get(key)?.get(index).map(|given| &given.source)
    }

    /// Returns these settings with the values of others, as far as a running server can take them.
    pub fn reloaded(&self, fresh: &Self) -> Result<Self, SettingError> {
        let is_from = |layer: &Layer, is_fresh: bool| -> Layer {
            let kept = |key: &str| definitions::can_reload(key) == is_fresh;
            layer.iter().filter(|(key, _)| kept(key)).map(|(key, given)| (key.clone(), given.clone())).collect()
        };
        let mut given = is_from(&self.given, false);
        given.extend(is_from(&fresh.given, true));
        Self::new(given)
    }

    /// Returns the names of settings whose values differ, with both values.
    pub fn changes<'a>(&'a self, fresh: &'a Self) -> impl Iterator<Item = (&'a str, [&'a [OsString]; 2])> {
        let both = self.effective().zip(fresh.effective());
        both.filter(|((_, old), (_, new))| old != new).map(|((key, old), (_, new))| (key, [old, new]))
    }
}
