//! Tests of the options that the command line accepts and rejects.

use crate::support::{ADELE, Server, TEAMS, program};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
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
fn without_options_it_prints_commands_to_paste() {
    let data = tempfile::TempDir::new().unwrap();
    let mut child =
        program().current_dir(data.path()).args(["--listen", "127.0.0.1:0"]).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap();
    assert!(address.contains("http://127.0.0.1:"), "{address}");
    let [set, read, follow] = [(); 3].map(|()| lines.next().unwrap().unwrap());
    let paste = |command: &str| {
        let output = Command::new("sh").args(["-c", command]).output().unwrap();
        let response = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(response.starts_with("HTTP/1.1 200 OK"), "{command}\n{response}");
        response
    };
    paste(&set);
    assert!(set.contains(ADELE) && paste(&read).contains(r#""activity":"InACall""#));
    let mut curl = Command::new("sh").args(["-c", &format!("exec {follow}")]).stdout(Stdio::piped()).spawn().unwrap();
    let mut events = BufReader::new(curl.stdout.take().unwrap()).lines();
    let mut wait_for = |text: &str| assert!(events.any(|line| line.unwrap().contains(text)), "{follow}: {text}");
    wait_for(r#""activity":"InACall""#);
    wait_for("up-to-date");
    paste(&set.replace("InACall", "InAConferenceCall"));
    wait_for(r#""activity":"InAConferenceCall""#);
    curl.kill().unwrap();
    curl.wait().unwrap();
    assert!(data.path().join("presence-data").is_dir(), "the data is stored");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Starts the program without a token, kills it, and returns the token that its first command has.
fn first_token(directory: &Path) -> String {
    let mut program = program();
    let program = program.current_dir(directory).args(["--listen", "127.0.0.1:0"]).stderr(Stdio::null());
    let mut child = program.spawn().unwrap();
    let command = BufReader::new(child.stdout.take().unwrap()).lines().nth(1).unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    command.split("Bearer ").nth(1).unwrap().split('\'').next().unwrap().to_owned()
}

#[test]
fn the_development_token_survives_a_restart_and_is_the_owners_alone() {
    let home = tempfile::TempDir::new().unwrap();
    let file = home.path().join("presence-data/dev-token");
    let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    let token = first_token(home.path());
    assert_eq!((fs::read_to_string(&file).unwrap().trim(), mode()), (token.as_str(), 0o600));
    assert_eq!(first_token(home.path()), token);
    // It is closed to others, like every file of the directory.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!((first_token(home.path()), mode()), (token.clone(), 0o600));
    // Without the file there is another, and one may be put there.
    fs::remove_file(&file).unwrap();
    let other = first_token(home.path());
    assert!(other != token && other.len() == 32, "{other}");
    fs::write(&file, "one-of-my-own\n").unwrap();
    assert_eq!(first_token(home.path()), "one-of-my-own");
    // What a kill has left while it was written does not count.
    fs::rename(&file, home.path().join("presence-data/dev-token.new")).unwrap();
    assert!(!["one-of-my-own", &other].contains(&first_token(home.path()).as_str()));
}

#[test]
fn a_development_token_that_others_could_have_put_there_is_refused() {
    let home = tempfile::TempDir::new().unwrap();
    first_token(home.path());
    let (file, elsewhere) = (home.path().join("presence-data/dev-token"), home.path().join("elsewhere"));
    let refused = || {
        let mut program = program();
        let output = program.current_dir(home.path()).args(["--listen", "127.0.0.1:0"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("presence-data/dev-token: "), "{text}");
        text
    };
    fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    assert!(refused().contains("symbolic link"));
    fs::remove_file(&file).unwrap();
    fs::hard_link(&elsewhere, &file).unwrap();
    assert!(refused().contains("second name"));
    fs::remove_file(&elsewhere).unwrap();
    for text in ["", "\n", "a b"] {
        fs::write(&file, text).unwrap();
        assert!(refused().contains("without the file the next start creates another token"));
    }
}

#[test]
fn the_kept_development_token_counts_only_without_others() {
    let own = tempfile::TempDir::new().unwrap();
    let data = own.path().join("presence-data");
    let token = first_token(own.path());
    let server = Server::start_on(&data, &[]);
    assert_eq!(server.get(&token, &format!("/v1.0/users/{ADELE}/presence")).status, 401);
    assert_eq!(server.get("dev", &format!("/v1.0/users/{ADELE}/presence")).status, 200);
}
