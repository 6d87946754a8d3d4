//! Tests that acknowledged changes survive the process exactly, whatever ends it.

use crate::changes::Reader;
use crate::support::{ADELE, BOB, OTHER, Server, TEAMS, numbered, program};
use serde_json::json;
use std::fs;
use std::io::Read;
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

#[test]
fn after_a_kill_deadlines_and_versions_are_exactly_what_they_were() {
    // Two servers execute the same steps. One is killed after every step.
    let steady = Server::start();
    let mut killed = Server::start();
    let own_kill = killed.keep();
    let users = [ADELE, BOB];
    let steps: [&dyn Fn(&Server); 9] = [
        &|server| assert_eq!(server.set(ADELE, TEAMS, "Available", "PT1H").status, 200),
        &|server| assert_eq!(server.set(ADELE, OTHER, "InACall", "PT7M").status, 200),
        &|server| server.advance(299),
        &|server| server.advance(1),
        &|server| {
            let preferred = json!({"availability": "Busy", "activity": "Busy", "expirationDuration": "PT10M"});
            let path = format!("/v1.0/users/{BOB}/presence/setUserPreferredPresence");
            assert_eq!(server.post("dev", &path, &preferred).status, 200);
        },
        &|server| server.advance(121),
        &|server| assert_eq!(server.set(BOB, TEAMS, "Away", "PT4H").status, 200),
        &|server| server.advance(600),
        &|server| server.advance(4 * 3600),
    ];
    for (number, step) in steps.iter().enumerate() {
        step(&steady);
        step(&killed);
        let data = killed.data().to_owned();
        killed.kill();
        killed = Server::start_on(&data, &["--virtual-clock"]);
        for user in users {
            assert_eq!(killed.activity(user), steady.activity(user), "after step {number}");
        }
    }
    drop(own_kill);
}

#[test]
fn a_virtual_clock_resumes_where_it_stood() {
    let server = Server::start();
    let now = |server: &Server| server.post_empty("dev", "/dev/advance?seconds=0").json()["now"].clone();
    let began = now(&server);
    server.advance(86_400);
    let then = now(&server);
    assert_ne!(began, then);
    let server = server.kill_and_restart(&["--virtual-clock"]);
    assert_eq!(now(&server), then);
}

/// Sets users of several clients until the disk is full. Returns those whose change was acknowledged.
fn fill_disk(server: &Server) -> Vec<String> {
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                for number in 0..20_000 {
                    let user = numbered(thread * 20_000 + number);
                    let response = server.set(&user, TEAMS, "InACall", "PT4H");
                    match response.status {
                        200 => acknowledged.lock().unwrap().push(user),
                        503 => {
                            assert_eq!(response.error(), "ServiceUnavailable");
                            let seconds: u8 = response.header("retry-after").unwrap().parse().unwrap();
                            assert!((10..15).contains(&seconds), "{seconds}");
                            assert_eq!(server.activity(&user).0, "Offline", "nothing of it was carried out");
                            return;
                        }
                        status => panic!("{status} from a server with a full disk"),
                    }
                }
                panic!("the disk has room for everything");
            });
        }
    });
    acknowledged.into_inner().unwrap()
}

#[test]
fn a_full_disk_refuses_changes_and_serves_reads_until_it_has_room() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    // One shard and few users, so that every change of theirs is seen.
    let options = ["--virtual-clock", "--users", "4000"];
    let mut server = Server::start_on_full_disk(256, &data, &options);
    let mut feed = Reader::open(&server, None, None);
    let acknowledged = fill_disk(&server);
    assert!(acknowledged.len() > 4, "{}", acknowledged.len());
    let assert_served = |server: &Server| {
        for user in &acknowledged {
            assert_eq!(server.activity(user), ("InACall".to_owned(), "A0000000001".to_owned()));
        }
    };
    assert_served(&server);
    let first = &acknowledged[0];
    assert_eq!(server.set(first, TEAMS, "Away", "PT4H").status, 503);
    let message = json!({"statusMessage": {"message": {"content": "here", "contentType": "text"}}});
    assert_eq!(server.post("dev", &format!("/v1.0/users/{first}/presence/setStatusMessage"), &message).status, 503);
    let batch = json!({"requests": [
        {"id": "read", "method": "GET", "url": format!("/users/{first}/presence")},
        {"id": "write", "method": "POST", "url": format!("/users/{first}/presence/clearPresence"),
            "headers": {"content-type": "application/json"}, "body": {"sessionId": TEAMS}}]});
    let batch = server.post("dev", "/v1.0/$batch", &batch).json();
    assert_eq!((&batch["responses"][0]["status"], &batch["responses"][1]["status"]), (&json!(200), &json!(503)));
    assert!(batch["responses"][1]["headers"]["Retry-After"].is_string());
    assert_eq!(server.metric("presence_disk_full"), 1.0);
    assert_served(&server);
    // Room comes, and changes go on without a restart.
    server.remove_size_limit();
    while server.metric("presence_disk_full") > 0.0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_served(&server);
    assert_eq!(server.set(first, TEAMS, "Away", "PT4H").status, 200);
    // A reader of changes has seen nothing but what was acknowledged.
    loop {
        let event = feed.next();
        if event.name == "presence" {
            assert!(acknowledged.iter().any(|user| user == event.user()), "{event:?}");
            if (event.user(), event.activity()) == (first, "Away") {
                break;
            }
            assert_eq!(event.activity(), "InACall");
        }
    }
    server.kill();
    let server = Server::start_on(&data, &options);
    assert_eq!(server.activity(first), ("Away".to_owned(), "A0000000002".to_owned()));
    for user in &acknowledged[1..] {
        assert_eq!(server.activity(user).0, "InACall");
    }
}

