//! Tests of the layers of settings: what is read from where, and what comes first.

use super::*;
use crate::options::Cli;
use clap::CommandFactory;
use proptest::prelude::*;
use std::path::Path;

fn inputs(line: &[&str], variables: &[(&str, &str)]) -> Result<Inputs, SettingError> {
    let line = Cli::command().try_get_matches_from(["presence-server"].iter().chain(line)).unwrap();
    Inputs::new(&line, variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
}

/// Returns what is wrong with the text of a file.
fn file_error(text: &str) -> String {
    file::parse(Path::new("server.toml"), text).unwrap_err().to_string()
}

fn variable_error(name: &str, value: &str) -> String {
    inputs(&[], &[(name, value)]).unwrap_err().to_string()
}

#[test]
fn a_mistake_in_a_file_is_told_with_its_line_and_what_was_meant() {
    for (text, expected) in [
        ("users = 5\nuser = 7", "server.toml:2: \"user\" is no setting; the nearest is \"users\""),
        ("# x\n\n[limits]\nusers = 5", "server.toml:3: \"limits\" is no setting; the nearest is \"listen\""),
        ("users = 0", "server.toml:1: users: \"0\": 0 is not in 1..=20000000"),
        ("users = -1", "server.toml:1: users: \"-1\": -1 is not in 1..=20000000"),
        ("users = 1.5", "server.toml:1: users: expected a text or a number"),
        ("users = [5]", "server.toml:1: users: expected a text or a number"),
        (
            "\nlisten = \"8080\"",
            "server.toml:2: listen: \"8080\": expected ADDR:PORT, localhost:PORT, unix:PATH or systemd",
        ),
        ("policy = \"office\"", "server.toml:1: policy: \"office\": expected one of graph, desk, mirror"),
        ("virtual-clock = \"yes\"", "server.toml:1: virtual-clock: expected true or false"),
        ("host = \"x\"", "server.toml:1: host: expected a list: host = [\"…\", \"…\"]"),
        (
            "host = [\"x\",\n \"y:80\"]",
            "server.toml:2: host: \"y:80\": expected a name or an address as it stands in Host, without a port",
        ),
        ("host = [\"x\", true]", "server.toml:1: host: expected a text or a number"),
        ("app-token = [\"secret=7\"]", "server.toml:1: app-token: the application id is no GUID"),
        ("config = \"x\"", "server.toml:1: \"config\" names the file, and cannot stand in it"),
        // Of several mistakes, the first.
        ("zebra = 1\nalpha = 1", "server.toml:1: \"zebra\" is no setting; the nearest is \"heartbeat\""),
    ] {
        assert_eq!(file_error(text), expected);
    }
    for (text, line) in [("users = 5\nusers = 7", 2), ("users =", 1), ("a\n", 1), ("\n\nlisten = \"", 3)] {
        let error = file_error(text);
        assert!(error.starts_with(&format!("server.toml:{line}: ")) && !error.contains('\n'), "{text}: {error}");
    }
}

#[test]
fn a_mistake_in_a_variable_is_told_with_its_name() {
    assert_eq!(variable_error("PRESENCE_USERS", "0"), "PRESENCE_USERS: \"0\": 0 is not in 1..=20000000");
    let error = variable_error("PRESENCE_DEV_TOKEN", "fine sécret");
    assert_eq!(error, "PRESENCE_DEV_TOKEN: a token is one or more visible ASCII characters");
    assert!(variable_error("RUST_LOG", "x=y=z").starts_with("RUST_LOG: "));
    let unknown = inputs(&[], &[("PRESENCE_USER", "7"), ("PRESENCE_users", "7"), ("PRESENCE", "7")]).unwrap();
    let nearest = |name| format!("the variable {name} is no setting, and does nothing; the nearest is PRESENCE_USERS");
    assert_eq!(unknown.unknown_variables(), [nearest("PRESENCE_USER"), nearest("PRESENCE_users")]);
    assert!(unknown.read().is_ok(), "others may set such variables");
}

#[test]
fn an_error_of_the_command_line_shows_no_token() {
    for option in ["--app-token", "--user-token"] {
        for line in [vec![format!("{option}=secret=7")], vec![option.to_owned(), "secret=7".to_owned()]] {
            let line = ["presence-server".to_owned()].into_iter().chain(line);
            let mut error = Cli::command().try_get_matches_from(line).unwrap_err();
            assert!(error.to_string().contains("secret"), "it has something to hide");
            hide_secrets(&mut error);
            let text = error.to_string();
            assert!(text.contains(option) && text.contains("no GUID") || text.contains("expected"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
    let mut error = Cli::command().try_get_matches_from(["presence-server", "--users=secret"]).unwrap_err();
    hide_secrets(&mut error);
    assert!(error.to_string().contains("secret"), "what is no token is shown");
}

/// Returns the layers in which a setting of this name is given, the one that counts first.
fn layered(key: &str, layers: [Option<&str>; 3]) -> (Settings, Option<Source>) {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("server.toml");
    let [line, environment, file] = layers;
    std::fs::write(&path, file.map_or(String::new(), |value| format!("\n{key} = {value}\n"))).unwrap();
    let mut options = vec![format!("--config={}", path.display())];
    options.extend(line.map(|value| format!("--{key}={value}")));
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let name = environment::variable(key);
    let variables: Vec<_> = environment.map(|value| (name.as_str(), value)).into_iter().collect();
    let settings = inputs(&options, &variables).unwrap().read().unwrap();
    let source = settings.source(key, 0).cloned();
    (
        settings,
        source.map(|source| if let Source::File(_, line) = source { Source::File("".into(), line) } else { source }),
    )
}

proptest! {
    /// Against the rule, naively: the first layer that has a value counts, and the default if none has.
    #[test]
    fn the_first_layer_that_has_a_value_counts(values in proptest::array::uniform3(proptest::option::of(1u32..1000))) {
        let texts = values.map(|value| value.map(|value| value.to_string()));
        let [line, environment, file] = [0, 1, 2].map(|index| texts[index].as_deref());
        let (settings, source) = layered("users", [line, environment, file]);
        let expected = values.iter().flatten().next().copied();
        prop_assert_eq!(settings.options.users, expected.unwrap_or(100_000));
        prop_assert_eq!(source, match (line, environment, file) {
            (Some(_), _, _) => Some(Source::Option),
            (None, Some(_), _) => Some(Source::Variable("PRESENCE_USERS".to_owned())),
            (None, None, Some(_)) => Some(Source::File("".into(), 2)),
            (None, None, None) => None,
        });
    }
}

#[test]
fn a_list_and_a_flag_come_from_the_first_layer_that_has_them() {
    let hosts = |layers| layered("host", layers).0.options.host.len();
    assert_eq!(hosts([None, None, Some("[\"a\", \"b\", \"c\"]")]), 3);
    assert_eq!(hosts([None, Some(" a  b "), Some("[\"a\", \"b\", \"c\"]")]), 2);
    assert_eq!(hosts([Some("a"), Some("a b"), Some("[\"a\", \"b\", \"c\"]")]), 1);
    assert_eq!(hosts([None, Some(""), Some("[\"a\", \"b\", \"c\"]")]), 3, "an empty variable is none");
    assert_eq!(hosts([None, None, Some("[]")]), 0);
    let is_virtual = |layers| layered("virtual-clock", layers).0.options.virtual_clock;
    assert!(is_virtual([None, None, Some("true")]) && is_virtual([None, Some("true"), Some("false")]));
    assert!(!is_virtual([Some("false"), Some("true"), Some("true")]));
    assert!(inputs(&["--virtual-clock"], &[]).unwrap().read().unwrap().options.virtual_clock);
    let logged = |own: &str| inputs(&[], &[("PRESENCE_LOG", own), ("RUST_LOG", "warn")]).unwrap().read().unwrap();
    let log = |settings: &Settings| settings.source("log", 0).unwrap().to_string();
    assert_eq!([log(&logged("debug")), log(&logged(""))], ["PRESENCE_LOG", "RUST_LOG"]);
}

#[test]
fn the_page_of_settings_is_up_to_date() {
    let page = page::page();
    let stored = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/settings.md")).unwrap();
    assert!(page == stored, "settings.md is out of date: presence-server settings > settings.md");
    for arg in definitions::all().filter(|arg| !arg.is_hide_set()) {
        let key = definitions::key(&arg);
        let (_, why) = page::texts(&arg);
        assert!(!why.is_empty(), "{key} has no reason: a second paragraph of its comment");
        assert!(page.contains(&format!("\n## {key}\n")), "{key}");
    }
}
