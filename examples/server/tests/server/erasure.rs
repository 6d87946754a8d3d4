//! Tests that what was removed is in none of the bytes of the data directory, within a minute.
//!
//! The minute is one of the machine's clock, whatever the server's clock is. The server begins to clean up five seconds after a
//! removal; the tests look again and again, and fail after a minute.

use crate::support::{ADELE, BOB, Server, numbered};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Every text of these tests begins so, and goes on with a number of eight digits.
const MARK: &[u8] = b"zq-text-";

fn text(number: usize) -> String {
    format!("zq-text-{number:08} {}", "é".repeat(number % 130))
}

/// Returns the numbers of all texts in all files, escaped ones included.
fn found(data: &Path) -> BTreeSet<usize> {
    let mut numbers = BTreeSet::new();
    for entry in std::fs::read_dir(data).unwrap() {
        let bytes = match std::fs::read(entry.unwrap().path()) {
            Ok(bytes) => bytes,
            // A file may vanish meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => panic!("{error}"),
        };
        for (at, _) in bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK) {
            let digits = bytes.get(at + MARK.len()..).unwrap_or_default().iter().take(8);
            let number: String = digits.map(|byte| char::from(*byte)).collect();
            numbers.insert(number.parse().unwrap_or(usize::MAX));
        }
    }
    numbers
}

/// Waits until exactly these texts are found.
fn expect(data: &Path, expected: &BTreeSet<usize>, when: &str) {
    let began = Instant::now();
    loop {
        let numbers = found(data);
        if numbers == *expected {
            return;
        }
        let more: Vec<_> = numbers.difference(expected).collect();
        let less: Vec<_> = expected.difference(&numbers).collect();
        assert!(began.elapsed() < Duration::from_secs(60), "{when}: {more:?} are left, {less:?} are lost");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn message(text: &str) -> Value {
    json!({"statusMessage": {"message": {"content": text, "contentType": "text"}}})
}

fn set_message(server: &Server, user: &str, text: &str) {
    let response = server.post("dev", &format!("/v1.0/users/{user}/presence/setStatusMessage"), &message(text));
    assert_eq!(response.status, 200, "{response:?}");
}

fn set_location(server: &Server, user: &str, place: &str) {
    let body = json!({"workLocationType": "office", "placeId": place});
    let response = server.post("dev", &format!("/v1.0/users/{user}/presence/setManualLocation"), &body);
    assert_eq!(response.status, 200, "{response:?}");
}

fn set_out_of_office(server: &Server, user: &str, text: Option<&str>) {
    let body = json!({"isOutOfOffice": text.is_some(), "message": text});
    assert_eq!(server.post("dev", &format!("/dev/users/{user}/outOfOffice"), &body).status, 200);
}

fn erase(server: &Server, user: &str) {
    let response = server.send("DELETE", &format!("/admin/users/{user}"), &[("authorization", "Bearer dev")], b"");
    assert_eq!(response.status, 204, "{response:?}");
}

/// Stores eight texts that [`remove`] removes, each in another way, and three that stay.
fn store(server: &Server) {
    for (number, user) in [0, 1, 2, 3, 8, 9].into_iter().zip(0..) {
        set_message(server, &numbered(user), &text(number));
    }
    set_out_of_office(server, ADELE, Some(&text(4)));
    set_out_of_office(server, &numbered(0), Some(&text(5)));
    set_location(server, BOB, "zq-text-00000006");
    set_location(server, &numbered(0), "zq-text-00000007");
    let expiring = json!({"statusMessage": {"message": {"content": text(3), "contentType": "text"},
                          "expiryDateTime": {"dateTime": "2100-01-01T00:00:00", "timeZone": "UTC"}}});
    assert_eq!(
        server.post("dev", &format!("/v1.0/users/{}/presence/setStatusMessage", numbered(3)), &expiring).status,
        200
    );
    assert_eq!(found(server.data()), (0..10).collect(), "all are stored");
}

fn remove(server: &Server) {
    // Of a user with message, location and out-of-office message.
    erase(server, &numbered(0));
    set_message(server, &numbered(1), "");
    set_message(server, &numbered(2), &text(10));
    server.advance(80 * 366 * 86_400);
    set_out_of_office(server, ADELE, None);
    set_location(server, BOB, "elsewhere");
}

#[test]
fn removed_texts_are_gone_from_the_files_of_an_idle_server() {
    let server = Server::start();
    store(&server);
    remove(&server);
    expect(server.data(), &[8, 9, 10].into(), "idle");
}

#[test]
fn removed_texts_are_gone_after_a_shutdown_and_a_kill() {
    for is_killed in [false, true] {
        let mut server = Server::start();
        let own = server.keep();
        let data = server.data().to_owned();
        store(&server);
        remove(&server);
        if is_killed {
            server.kill();
        } else {
            server.terminate();
            assert!(server.wait().success());
            assert_eq!(found(&data), [8, 9, 10].into(), "after a shutdown, at once");
        }
        let server = Server::start_on(&data, &["--virtual-clock"]);
        expect(&data, &[8, 9, 10].into(), "after a restart");
        assert_eq!(server.presence(&numbered(2))["statusMessage"]["message"]["content"], text(10));
        // With another number of shards the journals are others, too.
        let mut server = server;
        server.kill();
        let server = Server::start_on(&data, &["--virtual-clock", "--users", "100"]);
        expect(&data, &[8, 9, 10].into(), "with other shards");
        assert_eq!(server.presence(&numbered(2))["statusMessage"]["message"]["content"], text(10));
        drop((server, own));
    }
}

/// Sessions have no text, but the application's id.
#[test]
fn the_sessions_of_an_erased_user_are_gone_from_the_files() {
    const SESSION: [u8; 16] = *b"unique session!!";
    let server = Server::start();
    let session: String = SESSION.iter().map(|byte| format!("{byte:02x}")).collect();
    let session =
        format!("{}-{}-{}-{}-{}", &session[..8], &session[8..12], &session[12..16], &session[16..20], &session[20..]);
    let is_found = || {
        let files = std::fs::read_dir(server.data()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()));
        files.flatten().any(|bytes| bytes.windows(16).any(|window| window == SESSION))
    };
    for lease in ["PT1H", "PT2H", "PT3H"] {
        assert_eq!(server.set(ADELE, &session, "InACall", lease).status, 200);
    }
    set_message(&server, ADELE, &text(1));
    assert!(is_found());
    erase(&server, ADELE);
    // The user returns at once, and keeps what it has said since.
    set_message(&server, ADELE, &text(2));
    let began = Instant::now();
    while is_found() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(200));
    }
    expect(server.data(), &[2].into(), "after the return");
}

