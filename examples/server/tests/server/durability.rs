//! What was acknowledged outlives the process: exactly, after any end, and whatever the end of a file looks like then.

use crate::support::{ADELE, BOB, OTHER, Server, TEAMS, numbered, program};
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[test]
fn after_a_kill_deadlines_and_versions_are_exactly_what_they_were() {
    // Two servers play one day. One is killed after every step.
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
            let hidden = json!({"availability": "Busy", "activity": "Busy", "expirationDuration": "PT10M"});
            let path = format!("/v1.0/users/{BOB}/presence/setUserPreferredPresence");
            assert_eq!(server.post("dev", &path, &hidden).status, 200);
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
            assert_eq!(killed.shown(user), steady.shown(user), "after step {number}");
        }
    }
    drop(own_kill);
}

#[test]
fn a_virtual_clock_goes_on_where_it_stood() {
    let server = Server::start();
    let now = |server: &Server| server.post_nothing("dev", "/dev/advance?seconds=0").json()["now"].clone();
    let began = now(&server);
    server.advance(86_400);
    let then = now(&server);
    assert_ne!(began, then);
    let server = server.kill_and_restart(&["--virtual-clock"]);
    assert_eq!(now(&server), then);
}

/// The write-ahead log that was written last.
fn log(data: &Path) -> PathBuf {
    let logs = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| path.to_str().is_some_and(|path| path.ends_with("-wal")));
    logs.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

#[test]
fn a_torn_or_damaged_end_is_cut_and_never_misread() {
    let few = ["--virtual-clock", "--users", "100"];
    let own = TempDir::new().unwrap();
    let original = own.path().join("original");
    let mut server = Server::start_on(&original, &few);
    // After every change the activity says how many there were.
    let activities = ["Available", "Away", "InACall", "Presenting"];
    let mut states = vec![server.shown(ADELE)];
    for number in 0..12 {
        assert_eq!(server.set(ADELE, TEAMS, activities[number % 4], "PT4H").status, 200);
        states.push(server.shown(ADELE));
    }
    server.kill();
    let name = log(&original).file_name().unwrap().to_owned();
    let len = fs::metadata(original.join(&name)).unwrap().len();
    let mut lost = 0;
    for (number, back) in [0, 1, 7, 100, 4000, 4120, 4121, 9000, 20_000, 40_000].into_iter().enumerate() {
        for is_flipped in [false, true] {
            let data = own.path().join(format!("{number}-{is_flipped}"));
            copy(&original, &data);
            let place = len.saturating_sub(back);
            let file = OpenOptions::new().write(true).read(true).open(data.join(&name)).unwrap();
            if is_flipped && back > 0 {
                flip(&file, place);
            } else {
                file.set_len(place).unwrap();
            }
            let server = Server::start_on(&data, &few);
            let shown = server.shown(ADELE);
            let kept = states.iter().position(|state| *state == shown);
            let kept = kept.unwrap_or_else(|| panic!("{back} bytes from the end: {shown:?} never was"));
            lost = lost.max(states.len() - 1 - kept);
            assert!(back > 0 || kept == states.len() - 1, "nothing was damaged");
            // It is served as ever.
            assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT4H").status, 200);
        }
    }
    assert!(lost > 0, "nothing was ever cut: this test looks at the wrong file");
}

fn flip(file: &fs::File, place: u64) {
    use std::os::unix::fs::FileExt;
    let mut byte = [0];
    file.read_exact_at(&mut byte, place).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], place).unwrap();
}

#[test]
fn damage_in_what_was_written_long_ago_is_told_and_not_served() {
    let few = ["--virtual-clock", "--users", "100"];
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    let mut server = Server::start_on(&data, &few);
    server.set(ADELE, TEAMS, "InACall", "PT4H");
    server.terminate();
    assert!(server.wait().success());
    let path = data.join("journal-1-0.sqlite");
    let bytes = fs::read(&path).unwrap();
    let id = u128::from_str_radix(&ADELE.replace('-', ""), 16).unwrap().to_be_bytes();
    let place = bytes.windows(16).position(|window| window == id).expect("the user is in the file");
    flip(&OpenOptions::new().write(true).read(true).open(&path).unwrap(), place as u64 + 3);
    let text = refused(&data, "100");
    assert!(text.contains("damaged"), "{text}");
}