#[test]
fn a_server_on_a_full_disk_starts_reads_and_stops() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    let options = ["--virtual-clock", "--users", "4000"];
    let mut server = Server::start_on_full_disk(256, &data, &options);
    let acknowledged = fill_disk(&server);
    server.terminate();
    assert!(server.wait().success(), "everything acknowledged is stored");
    let mut server = Server::start_on_full_disk(256, &data, &options);
    for user in &acknowledged {
        assert_eq!(server.activity(user).0, "InACall");
    }
    server.terminate();
    assert!(server.wait().success());
}

/// Users were restored to other slots, so a page of a list begun before cannot go on.
#[test]
fn a_list_that_a_full_disk_has_interrupted_begins_again() {
    let own = TempDir::new().unwrap();
    let server = Server::start_on_full_disk(256, &own.path().join("data"), &["--virtual-clock", "--users", "4000"]);
    let users: Vec<_> = (100_000..100_010).map(numbered).collect();
    server.set_all(&users, "InACall");
    let page = |path: &str| server.get("dev", path).json();
    let first = page("/admin/users?$top=7");
    let next = first["@odata.nextLink"].as_str().unwrap();
    assert_eq!(page(next)["value"].as_array().unwrap().len(), 3);
    let acknowledged = fill_disk(&server);
    assert_eq!(server.get("dev", next).error(), "InvalidArgument");
    let (mut listed, mut path) = (0, Some("/admin/users?$top=7".to_owned()));
    while let Some(current) = path {
        let page = page(&current);
        listed += page["value"].as_array().unwrap().len();
        path = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert_eq!(listed, users.len() + acknowledged.len());
}

/// One shard has stored an advance of the clock and another has no room for it. When the first has no room either, its users
/// stay as they were shown, after the advance.
#[test]
fn a_shard_without_room_does_not_go_back_before_an_advance_that_it_has_stored() {
    let own = TempDir::new().unwrap();
    let server = Server::start_on_full_disk(256, &own.path().join("data"), &["--virtual-clock", "--users", "8192"]);
    let users: Vec<_> = (0..64).map(numbered).collect();
    server.set_all(&users, "InACall");
    // Returns when the shard of this user has no room.
    let fill = |user: &str| {
        let is_stored =
            |number: usize| server.set(user, TEAMS, ["Away", "Available"][number % 2], "PT4H").status == 200;
        assert!((0..20_000).any(|number| !is_stored(number)), "there is room for everything");
    };
    fill(&users[0]);
    let mut others = users.iter().filter(|user| server.set(user, TEAMS, "Away", "PT5M").status == 200);
    let (Some(shown), Some(writing)) = (others.next(), others.next()) else {
        // A machine with a single core has a single shard.
        return;
    };
    std::thread::scope(|scope| {
        // It gets no response while the first shard has no room.
        scope.spawn(|| server.post_empty("dev", "/dev/advance?seconds=300"));
        while server.activity(shown).0 == "Away" {
            std::thread::sleep(Duration::from_millis(10));
        }
        let expired = ("Offline".to_owned(), "A0000000003".to_owned());
        assert_eq!(server.activity(shown), expired);
        fill(writing);
        assert_eq!(server.metric("presence_disk_full"), 2.0);
        assert_eq!(server.activity(shown), expired);
        server.remove_size_limit();
    });
}

#[test]
fn v1_s9_a_smaller_directory_restores_the_users_that_have_not_expired() {
    let (long, short): (Vec<_>, Vec<_>) = ((0..10).map(numbered).collect(), (10..20).map(numbered).collect());
    for is_short_last in [false, true] {
        let mut server = Server::start_with(&["--virtual-clock", "--users", "20"]);
        let own = server.keep();
        let data = server.data().to_owned();
        let set = |users: &[String], lease: &str| {
            users.iter().for_each(|user| assert_eq!(server.set(user, TEAMS, "InACall", lease).status, 200));
        };
        if is_short_last {
            set(&long, "PT4H");
            set(&short, "PT5M");
        } else {
            set(&short, "PT5M");
            set(&long, "PT4H");
        }
        server.advance(300);
        assert_eq!(server.activity(&short[0]), ("Offline".to_owned(), "A0000000002".to_owned()));
        server.kill();
        let server = Server::start_on(&data, &["--virtual-clock", "--users", "10"]);
        for user in &long {
            assert_eq!(server.activity(user), ("InACall".to_owned(), "A0000000001".to_owned()));
        }
        // A user that was left out is unknown (rule M5), but its version goes on when it comes back (rule V1).
        assert_eq!(server.activity(&short[0]).0, "Offline");
        assert_eq!(server.set(&short[0], TEAMS, "InACall", "PT5M").status, 507);
        server.post("dev", &format!("/v1.0/users/{}/presence/clearPresence", long[0]), &json!({"sessionId": TEAMS}));
        assert_eq!(server.set(&short[0], TEAMS, "InACall", "PT5M").status, 200);
        let (activity, number) = server.activity(&short[0]);
        assert!(activity == "InACall" && *number > *"A0000000002", "{number}");
        drop(own);
    }
}

#[test]
fn s9_a_user_keeps_the_sessions_it_has_when_fewer_are_allowed() {
    let session = |number: usize| format!("{number:08x}-0000-4000-8000-000000000000");
    let mut server = Server::start_with(&["--virtual-clock", "--sessions", "16"]);
    let own = server.keep();
    let data = server.data().to_owned();
    for number in 0..16 {
        assert_eq!(server.set(ADELE, &session(number), "Away", "PT5M").status, 200, "{number}");
    }
    let rejected = server.set(ADELE, &session(16), "Away", "PT5M");
    assert_eq!((rejected.status, rejected.error().as_str()), (507, "InsufficientStorage"));
    server.kill();
    let mut server = Server::start_on(&data, &["--virtual-clock"]);
    for number in 0..16 {
        assert_eq!(server.set(ADELE, &session(number), "InACall", "PT5M").status, 200, "{number}");
    }
    assert_eq!(server.set(ADELE, &session(16), "Away", "PT5M").status, 507);
    // When they have expired and nothing stored has so many, the option counts again.
    server.advance(300);
    assert_eq!(server.set(ADELE, &session(0), "InACall", "PT4H").status, 200);
    server.kill();
    let server = Server::start_on(&data, &["--virtual-clock"]);
    assert_eq!(server.activity(ADELE).0, "InACall");
    for number in 0..8 {
        assert_eq!(server.set(ADELE, &session(number), "InACall", "PT5M").status, 200, "{number}");
    }
    assert_eq!(server.set(ADELE, &session(8), "Away", "PT5M").status, 507);
    drop(own);
}

#[test]
fn sigterm_finishes_requests_and_leaves_no_log_behind() {
    let mut server = Server::start();
    let own = server.keep();
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..8u32 {
            let (server, acknowledged) = (&server, &acknowledged);
            scope.spawn(move || {
                for number in 0..1000 {
                    let user = numbered(thread * 1000 + number);
                    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        server.set(&user, TEAMS, "InACall", "PT4H").status
                    }));
                    match outcome {
                        Ok(200) => acknowledged.lock().unwrap().push(user),
                        Ok(status) => panic!("{status}"),
                        Err(_) => break,
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(300));
        server.terminate();
    });
    assert!(server.wait().success());
    let left: Vec<_> = fs::read_dir(server.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_str().unwrap().ends_with("-wal")), "{left:?}");
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() > 10);
    let server = Server::start_on(server.data(), &["--virtual-clock"]);
    for user in &acknowledged {
        assert_eq!(server.activity(user).0, "InACall");
    }
    drop(own);
}

