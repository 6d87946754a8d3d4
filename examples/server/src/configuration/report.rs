//! The report of `check-config`: what is effective, and what has given it. It is a file of settings again, without secrets.

use super::Configuration;
use crate::settings::{self, Kind};
use crate::{open_files, zones};
use clap::Arg;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Write;

/// Checks what a start checks beside the configuration, and returns the report.
///
/// # Errors
///
/// The first thing that keeps a server from starting.
pub fn report(configuration: &Configuration) -> Result<String, Box<dyn Error>> {
    let options = &configuration.settings.options;
    open_files::fitting(options)?;
    let mut report = String::new();
    for (arg, (key, values)) in settings::all().zip(configuration.settings.effective()) {
        if !settings::is_secret(key) {
            write_setting(&mut report, configuration, &arg, key, values.iter().map(|value| literal(value)).collect())?;
        }
    }
    for given in configuration.grants.iter() {
        writeln!(report, "# token {}  # {}", given.grant, given.place)?;
    }
    if configuration.grants.is_empty() {
        writeln!(
            report,
            "# no token: a start creates a development token in the data directory, or takes the one there"
        )?;
    }
    writeln!(report, "# {}", zones::describe())?;
    Ok(report)
}

/// Writes a setting with the values it has, and what has given each.
fn write_setting(
    report: &mut String,
    Configuration { settings, .. }: &Configuration,
    arg: &Arg,
    key: &str,
    values: Vec<String>,
) -> std::fmt::Result {
    let source = |index| settings.source(key, index).map_or_else(|| "default".to_owned(), ToString::to_string);
    match (settings::kind(arg), values.as_slice()) {
        (_, []) => {
            let default = settings::default_text(arg).unwrap_or_else(|| "none".to_owned());
            writeln!(report, "# {key}: {default}")
        }
        (Kind::List, values) => {
            writeln!(report, "{key} = [")?;
            for (index, value) in values.iter().enumerate() {
                writeln!(report, "  {value},  # {}", source(index))?;
            }
            writeln!(report, "]")
        }
        (_, [value, ..]) => {
            // The file cannot stand in itself.
            let comment = if key == settings::CONFIG { "# " } else { "" };
            writeln!(report, "{comment}{key} = {value}  # {}", source(0))
        }
    }
}

/// Returns a value as TOML has it. Strings of JSON are such.
fn literal(value: &OsStr) -> String {
    let text = value.to_string_lossy();
    let is_plain =
        text.parse::<u32>().is_ok_and(|number| number.to_string() == text) || matches!(&*text, "true" | "false");
    if is_plain { text.into_owned() } else { serde_json::Value::from(text).to_string() }
}