/// Starts the program on data, and returns what it says if it refuses them.
fn refusal(data: &Path, users: &str) -> Option<String> {
    let mut child = program()
        .args(["--listen", "127.0.0.1:0", "--virtual-clock", "--dev-token", "dev", "--users", users, "--data"])
        .arg(data)
        .spawn()
        .unwrap();
    // One that does not refuse serves until it is told to end.
    let serves = BufReader::new(child.stdout.take().unwrap()).lines().next().is_some();
    if serves {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(serves || status.code() == Some(2), "{status}: {text}");
    (!serves).then_some(text)
}

fn refused(data: &Path, users: &str) -> String {
    refusal(data, users).expect("it is not refused")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_journal_that_was_cut_off_is_refused_and_left_alone() {
    for is_killed in [false, true] {
        let own = TempDir::new().unwrap();
        let data = own.path().join("data");
        let mut server = Server::start_on(&data, &["--virtual-clock", "--users", "100"]);
        for number in 0..100 {
            assert_eq!(server.set(&numbered(number), TEAMS, "InACall", "PT4H").status, 200);
        }
        if is_killed {
            server.kill();
        } else {
            server.terminate();
            assert!(server.wait().success());
        }
        let whole = fs::read(data.join("journal-1-0.sqlite")).unwrap();
        let page = 4096;
        let lengths = [0, 1, 100, 512, page - 1, page, page + 1, whole.len() - page, whole.len() - 1];
        // Also where it would be moved to other shards.
        for (len, users) in lengths.into_iter().flat_map(|len| [(len, "100"), (len, "100000")]) {
            let cut_off = own.path().join(format!("{len}-{users}"));
            copy(&data, &cut_off);
            fs::write(cut_off.join("journal-1-0.sqlite"), &whole[..len]).unwrap();
            let files = || {
                let files = fs::read_dir(&cut_off).unwrap().map(|entry| entry.unwrap());
                let files = files.map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().len()));
                // Those of a move to other shards that did not come about do not count.
                let mut files: Vec<_> = files.filter(|(name, _)| !name.starts_with("journal-2-")).collect();
                files.sort();
                files
            };
            let before = files();
            match refusal(&cut_off, users) {
                Some(text) => {
                    assert!(text.contains("journal-1-0.sqlite"), "{len} bytes, killed: {is_killed}: {text}");
                    assert_eq!(files(), before, "{len} bytes, killed: {is_killed}");
                }
                // The log may hold all that was cut off.
                None => {
                    assert!(is_killed && len >= page, "{len} bytes");
                    let server = Server::start_on(&cut_off, &["--virtual-clock", "--users", users]);
                    for number in 0..100 {
                        assert_eq!(server.shown(&numbered(number)).0, "InACall", "{len} bytes");
                    }
                }
            }
        }
    }
}

#[test]
fn a_disk_that_is_full_ends_the_server_and_takes_nothing_back() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    let mut server = Server::start_with_little_room(1024, &data, &["--virtual-clock"]);
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let (server, acknowledged) = (&server, &acknowledged);
            scope.spawn(move || {
                for number in 0..20_000 {
                    let user = numbered(thread * 20_000 + number);
                    let body = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"});
                    let path = format!("/v1.0/users/{user}/presence/setPresence");
                    match server.try_post("dev", &path, &body) {
                        Some(200) => acknowledged.lock().unwrap().push(user),
                        Some(status) => panic!("{status}, and the server lives"),
                        None => break,
                    }
                }
            });
        }
    });
    assert_eq!(server.wait().code(), Some(74), "it ends by itself, and says that it failed");
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!((100..80_000 - 4).contains(&acknowledged.len()), "{}", acknowledged.len());
    let server = Server::start_on(&data, &["--virtual-clock"]);
    for user in &acknowledged {
        assert_eq!(server.shown(user).0, "InACall");
    }
}

#[test]
fn v1_s9_a_smaller_directory_takes_in_whoever_is_left_by_now() {
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
        assert_eq!(server.shown(&short[0]), ("Offline".to_owned(), "A0000000002".to_owned()));
        server.kill();
        assert!(refused(&data, "9").contains("--users"), "those who are there need ten places");
        let server = Server::start_on(&data, &["--virtual-clock", "--users", "10"]);
        for user in &long {
            assert_eq!(server.shown(user), ("InACall".to_owned(), "A0000000001".to_owned()));
        }
        // Who was left out is like one never heard of (rule M5), but for its version when it comes back (rule V1).
        assert_eq!(server.shown(&short[0]).0, "Offline");
        assert_eq!(server.set(&short[0], TEAMS, "InACall", "PT5M").status, 507);
        server.post("dev", &format!("/v1.0/users/{}/presence/clearPresence", long[0]), &json!({"sessionId": TEAMS}));
        assert_eq!(server.set(&short[0], TEAMS, "InACall", "PT5M").status, 200);
        let (activity, number) = server.shown(&short[0]);
        assert!(activity == "InACall" && *number > *"A0000000002", "{number}");
        drop(own);
    }
}