#[test]
fn a_change_of_shards_moves_all_users() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    let users: Vec<String> = (0..200).map(numbered).collect();
    let mut expected = Vec::new();
    // Small capacities use one shard, larger ones one for each core.
    for size in ["1000", "100000", "1000"] {
        let mut server = Server::start_on(&data, &["--virtual-clock", "--users", size]);
        if expected.is_empty() {
            for (number, user) in users.iter().enumerate() {
                let lease = format!("PT{}M", 5 + number);
                assert_eq!(server.set(user, TEAMS, "Presenting", &lease).status, 200);
            }
        } else {
            server.advance(20 * 60);
            expected.iter_mut().enumerate().for_each(|(number, shown): (usize, &mut (String, String))| {
                let minutes = if size == "100000" { 20 } else { 40 };
                if 5 + number <= minutes {
                    *shown = ("Offline".to_owned(), "A0000000002".to_owned());
                }
            });
        }
        let shown: Vec<_> = users.iter().map(|user| server.activity(user)).collect();
        if expected.is_empty() {
            expected.clone_from(&shown);
        }
        assert_eq!(shown, expected, "{size}");
        server.kill();
    }
}

#[test]
fn two_servers_cannot_open_the_same_data() {
    let server = Server::start();
    let mut second =
        program().args(["--listen", "127.0.0.1:0", "--dev-token", "x", "--data"]).arg(server.data()).spawn().unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(2));
    let mut text = String::new();
    second.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    let directory = server.data().canonicalize().unwrap();
    assert!(text.contains(&format!("{}: another server", directory.display())), "{text}");
}

