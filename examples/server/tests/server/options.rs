//! What the command line takes, and what it refuses.

use crate::support::{ADELE, TEAMS, program};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// Starts the program, which must refuse, and returns what it says.
fn refused(options: &[&str]) -> String {
    let data = tempfile::TempDir::new().unwrap();
    let mut child = program().current_dir(data.path()).args(options).spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{options:?}");
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "{options:?} leave nothing behind");
    text
}

#[test]
fn options_that_would_be_a_hole_are_refused() {
    let off_loopback = ["--listen", "0.0.0.0:0"];
    let with = |more: &[&'static str]| [&off_loopback, more].concat();
    assert!(refused(&with(&["--dev-token", "x"])).contains("loopback"));
    assert!(refused(&with(&[])).contains("--app-token"));
    assert!(refused(&["--listen", "127.0.0.1:0", "--virtual-clock"]).contains("--dev-token"));
    let app = format!("x={TEAMS}");
    assert!(refused(&["--listen", "127.0.0.1:0", "--virtual-clock", "--app-token", &app]).contains("--dev-token"));
    assert!(refused(&["--listen", "127.0.0.1:0", "--dev-token", "x", "--app-token", &app]).contains("twice"));
}

#[test]
fn options_that_mean_nothing_are_refused() {
    for options in [
        ["--app-token", "x"],
        ["--app-token", "x=7"],
        ["--app-token", "x=22553876-f5ab-4529-bffb-cfe50aa89f87:Everything"],
        ["--user-token", "x=22553876-f5ab-4529-bffb-cfe50aa89f87"],
        ["--dev-token", ""],
        ["--users", "0"],
        ["--listen", "8080"],
        ["--user-name", "adele"],
        ["--user-name", "adele@example.com=7"],
    ] {
        refused(&options);
    }
}

#[test]
fn a_name_that_no_path_could_hold_is_refused() {
    assert!(refused(&["--listen", "127.0.0.1:0", "--user-name", &format!("adele={ADELE}")]).contains('@'));
}

#[test]
fn an_address_that_is_taken_is_told_before_anything_is_touched() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(refused(&["--listen", &address, "--dev-token", "x"]).to_lowercase().contains("in use"));
}

#[test]
fn without_options_it_prints_a_line_that_can_be_pasted() {
    let data = tempfile::TempDir::new().unwrap();
    let mut child =
        program().current_dir(data.path()).args(["--listen", "127.0.0.1:0"]).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap();
    assert!(address.contains("http://127.0.0.1:"), "{address}");
    let pasted = lines.next().unwrap().unwrap();
    let output = Command::new("sh").args(["-c", &pasted]).output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{pasted}\n{answer}");
    assert!(pasted.contains(ADELE));
    assert!(data.path().join("presence-data").is_dir(), "what it was told outlives it");
    child.kill().unwrap();
    child.wait().unwrap();
}