#[test]
fn a_first_start_that_was_cut_short_is_begun_again() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    fs::create_dir(&data).unwrap();
    let journal = data.join("journal-1-0.sqlite");
    fs::write(&journal, b"").unwrap();
    let few = ["--virtual-clock", "--users", "100"];
    let mut server = Server::start_on(&data, &few);
    assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT4H").status, 200);
    server.kill();
    // What is left without the number of shards is somebody's data, whatever is left of it.
    fs::remove_file(data.join("shards")).unwrap();
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, b"").unwrap();
    assert!(refused(&data, "100").contains("damaged"));
    fs::write(&journal, whole).unwrap();
    assert!(refused(&data, "100").contains("not a number of shards"));
    fs::write(data.join("shards"), "1\n").unwrap();
    assert_eq!(Server::start_on(&data, &few).shown(ADELE).0, "InACall");
}

#[test]
fn an_ordered_end_answers_what_was_asked_and_leaves_no_log_behind() {
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
        assert_eq!(server.shown(user).0, "InACall");
    }
    drop(own);
}

#[test]
fn more_or_fewer_shards_move_everybody() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    let users: Vec<String> = (0..200).map(numbered).collect();
    let mut expected = Vec::new();
    // Fewer than some thousand users live in one shard, more in one for each core.
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
        let shown: Vec<_> = users.iter().map(|user| server.shown(user)).collect();
        if expected.is_empty() {
            expected.clone_from(&shown);
        }
        assert_eq!(shown, expected, "{size}");
        server.kill();
    }
}

#[test]
fn two_servers_cannot_have_the_same_data() {
    let server = Server::start();
    let mut second =
        program().args(["--listen", "127.0.0.1:0", "--dev-token", "x", "--data"]).arg(server.data()).spawn().unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(2));
    let mut text = String::new();
    second.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("another server"), "{text}");
}

#[test]
fn a_server_that_is_just_ending_is_waited_for() {
    let own = TempDir::new().unwrap();
    let lock = fs::File::create(own.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let ending = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        drop(lock);
    });
    let server = Server::start_on(own.path(), &["--virtual-clock"]);
    assert!(ending.is_finished(), "it did not wait");
    assert_eq!(server.shown(ADELE).0, "Offline");
}

#[test]
fn keep_alives_do_not_fill_the_disk() {
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
    let expected: Vec<_> = users.iter().map(|user| server.shown(user)).collect();
    server.terminate();
    assert!(server.wait().success());
    let size = fs::metadata(server.data().join("journal-1-0.sqlite")).unwrap().len();
    assert!(size < 2 << 20, "{size} bytes for four users");
    let server = Server::start_on(server.data(), &few);
    let shown: Vec<_> = users.iter().map(|user| server.shown(user)).collect();
    assert_eq!(shown, expected);
    drop(own);
}

#[test]
fn users_whose_place_was_taken_do_not_come_back_and_do_not_pile_up() {
    let few = ["--virtual-clock", "--users", "20"];
    let mut server = Server::start_with(&few);
    let own = server.keep();
    for round in 0..30 {
        for number in 0..20 {
            let user = numbered(round * 20 + number);
            assert_eq!(server.set(&user, TEAMS, "InACall", "PT5M").status, 200);
        }
        assert_eq!(server.set(&numbered(99_999), TEAMS, "InACall", "PT5M").status, 507, "everybody is there");
        server.advance(300);
    }
    let data = server.data().to_owned();
    server.kill();
    let server = Server::start_on(&data, &few);
    for number in 0..600 {
        assert_eq!(server.shown(&numbered(number)).0, "Offline");
    }
    for number in 0..20 {
        assert_eq!(server.set(&numbered(number), TEAMS, "InACall", "PT5M").status, 200);
    }
    drop(own);
}

#[test]
fn a_server_without_journal_would_be_seen() {
    // What these tests see is the journal's doing.
    let server = Server::start_with(&["--virtual-clock", "--benchmark", "no-journal"]);
    server.set(ADELE, TEAMS, "InACall", "PT4H");
    let began = Instant::now();
    let server = server.kill_and_restart(&["--virtual-clock"]);
    assert_eq!(server.shown(ADELE).0, "Offline");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn data_without_its_number_of_shards_or_a_journal_is_refused_and_left_alone() {
    let few = ["--virtual-clock", "--users", "100"];
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    let mut server = Server::start_on(&data, &few);
    server.set(ADELE, TEAMS, "InACall", "PT4H");
    server.terminate();
    assert!(server.wait().success());
    fs::write(data.join("journal-of-mine.txt"), "mine").unwrap();
    for name in ["shards", "journal-1-0.sqlite"] {
        fs::rename(data.join(name), own.path().join(name)).unwrap();
        for size in ["100", "100000"] {
            refused(&data, size);
        }
        fs::rename(own.path().join(name), data.join(name)).unwrap();
    }
    for size in ["100", "100000"] {
        let server = Server::start_on(&data, &["--virtual-clock", "--users", size]);
        assert_eq!(server.shown(ADELE).0, "InACall");
    }
    assert!(data.join("journal-of-mine.txt").exists());
}
