//! Tests of starts with fewer cores or a smaller `--users` than what is stored needs: none is refused.

use crate::support::{Server, TEAMS, numbered, on_one_core, program};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const OPTIONS: [&str; 3] = ["--virtual-clock", "--users", "5000"];

/// Fills a server on all cores, and kills it. Returns the users it has taken, and what it shows of them.
fn fill(data: &Path) -> (Vec<String>, Vec<Value>) {
    let mut server = Server::start_on(data, &OPTIONS);
    let everybody: Vec<_> = (0..6500).map(numbered).collect();
    let users = server.try_set_all(&everybody, "InACall");
    assert_eq!(users.len(), 5000, "the limit is exact over all shards");
    let shown = server.presences(&users);
    assert!(shown.iter().all(|presence| presence["activity"] == "InACall"));
    server.kill();
    (users, shown)
}

/// Starts the program, kills it once it is ready, and returns what it has logged.
fn log_of_start(mut command: Command, data: &Path, users: &str) -> String {
    let options = ["--listen", "127.0.0.1:0", "--virtual-clock", "--dev-token", "dev", "--users", users, "--data"];
    let mut child = command.args(options).arg(data).spawn().unwrap();
    let is_ready = BufReader::new(child.stdout.take().unwrap()).lines().next().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(is_ready, "{log}");
    log
}

#[test]
fn a_full_server_starts_with_fewer_cores_and_with_fewer_users() {
    let own = TempDir::new().unwrap();
    let (users, shown) = fill(own.path());
    let few = ["--virtual-clock", "--users", "1"];
    let starts: [&dyn Fn() -> Server; 4] = [
        &|| Server::start_on_one_core(own.path(), &OPTIONS),
        &|| Server::start_on(own.path(), &OPTIONS),
        &|| Server::start_on(own.path(), &few),
        &|| Server::start_on(own.path(), &OPTIONS),
    ];
    for (number, start) in starts.iter().enumerate() {
        let mut server = start();
        assert_eq!(server.presences(&users), shown, "start {number}");
        // Those who are stored go on, and others are limited as before.
        assert_eq!(server.set(&users[0], TEAMS, "InACall", "PT4H").status, 200);
        if number == 2 {
            assert_eq!(server.set(&numbered(7000), TEAMS, "InACall", "PT5M").status, 507);
        }
        server.kill();
    }
}

#[test]
fn a_start_without_room_for_other_shards_serves_those_that_are_there() {
    let own = TempDir::new().unwrap();
    let mut server = Server::start_on(own.path(), &OPTIONS);
    let users: Vec<_> = (0..400).map(numbered).collect();
    server.set_all(&users, "InACall");
    let shown = server.presences(&users);
    server.kill();
    let few = ["--virtual-clock", "--users", "500"];
    // Another server then moves them.
    for (blocks, written) in [(16, 503), (1 << 20, 200)] {
        let mut server = Server::start_on_full_disk(blocks, own.path(), &few);
        assert_eq!(server.presences(&users), shown);
        assert_eq!(server.set(&users[0], TEAMS, "InACall", "PT4H").status, written);
        server.kill();
    }
    assert_eq!(std::fs::read_to_string(own.path().join("shards")).unwrap(), "1\n");
}

/// Data of the server before it had keys, with what it showed then: of users with sessions and texts, of idle and of erased ones.
#[test]
fn data_of_the_server_before_keys_is_served_as_it_was() {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/unkeyed");
    let expected = std::fs::read_to_string(stored.join("shown.json")).unwrap();
    let expected: BTreeMap<String, Vec<Value>> = serde_json::from_str(&expected).unwrap();
    let own = TempDir::new().unwrap();
    let copied = own.path().join("data");
    std::fs::create_dir(&copied).unwrap();
    for name in ["shards", "journal-2-0.sqlite", "journal-2-1.sqlite"] {
        std::fs::copy(stored.join(name), copied.join(name)).unwrap();
    }
    // With a single slot, idle users are forgotten.
    let is_idle = |shown: &[Value]| shown.len() < 3;
    for users in ["5000", "100", "5000", "1"] {
        let mut server = Server::start_on(&copied, &["--virtual-clock", "--users", users]);
        let mut listed = BTreeMap::new();
        for user in server.get("dev", "/admin/users?$top=999").json()["value"].as_array().unwrap() {
            listed.insert(user["id"].as_str().unwrap().to_owned(), user.clone());
        }
        for (user, expected) in expected.iter().filter(|(_, shown)| users != "1" || !is_idle(shown)) {
            let explained = server.get("dev", &format!("/v1.0/users/{user}/presence/explain")).json();
            let mut shown = vec![server.presence(user), explained];
            shown.extend(listed.remove(user));
            assert_eq!(&shown, expected, "--users {users}");
        }
        assert!(listed.is_empty(), "{listed:?}");
        server.kill();
    }
    // Numbers of those who were forgotten are not used again.
    let server = Server::start_on(&copied, &OPTIONS);
    for (user, shown) in expected.iter().filter(|(_, shown)| is_idle(shown)) {
        assert_eq!(server.set(user, TEAMS, "InACall", "PT5M").status, 200);
        assert!(server.activity(user).1.as_str() > shown[0]["sequenceNumber"].as_str().unwrap_or_default(), "{user}");
    }
}

