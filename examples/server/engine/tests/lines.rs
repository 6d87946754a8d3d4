//! Plays the example `lines` as its documentation says: it is killed, and goes on where it was.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const USER: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "33333333-3333-4333-8333-333333333333";
const SESSION: &str = "22222222-2222-4222-8222-222222222222";

/// The example, which `cargo test` builds beside the tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().and_then(Path::parent).unwrap().join("examples/lines");
    assert!(path.exists(), "{}: missing; `cargo test` without --test builds it", path.display());
    path
}

struct Running {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn start(directory: &Path) -> Self {
        let mut command = Command::new(program());
        let command = command.arg(directory).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, input, output: BufReader::new(output) }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Sends a line, and returns the response.
    fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").unwrap();
        self.line()
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Ends the input, and waits until the program has ended by itself.
    fn end(self) {
        let Self { mut process, input, .. } = self;
        drop(input);
        assert!(process.wait().unwrap().success());
    }
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let own = tempfile::TempDir::new().unwrap();
    let mut running = Running::start(own.path());
    assert_eq!(running.ask(&format!("read {USER}")), format!("{USER} Offline/Offline version 0"));
    assert_eq!(running.ask(&format!("set {USER} {SESSION} InACall PT1H")), "ok");
    assert_eq!(running.ask(&format!("set {OTHER} {SESSION} Away")), "ok");
    running.kill();
    let mut running = Running::start(own.path());
    assert_eq!(running.ask(&format!("read {USER}")), format!("{USER} Busy/InACall version 1"));
    assert_eq!(running.ask(&format!("clear {USER} {SESSION}")), "ok");
    running.end();
    let mut running = Running::start(own.path());
    assert_eq!(running.ask(&format!("read {USER}")), format!("{USER} Offline/Offline version 2"));
    assert_eq!(running.ask(&format!("read {OTHER}")), format!("{OTHER} Away/Away version 1"));
    running.end();
}

#[test]
fn changes_are_followed() {
    let own = tempfile::TempDir::new().unwrap();
    let mut running = Running::start(own.path());
    assert_eq!(running.ask(&format!("set {USER} {SESSION} InACall")), "ok");
    writeln!(running.input, "follow").unwrap();
    // The response may come after the first events.
    let mut seen: Vec<_> = (0..4).map(|_| running.line()).collect();
    seen.retain(|line| line != "following");
    assert_eq!(
        seen,
        ["* start over".to_owned(), format!("* {USER} Busy/InACall version 1"), "* up to date".to_owned()]
    );
    writeln!(running.input, "set {OTHER} {SESSION} Away").unwrap();
    let mut seen = [running.line(), running.line()];
    seen.sort();
    assert_eq!(seen, [format!("* {OTHER} Away/Away version 1"), "ok".to_owned()]);
    running.end();
}

#[test]
fn wrong_lines_change_nothing() {
    let own = tempfile::TempDir::new().unwrap();
    let mut running = Running::start(own.path());
    for line in
        ["", "sit", "set", &format!("set {USER} {SESSION} Bussy"), &format!("set {USER} {SESSION} InACall PT1H x")]
    {
        assert!(running.ask(line).starts_with("error: "), "{line}");
    }
    assert!(running.ask(&format!("clear {USER} {SESSION}")).starts_with("error: "), "there is no such session");
    assert!(
        running.ask(&format!("set {USER} {SESSION} InACall PT1M")).starts_with("error: "),
        "Graph allows five minutes"
    );
    assert_eq!(running.ask(&format!("read {USER}")), format!("{USER} Offline/Offline version 0"));
    running.end();
}