#[test]
fn a_start_waits_for_a_server_that_is_ending() {
    let own = TempDir::new().unwrap();
    let lock = fs::File::create(own.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let ending = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        drop(lock);
    });
    let server = Server::start_on(own.path(), &["--virtual-clock"]);
    assert!(ending.is_finished(), "it did not wait");
    assert_eq!(server.activity(ADELE).0, "Offline");
}

#[test]
fn keep_alives_do_not_grow_the_journal() {
    let few = ["--virtual-clock", "--users", "100"];
    let mut server = Server::start_with(&few);
    let own = server.keep();
    let users: Vec<String> = (0..4).map(numbered).collect();
    let elements: Vec<_> = (0..20)
        .map(|number| {
            json!({"id": number.to_string(), "method": "POST", "headers": {"content-type": "application/json"},
                "url": format!("/users/{}/presence/setPresence", users[number % 4]),
                "body": {"sessionId": TEAMS, "availability": "Away", "activity": "Away"}})
        })
        .collect();
    let batch = json!({ "requests": elements });
    for _ in 0..2500 {
        assert_eq!(server.post("dev", "/v1.0/$batch", &batch).status, 200);
    }
    let expected: Vec<_> = users.iter().map(|user| server.activity(user)).collect();
    server.terminate();
    assert!(server.wait().success());
    let size = fs::metadata(server.data().join("journal-1-0.sqlite")).unwrap().len();
    assert!(size < 2 << 20, "{size} bytes for four users");
    let server = Server::start_on(server.data(), &few);
    let shown: Vec<_> = users.iter().map(|user| server.activity(user)).collect();
    assert_eq!(shown, expected);
    drop(own);
}

#[test]
fn evicted_users_do_not_come_back_after_a_restart() {
    let few = ["--virtual-clock", "--users", "20"];
    let mut server = Server::start_with(&few);
    let own = server.keep();
    for round in 0..30 {
        for number in 0..20 {
            let user = numbered(round * 20 + number);
            assert_eq!(server.set(&user, TEAMS, "InACall", "PT5M").status, 200);
        }
        assert_eq!(server.set(&numbered(99_999), TEAMS, "InACall", "PT5M").status, 507, "every slot is used");
        server.advance(300);
    }
    let data = server.data().to_owned();
    server.kill();
    let server = Server::start_on(&data, &few);
    for number in 0..600 {
        assert_eq!(server.activity(&numbered(number)).0, "Offline");
    }
    for number in 0..20 {
        assert_eq!(server.set(&numbered(number), TEAMS, "InACall", "PT5M").status, 200);
    }
    drop(own);
}

#[cfg(feature = "benchmark")]
#[test]
fn a_server_without_journal_forgets_everything() {
    // So the other tests here depend on the journal.
    let server = Server::start_with(&["--virtual-clock", "--benchmark", "no-journal"]);
    server.set(ADELE, TEAMS, "InACall", "PT4H");
    let server = server.kill_and_restart(&["--virtual-clock"]);
    assert_eq!(server.activity(ADELE).0, "Offline");
}
