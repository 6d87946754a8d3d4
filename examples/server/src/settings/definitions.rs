//! Which settings there are, and what a value may be, by the definitions of [`Options`].

use crate::options::Options;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Args, Command};
use std::error::Error;
use std::ffi::{OsStr, OsString};

/// The setting that names the file of the others, and cannot stand in it.
pub const CONFIG: &str = "config";

/// The settings whose values nobody else may see.
const SECRET: [&str; 3] = ["app-token", "user-token", "dev-token"];

/// The settings that a running server takes anew on SIGHUP.
const RELOADED: [&str; 14] = [
    "host",
    "app-token",
    "app-token-file",
    "user-token",
    "user-token-file",
    "dev-token",
    "dev-token-file",
    "user-name",
    "policy",
    "app-policy",
    "application-rate",
    "user-rate",
    "log",
    "zoneinfo",
];

/// Which values a setting has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Flag,
    /// One value.
    Value,
    /// Any number of values.
    List,
}

/// Returns the settings as options of a command line without a program.
pub fn command() -> Command {
    let command = Command::new("presence-server").no_binary_name(true);
    Options::augment_args(command.disable_help_flag(true).disable_version_flag(true))
}

/// Returns the definitions of all settings, in their order.
pub fn all() -> impl Iterator<Item = Arg> {
    command().get_arguments().cloned().collect::<Vec<_>>().into_iter()
}

/// Returns the definition of a setting.
pub fn find(key: &str) -> Option<Arg> {
    all().find(|arg| arg.get_long() == Some(key))
}

/// Returns the name of a setting, as it stands in a file.
pub fn key(arg: &Arg) -> String {
    arg.get_long().unwrap_or_default().to_owned()
}

/// Returns the kind of a setting.
pub fn kind(arg: &Arg) -> Kind {
    match arg.get_action() {
        ArgAction::Append => Kind::List,
        _ if arg.get_num_args().is_some_and(|count| count.min_values() == 0) => Kind::Flag,
        _ => Kind::Value,
    }
}

/// Reports whether the values of a setting are secret.
pub fn is_secret(key: &str) -> bool {
    SECRET.contains(&key)
}

/// Reports whether a running server takes a setting anew.
pub fn can_reload(key: &str) -> bool {
    RELOADED.contains(&key)
}

/// Returns the known name that is most like an unknown one.
pub fn nearest(unknown: &str) -> String {
    let unknown = unknown.to_lowercase().replace('_', "-");
    let likeness = |key: &String| strsim::jaro_winkler(key, &unknown);
    let keys = all().filter(|arg| !arg.is_hide_set()).map(|arg| key(&arg));
    keys.max_by(|one, other| likeness(one).total_cmp(&likeness(other))).unwrap_or_default()
}

/// Returns the option that gives a setting a value.
pub fn option(key: &str, value: &OsStr) -> OsString {
    let mut option = OsString::from(format!("--{key}="));
    option.push(value);
    option
}

/// Checks a value of a setting. Returns what is wrong with it; nothing that is secret.
pub fn check(key: &str, value: &OsStr) -> Result<(), String> {
    let outcome = command().try_get_matches_from([option(key, value)]);
    outcome.map(drop).map_err(|error| describe(&error, key))
}

/// Returns what is wrong with the value of a setting, in one line.
fn describe(error: &clap::Error, key: &str) -> String {
    let allowed = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => format!("expected one of {}", values.join(", ")),
        _ => "not a value of this setting".to_owned(),
    };
    let problem = error.source().map_or(allowed, ToString::to_string);
    match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) if !is_secret(key) => format!("\"{value}\": {problem}"),
        _ => problem,
    }
}

/// Hides the value of a secret setting in an error of the command line.
pub fn hide_secrets(error: &mut clap::Error) {
    let is_of_secret = |text: &str| SECRET.iter().any(|key| text.strip_prefix("--").is_some_and(|arg| of(arg) == *key));
    if matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(arg)) if is_of_secret(arg)) {
        error.insert(ContextKind::InvalidValue, ContextValue::String(crate::tokens::HIDDEN.to_owned()));
    }
}

/// Returns the name of an option as clap writes it, without the form of its value.
fn of(arg: &str) -> &str {
    arg.split([' ', '=', '[']).next().unwrap_or(arg)
}

/// Returns the text of the help that is about a setting, without its default.
pub fn help_text(text: Option<&StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    match text.split_once(" [default: ") {
        Some((before, rest)) => before.to_owned() + rest.split_once(']').map_or("", |(_, after)| after),
        None => text,
    }
}

/// Returns the default of a setting as people read it; `None` if it has no value by default.
pub fn default_text(arg: &Arg) -> Option<String> {
    if let [value] = arg.get_default_values() {
        return Some(value.to_string_lossy().into_owned());
    }
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let (_, default) = help.split_once("[default: ")?;
    default.split_once(']').map(|(text, _)| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_by_name_exists() {
        for key in SECRET.iter().chain(&RELOADED) {
            assert!(find(key).is_some(), "{key}");
        }
        assert!(SECRET.iter().all(|key| can_reload(key)), "a token can be withdrawn without a restart");
    }

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        for (unknown, meant) in [
            ("user", "users"),
            ("lisen", "listen"),
            ("PRESENCE_USERS_PER_APP", "users-per-application"),
            ("users_per_application", "users-per-application"),
            ("app-tokens", "app-token"),
            ("Requests", "requests"),
            ("dataa", "data"),
        ] {
            assert_eq!(nearest(unknown.trim_start_matches("PRESENCE_")), meant, "{unknown}");
        }
    }
}