/// The key with which users are spread over shards is in a file of the owner's, and in nothing that the server tells.
#[test]
fn the_key_of_the_shards_is_told_to_nobody() {
    let own = TempDir::new().unwrap();
    let path = own.path().join("data");
    let mut server = Server::start_on(&path, &OPTIONS);
    server.set(&numbered(1), TEAMS, "InACall", "PT4H");
    let stored = std::fs::read_to_string(path.join("shards")).unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    // A single shard needs none.
    assert_eq!(stored.trim().len(), if cores > 1 { cores.min(64).to_string().len() + 33 } else { 1 }, "{stored}");
    let key = stored.split_once(' ').map_or("no key", |(_, key)| key.trim());
    assert_eq!(std::fs::metadata(path.join("shards")).unwrap().permissions().mode() & 0o777, 0o600);
    let metrics = server.get("dev", "/metrics");
    assert!(metrics.status == 200 && !metrics.text.contains(key));
    server.kill();
    let mut logging = on_one_core();
    logging.env("RUST_LOG", "trace");
    let log = log_of_start(logging, &path, "5000");
    assert!(log.contains("moving the users of") || cores == 1, "{log}");
    assert!(!log.contains(key), "{log}");
    assert_eq!(std::fs::read_to_string(path.join("shards")).unwrap(), "1\n", "one shard needs no key");
}

#[test]
fn a_start_beyond_the_limit_tells_both_numbers() {
    let own = TempDir::new().unwrap();
    let mut server = Server::start_on(own.path(), &["--virtual-clock", "--users", "12"]);
    let users: Vec<_> = (0..12).map(numbered).collect();
    server.set_all(&users, "InACall");
    server.kill();
    let log = log_of_start(program(), own.path(), "9");
    assert!(log.contains("12 users are stored") && log.contains("the 9 of --users"), "{log}");
    assert!(!log_of_start(program(), own.path(), "12").contains("are stored"));
    // New users are limited as asked, until fewer are stored.
    let server = Server::start_on(own.path(), &["--virtual-clock", "--users", "9"]);
    for (number, user) in users.iter().enumerate().take(4) {
        assert_eq!(server.set(&numbered(100), TEAMS, "InACall", "PT4H").status, 507, "{number} have left");
        let path = format!("/v1.0/users/{user}/presence/clearPresence");
        assert_eq!(server.post("dev", &path, &json!({"sessionId": TEAMS})).status, 200);
    }
    assert_eq!(server.set(&numbered(100), TEAMS, "InACall", "PT4H").status, 200);
    assert_eq!(server.set(&numbered(101), TEAMS, "InACall", "PT4H").status, 507);
}

#[test]
fn a_kill_while_users_are_moved_to_other_shards_loses_nothing() {
    let own = TempDir::new().unwrap();
    let (users, shown) = fill(own.path());
    let options = ["--listen", "127.0.0.1:0", "--virtual-clock", "--dev-token", "dev", "--users", "1", "--data"];
    // The move has begun once there is the journal; each kill comes a little later.
    for delay in [0, 3, 10, 30, 60, 100] {
        let mut child = on_one_core().args(options).arg(own.path()).spawn().unwrap();
        let began = Instant::now();
        while !own.path().join("journal-1-0.sqlite").exists() {
            assert!(began.elapsed() < Duration::from_secs(20), "it moves nothing");
        }
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let server = Server::start_on(own.path(), &OPTIONS);
    assert_eq!(server.presences(&users), shown);
}
