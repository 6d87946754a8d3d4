//! Tests of the options that the command line accepts and rejects.

use crate::support::{ADELE, TEAMS, program};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// Starts the program with options that it must reject, and returns its messages.
fn options_error(options: &[&str]) -> String {
    let data = tempfile::TempDir::new().unwrap();
    let mut child = program().current_dir(data.path()).args(options).spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{options:?}");
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "{options:?} leave nothing behind");
    text
}

#[test]
fn unsafe_combinations_of_options_are_rejected() {
    let off_loopback = ["--listen", "0.0.0.0:0"];
    let with = |more: &[&'static str]| [&off_loopback, more].concat();
    assert!(options_error(&with(&["--dev-token", "x"])).contains("loopback"));
    assert!(options_error(&with(&[])).contains("--app-token"));
    let guessable = [&format!("{}={TEAMS}", "x".repeat(19)), &format!("{}={TEAMS}/{ADELE}", "x".repeat(19))];
    for (option, grant) in ["--app-token", "--user-token"].into_iter().zip(guessable) {
        let long = format!("{}={TEAMS}", "y".repeat(20));
        let error = options_error(&["--listen", "0.0.0.0:0", "--app-token", &long, option, grant]);
        assert!(error.contains(&format!("{option}: a token has 20 characters at least")), "{error}");
        assert!(!error.contains("xxx"), "no token is told: {error}");
        // With the last character it goes as far as the next mistake, and on loopback there is no least length.
        for listen in [["0.0.0.0:0", &format!("x{grant}")], ["127.0.0.1:0", grant]] {
            let users = ["--user-name", &format!("a@b={ADELE}"), "--user-name", &format!("A@b={TEAMS}")];
            let error = options_error(&[&["--listen", listen[0], option, listen[1]], &users as &[_]].concat());
            assert!(error.contains("is given twice"), "{error}");
        }
    }
    assert!(options_error(&["--listen", "127.0.0.1:0", "--virtual-clock"]).contains("--dev-token"));
    let virtual_too = ["--dev-token", "x", "--virtual-clock", "--reset-clock"];
    assert!(options_error(&virtual_too).contains("cannot be used with"));
    let app = format!("x={TEAMS}");
    assert!(
        options_error(&["--listen", "127.0.0.1:0", "--virtual-clock", "--app-token", &app]).contains("--dev-token")
    );
    assert!(options_error(&["--listen", "127.0.0.1:0", "--dev-token", "x", "--app-token", &app]).contains("twice"));
}

#[test]
fn malformed_options_are_rejected() {
    for options in [
        ["--app-token", "x"],
        ["--app-token", "x=7"],
        ["--app-token", "x=22553876-f5ab-4529-bffb-cfe50aa89f87:Everything"],
        ["--user-token", "x=22553876-f5ab-4529-bffb-cfe50aa89f87"],
        ["--dev-token", ""],
        ["--policy", "office"],
        ["--app-policy", "22553876-f5ab-4529-bffb-cfe50aa89f87"],
        ["--app-policy", "22553876-f5ab-4529-bffb-cfe50aa89f87=office"],
        ["--app-policy", "7=mirror"],
        ["--users", "0"],
        ["--sessions", "0"],
        ["--sessions", "9"],
        ["--sessions", "128"],
        ["--listen", "8080"],
        ["--host", "presence.example:80"],
        ["--host", "http://presence.example"],
        ["--host", ""],
        ["--connections-per-address", "0"],
        ["--trusted-proxy", "proxy.example"],
        ["--trusted-proxy", "192.0.2.0/33"],
        ["--user-name", "adele"],
        ["--user-name", "adele@example.com=7"],
    ] {
        options_error(&options);
    }
}

#[test]
fn an_application_has_one_policy() {
    let own = [format!("{TEAMS}=desk"), format!("{}=mirror", TEAMS.to_uppercase())];
    let options = ["--listen", "127.0.0.1:0", "--app-policy", &own[0], "--app-policy", &own[1]];
    assert!(options_error(&options).contains(&format!("--app-policy {TEAMS} is given twice")));
}

#[test]
fn a_user_name_without_an_at_sign_is_rejected() {
    assert!(options_error(&["--listen", "127.0.0.1:0", "--user-name", &format!("adele={ADELE}")]).contains('@'));
}

#[test]
fn a_user_name_stands_for_one_user() {
    let (name, same) = (format!("Adele@example.com={ADELE}"), format!("adele@EXAMPLE.com={ADELE}"));
    for second in [same, format!("adele@example.com={TEAMS}")] {
        let options = ["--listen", "127.0.0.1:0", "--user-name", &name, "--user-name", &second];
        assert!(options_error(&options).contains("--user-name adele@example.com is given twice"));
    }
}

#[test]
fn a_taken_address_is_reported_before_any_data_is_touched() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = options_error(&["--listen", &address, "--dev-token", "x"]);
    assert!(error.contains(&format!("--listen {address}: Address already in use")), "{error}");
}

#[test]
fn without_options_it_prints_a_command_to_paste() {
    let data = tempfile::TempDir::new().unwrap();
    let mut child =
        program().current_dir(data.path()).args(["--listen", "127.0.0.1:0"]).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap();
    assert!(address.contains("http://127.0.0.1:"), "{address}");
    let pasted = lines.next().unwrap().unwrap();
    let output = Command::new("sh").args(["-c", &pasted]).output().unwrap();
    let response = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(response.starts_with("HTTP/1.1 200 OK"), "{pasted}\n{response}");
    assert!(pasted.contains(ADELE));
    assert!(data.path().join("presence-data").is_dir(), "the data is stored");
    child.kill().unwrap();
    child.wait().unwrap();
}
