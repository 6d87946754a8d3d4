//! Tests of backups as operators make and restore them.

use crate::support::{ADELE, BOB, Server, TEAMS, expect_start_error, program};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const OPERATOR: &str = "operator=22553876-f5ab-4529-bffb-cfe50aa89f87:Presence.Admin.All";
const OPTIONS: [&str; 3] = ["--virtual-clock", "--app-token", OPERATOR];

fn make(server: &Server) -> Value {
    let response = server.post_empty("operator", "/admin/backup");
    assert_eq!(response.status, 200, "{response:?}");
    let made = response.json();
    assert_eq!(made["state"], "complete");
    made
}

fn path(made: &Value) -> PathBuf {
    made["path"].as_str().unwrap().into()
}

/// Runs a command of the program. Returns whether it succeeded, and what it wrote to standard output and standard error.
fn run(arguments: &[&str]) -> (bool, String, String) {
    let output = program().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert!(matches!(output.status.code(), Some(0 | 2)), "{output:?}");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn restore(backup: &Path, data: &Path) -> Result<String, String> {
    let (is_done, out, messages) = run(&["restore", backup.to_str().unwrap(), "--data", data.to_str().unwrap()]);
    if is_done { Ok(out) } else { Err(messages) }
}

#[test]
fn only_operators_make_backups() {
    let server = Server::start_with(&OPTIONS);
    for (token, status) in [("unknown", 401), ("teams", 403), ("adele", 403)] {
        assert_eq!(server.post_empty(token, "/admin/backup").status, status, "{token}");
        assert_eq!(server.get(token, "/admin/backup").status, status, "{token}");
    }
    assert_eq!(server.get("operator", "/admin/backup").json(), json!({"state": "none"}));
    assert!(!server.data().join("backups").exists());
    let made = make(&server);
    assert_eq!(server.get("dev", "/admin/backup").json(), made);
    assert_eq!(path(&made).parent(), Some(server.data().join("backups").canonicalize().unwrap().as_path()));
    let response = server.send("DELETE", "/admin/backup", &[("authorization", "Bearer operator")], b"");
    assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD, POST")));
}

#[test]
fn the_commands_make_a_backup_and_data_of_it() {
    let own = TempDir::new().unwrap();
    let at = |name: &str| own.path().join(name);
    let backups = at("backups");
    let options = [&OPTIONS[..], &["--backup-dir", backups.to_str().unwrap()]].concat();
    let server = Server::start_on(&at("data"), &options);
    server.set(ADELE, TEAMS, "InACall", "PT1H");
    let before = server.presence(ADELE);
    let token = at("token");
    fs::write(&token, "operator\n").unwrap();
    let address = server.base.strip_prefix("http://").unwrap().to_owned();
    let command = ["backup", "--server", &address, "--token-file", token.to_str().unwrap()];
    let (is_done, out, messages) = run(&command);
    assert!(is_done, "{messages}");
    let backup = PathBuf::from(out.trim());
    assert_eq!(backup.parent(), Some(backups.canonicalize().unwrap().as_path()));
    // What comes later is not in it.
    server.set(ADELE, TEAMS, "Away", "PT1H");
    server.set(BOB, TEAMS, "Away", "PT1H");
    let messages = restore(&backup, &at("restored")).unwrap();
    assert!(messages.contains("1 user"), "{messages}");
    let restored = Server::start_on(&at("restored"), &options[..3]);
    assert_eq!(restored.presence(ADELE), before);
    assert_eq!(restored.activity(BOB).0, "Offline");
    // An earlier backup brings back who was erased since.
    assert_eq!(
        server.send("DELETE", &format!("/admin/users/{ADELE}"), &[("authorization", "Bearer operator")], b"").status,
        204
    );
    restore(&backup, &at("again")).unwrap();
    assert_eq!(Server::start_on(&at("again"), &options[..3]).presence(ADELE), before);
    drop(server);
    let (is_done, out, messages) = run(&command);
    assert!(!is_done && out.is_empty() && messages.contains(&address), "{messages}");
}

#[test]
fn the_command_says_what_is_wrong() {
    let server = Server::start_with(&OPTIONS);
    let own = TempDir::new().unwrap();
    let token = own.path().join("token");
    let token = token.to_str().unwrap();
    let address = server.base.strip_prefix("http://").unwrap();
    let back_up = |token: &str| run(&["backup", "--server", address, "--token-file", token]);
    assert!(back_up(token).2.contains(token));
    for (content, message) in [("unknown", "not known"), ("teams", "permission"), ("operator", "")] {
        fs::write(token, content).unwrap();
        let (is_done, _, messages) = back_up(token);
        assert_eq!(is_done, content == "operator", "{messages}");
        assert!(messages.to_lowercase().contains(message), "{messages}");
    }
    // Others may write the directory of backups.
    fs::set_permissions(server.data().join("backups"), fs::Permissions::from_mode(0o777)).unwrap();
    let (is_done, _, messages) = back_up(token);
    assert!(!is_done && messages.contains("other users may write"), "{messages}");
    assert_eq!(server.post_empty("operator", "/admin/backup").error(), "ServiceUnavailable");
    assert_eq!(server.get("operator", "/admin/backup").json()["state"], "failed");
    assert_eq!(server.activity(ADELE).0, "Offline", "the server goes on");
}

#[test]
fn what_an_interrupted_backup_has_left_is_removed_by_a_start() {
    let server = Server::start_with(&OPTIONS);
    let backup = path(&make(&server));
    let part = backup.with_file_name("2026-01-01T00-00-00-000Z.partial");
    fs::create_dir(&part).unwrap();
    fs::copy(backup.join("shards"), part.join("shards")).unwrap();
    let own = TempDir::new().unwrap();
    let messages = restore(&part, &own.path().join("data")).unwrap_err();
    assert!(messages.contains("backup.json") && messages.contains("not complete"), "{messages}");
    let server = server.kill_and_restart(&OPTIONS);
    assert!(!part.exists() && backup.exists());
    // The mark of an interrupted restore keeps a server from starting.
    let data = own.path().join("other");
    restore(&backup, &data).unwrap();
    fs::write(data.join("restoring"), "").unwrap();
    assert!(expect_start_error(&data, "1000").contains("restore it again"));
    assert!(restore(&backup, server.data()).unwrap_err().contains("another server is using"));
    restore(&backup, &data).unwrap();
    assert!(restore(&backup, &data).unwrap_err().contains("not overwritten"));
}