/// Expiry while the server is down removes a text, too.
#[test]
fn a_text_that_expires_while_the_server_is_down_is_gone_after_a_restart() {
    let mut server = Server::start_with(&[]);
    let own = server.keep();
    let data = server.data().to_owned();
    set_message(&server, BOB, &text(2));
    let mut seconds = 2;
    let until = loop {
        let until = (since_1970() + Duration::from_secs(seconds)).as_secs();
        let expiring = json!({"statusMessage": {"message": {"content": text(1), "contentType": "text"},
                              "expiryDateTime": {"dateTime": utc(until), "timeZone": "UTC"}}});
        let path = format!("/v1.0/users/{ADELE}/presence/setStatusMessage");
        assert_eq!(server.post("dev", &path, &expiring).status, 200);
        server.kill();
        if since_1970().as_secs() < until {
            break until;
        }
        // The machine is busy, and the text has expired before the kill.
        server = Server::start_on(&data, &[]);
        seconds *= 2;
    };
    while since_1970().as_secs() <= until {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(found(&data), [1, 2].into());
    let server = Server::start_on(&data, &[]);
    expect(&data, &[2].into(), "after the expiry");
    drop((server, own));
}

fn since_1970() -> Duration {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap()
}

/// Formats a time of today or tomorrow, by the days since 1970 as civil dates (Howard Hinnant's algorithm).
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) =
        (day_of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Thousands of texts are replaced, so that rows are compacted, and pages split and joined, while others write all the time.
#[test]
fn replaced_texts_are_gone_under_load() {
    let server = Server::start();
    let is_done = AtomicBool::new(false);
    const USERS: usize = 60;
    const ROUNDS: usize = 100;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if is_done.load(Ordering::Relaxed) {
                    break;
                }
                server.set(&numbered(1000 + number % 50), crate::support::TEAMS, "InACall", "PT4H");
            }
        });
        let mut live = vec![0; USERS];
        for round in 0..ROUNDS {
            for first in (0..USERS).step_by(20) {
                // Not all in every round, so that some rows stay behind and are appended again.
                let users: Vec<_> =
                    (first..first + 20).filter(|user| round == 0 || (user * 7 + round) % 11 > user % 9).collect();
                let requests: Vec<_> = users
                    .iter()
                    .map(|user| {
                        live[*user] = round * USERS + user;
                        json!({"id": user.to_string(), "method": "POST", "headers": {"content-type": "application/json"},
                               "url": format!("/users/{}/presence/setStatusMessage", numbered(*user as u32)),
                               "body": message(&text(live[*user]))})
                    })
                    .collect();
                if !requests.is_empty() {
                    let responses = server.post("dev", "/v1.0/$batch", &json!({"requests": requests})).json();
                    let responses = responses["responses"].as_array().unwrap();
                    assert!(responses.iter().all(|response| response["status"] == 200), "{responses:?}");
                }
            }
        }
        let live: BTreeSet<_> = live.into_iter().collect();
        expect(server.data(), &live, "under load");
        is_done.store(true, Ordering::Relaxed);
        for user in 0..USERS as u32 {
            erase(&server, &numbered(user));
        }
        expect(server.data(), &BTreeSet::new(), "after all were erased");
    });
}

/// After a kill in the middle of an erasure, all is there or nothing.
#[test]
fn a_kill_leaves_no_user_half_erased() {
    let mut server = Server::start();
    let own = server.keep();
    let data = server.data().to_owned();
    let mut erased = 0;
    // At first within the milliseconds that it mostly takes; then later and later, until it was in time.
    for delay in (0..8).chain((3..16).map(|power| 1 << power)) {
        if delay >= 8 && erased > 0 {
            break;
        }
        server.set(ADELE, crate::support::TEAMS, "InACall", "PT4H");
        set_message(&server, ADELE, "a message");
        set_location(&server, ADELE, "a place");
        let stored = server.presence(ADELE);
        let path = format!("/admin/users/{ADELE}");
        std::thread::scope(|scope| {
            let mut stream = server.connect();
            let request = format!("DELETE {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n");
            scope.spawn(move || std::io::Write::write_all(&mut stream, request.as_bytes()));
            std::thread::sleep(Duration::from_millis(delay));
        });
        server.kill();
        server = Server::start_on(&data, &["--virtual-clock"]);
        let presence = server.presence(ADELE);
        if presence == stored {
            continue;
        }
        erased += 1;
        assert_eq!(presence["activity"], "Offline", "{presence}");
        assert_eq!((&presence["statusMessage"], &presence["workLocation"]["placeId"]), (&Value::Null, &Value::Null));
        assert!(presence["sequenceNumber"].as_str() > stored["sequenceNumber"].as_str(), "{presence}");
    }
    assert!(erased > 0, "no kill came late enough");
    drop((server, own));
}
