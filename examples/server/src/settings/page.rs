//! The page of all settings, generated from their definitions.

use super::definitions::{self, Kind};
use super::environment::variable;
use clap::Arg;

/// Where the README says more about a setting.
const MORE: [(&str, &str); 17] = [
    ("listen", "unix-socket"),
    ("host", "who-is-let-in"),
    ("data", "data-directory"),
    ("app-token", "permissions"),
    ("policy", "policies"),
    ("reset-clock", "clocks"),
    ("users", "shards"),
    ("users-per-application", "users-of-an-application"),
    ("requests", "shares"),
    ("application-rate", "rates"),
    ("connections", "connections"),
    ("heartbeat", "following-changes"),
    ("open", "who-is-let-in"),
    ("access-log", "logs"),
    ("audit-log", "logs"),
    ("drain-seconds", "probes"),
    ("otlp-endpoint", "traces"),
];

const HEAD: &str = "# Settings of the server

Generated from their definitions in [src/options.rs](src/options.rs) by `presence-server settings`; a test keeps it up to date.

A setting is given by an option, by a variable of the environment, or in the [TOML](https://toml.io) file that `--config` names,
under the same name. The option comes first, then the variable, then the file, then the default. Where a setting has several
values, the first of these that gives any gives all of them. In a file a list is written `[\"…\", \"…\"]`; in a variable its values
are separated by white space, and an empty variable counts as unset. `presence-server check-config`, with the options of a
start, says whether the settings are right, what is effective, and what has given it. [The README](README.md#configuration) has an
example.

On SIGHUP a running server reads the file and the files of tokens anew. The settings below say whether it takes a new value then,
or names it in the log and needs a restart.
";

/// Returns the page, in Markdown.
pub fn page() -> String {
    let settings = definitions::all().filter(|arg| !arg.is_hide_set());
    HEAD.to_owned() + &settings.map(|arg| section(&arg)).collect::<String>()
}

fn section(arg: &Arg) -> String {
    let key = definitions::key(arg);
    let value = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    let default = match (definitions::default_text(arg), definitions::kind(arg)) {
        (Some(text), _) if arg.get_default_values().is_empty() => text,
        (Some(text), _) => format!("`{text}`"),
        (None, _) => "none".to_owned(),
    };
    let option = match definitions::kind(arg) {
        Kind::Flag => format!("`--{key}` or `--{key}=false`"),
        _ => format!("`--{key} {value}`"),
    };
    let file = match definitions::kind(arg) {
        _ if key == definitions::CONFIG => "not in a file".to_owned(),
        Kind::Flag => format!("`{key} = true`"),
        Kind::List => format!("`{key} = [\"{value}\"]`"),
        Kind::Value => format!("`{key} = …`"),
    };
    let reload = if definitions::can_reload(&key) { "is taken on SIGHUP" } else { "needs a restart" };
    let more = MORE.iter().find(|(known, _)| *known == key);
    let more = more.map_or(String::new(), |(_, anchor)| format!(" [More](README.md#{anchor})."));
    let variable = variable(&key);
    let (what, why) = texts(arg);
    format!(
        "\n## {key}\n\n{what}.\n\n{why}{more}\n\n{option}, `{variable}`, {file}. Default: {default}. A new value {reload}.\n"
    )
}

/// Returns what a setting means, and why it is so.
pub fn texts(arg: &Arg) -> (String, String) {
    let what = definitions::help_text(arg.get_help());
    let long = arg.get_long_help().map(ToString::to_string).unwrap_or_default();
    let why = long.split_once("\n\n").map_or(String::new(), |(_, why)| why.trim().to_owned());
    (what, why)
}
