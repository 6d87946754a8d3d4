//! Tests of `GET /presence/changes`: the stream resumes, starts over when it must, and waits for no client.

use crate::support::{ADELE, BOB, Server, TEAMS, numbered};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A client that follows changes on its own connection.
pub struct Reader(BufReader<TcpStream>);

#[derive(Debug, PartialEq)]
pub struct Event {
    pub name: String,
    data: Value,
    id: Option<String>,
}

impl Event {
    pub fn user(&self) -> &str {
        self.data["id"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }

    pub fn activity(&self) -> &str {
        self.data["activity"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }
}

impl Reader {
    pub fn open(server: &Server, since: Option<&str>, last: Option<&str>) -> Self {
        let query = since.map_or_else(String::new, |since| format!("?since={since}"));
        let header = last.map_or_else(String::new, |last| format!("last-event-id: {last}\r\n"));
        let mut stream = server.connect();
        let request = format!(
            "GET /presence/changes{query} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer reader\r\n{header}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = Self(BufReader::new(stream));
        assert!(reader.line().starts_with("HTTP/1.1 200"));
        let mut is_stream = false;
        loop {
            match reader.line().as_str() {
                "" => break,
                line => is_stream |= line == "content-type: text/event-stream",
            }
        }
        assert!(is_stream);
        reader
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream has ended");
        let line = line.trim_end_matches(['\r', '\n']);
        let ends_lines = |character: char| character.is_control() || "\u{2028}\u{2029}".contains(character);
        assert!(!line.contains(ends_lines), "{line:?} is more than one line to some readers");
        line.trim_end().to_owned()
    }

    /// Reads the next event. Skips comments and the lengths of chunks.
    pub fn next(&mut self) -> Event {
        let (mut name, mut data, mut id) = (None, None, None);
        let began = Instant::now();
        loop {
            let line = self.line();
            // Comments keep coming.
            assert!(began.elapsed() < Duration::from_secs(40), "no event comes");
            match line.split_once(": ") {
                Some(("event", value)) => name = Some(value.to_owned()),
                Some(("data", value)) => data = Some(serde_json::from_str(value).unwrap()),
                Some(("id", value)) => id = Some(value.to_owned()),
                _ if line.is_empty() && name.is_some() => {
                    return Event { name: name.unwrap(), data: data.unwrap(), id };
                }
                _ => {}
            }
        }
    }

    /// Reads a full scan, and returns its events and the id to resume at.
    fn scan(&mut self) -> (Vec<Event>, String) {
        assert_eq!(self.next().name, "start-over");
        let mut users = Vec::new();
        loop {
            let event = self.next();
            assert!(event.id.is_some(), "{event:?}");
            match event.name.as_str() {
                "presence" => users.push(event),
                "up-to-date" => return (users, event.id.unwrap()),
                name => panic!("{name}"),
            }
        }
    }
}

#[test]
fn v2_each_change_is_sent_once_and_in_order() {
    let server = Server::start();
    server.set(BOB, TEAMS, "Away", "PT4H");
    let mut reader = Reader::open(&server, None, None);
    let (users, _) = reader.scan();
    assert_eq!(users.iter().map(Event::user).collect::<Vec<_>>(), [BOB]);
    let mut ids = Vec::new();
    for activity in ["InACall", "Away", "Presenting"] {
        server.set(ADELE, TEAMS, activity, "PT5M");
        // A keep-alive is no change.
        server.set(ADELE, TEAMS, activity, "PT5M");
        let event = reader.next();
        assert_eq!((event.user(), event.activity()), (ADELE, activity));
        assert_eq!(event.data, server.presence(ADELE), "an event equals a read");
        ids.push(event.id.unwrap());
    }
    server.advance(300);
    let event = reader.next();
    assert_eq!((event.user(), event.activity()), (ADELE, "Offline"), "due transitions are sent too");
    // A client that resumes at the first id gets the changes after it, each user once.
    for mut again in [Reader::open(&server, Some(&ids[0]), None), Reader::open(&server, Some("x"), Some(&ids[0]))] {
        let event = again.next();
        assert_eq!((event.name.as_str(), event.user(), event.activity()), ("presence", ADELE, "Offline"));
    }
    assert!(server.metric("presence_change_readers") >= 1.0);
}

/// Opens a stream, and returns its head and what follows, up to the end of the scan.
fn open_with(server: &Server, version: &str) -> (String, String) {
    let mut stream = server.connect();
    let request =
        format!("GET /presence/changes HTTP/{version}\r\nhost: localhost\r\nauthorization: Bearer reader\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let (mut reader, mut text) = (BufReader::new(stream), String::new());
    while !text.contains("event: up-to-date") {
        assert!(reader.read_line(&mut text).unwrap() > 0, "{text}");
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

#[test]
fn proxies_are_told_to_pass_events_on() {
    let server = Server::start();
    let (head, body) = open_with(&server, "1.1");
    for line in [
        "x-accel-buffering: no",
        "cache-control: no-cache, no-transform",
        "x-content-type-options: nosniff",
        "content-type: text/event-stream",
    ] {
        assert_eq!(head.lines().filter(|other| *other == line).count(), 1, "{line} in {head}");
    }
    let delay = body.lines().find_map(|line| line.strip_prefix("retry: ")).unwrap();
    assert!((2000..4000).contains(&delay.parse::<u32>().unwrap()), "{delay}");
    assert!(body.find("retry: ") < body.find("event: "));
}

/// A proxy such as nginx speaks HTTP/1.0 unless it is told otherwise. Its streams have no chunks, and end with the connection.
#[test]
fn an_http_1_0_client_gets_events_without_chunks() {
    let mut server = Server::start();
    let (head, body) = open_with(&server, "1.0");
    assert!(head.starts_with("http/1.0 200"), "{head}");
    assert!(!head.contains("transfer-encoding") && !head.contains("content-length"), "{head}");
    assert!(body.starts_with("retry: "), "{body}");
    // What follows is the next event, and then the end.
    let mut stream = server.connect();
    stream
        .write_all(b"GET /presence/changes HTTP/1.0\r\nconnection: keep-alive\r\nauthorization: Bearer reader\r\n\r\n")
        .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "event: up-to-date"));
    server.set(ADELE, TEAMS, "InACall", "PT5M");
    assert!(lines.any(|line| line.contains(ADELE)));
    server.terminate();
    assert!(!lines.any(|line| line.starts_with('0')), "the end of an HTTP/1.0 stream is that of its connection");
    assert!(server.wait().success());
}

#[test]
fn v2_details_are_changes_too() {
    let server = Server::start();
    let mut reader = Reader::open(&server, None, None);
    reader.scan();
    let body = json!({"statusMessage": {"message": {"content": "at lunch", "contentType": "text"}}});
    assert_eq!(server.post("dev", &format!("/v1.0/users/{BOB}/presence/setStatusMessage"), &body).status, 200);
    let event = reader.next();
    assert_eq!((event.user(), &event.data), (BOB, &server.presence(BOB)));
    let office = json!({"workLocationType": "office"});
    assert_eq!(server.post("adele", "/v1.0/me/presence/setManualLocation", &office).status, 200);
    assert_eq!(reader.next().data["workLocation"]["source"], "manual");
    server.advance(86_400);
    assert_eq!(reader.next().data["workLocation"]["source"], "none", "the day is over");
    // No user is left out; one whose details change may come twice.
    let (users, _) = Reader::open(&server, None, None).scan();
    let named: std::collections::BTreeSet<_> = users.iter().map(|event| event.user().to_owned()).collect();
    assert_eq!(named.len(), 2, "{users:?}");
}

/// Some clients cut lines as Unicode does: a message must not look like an event to them.
#[test]
fn t1_v2_a_message_is_no_event_of_its_own() {
    let server = Server::start();
    let mut reader = Reader::open(&server, None, None);
    reader.scan();
    for end in ["\u{2028}", "\u{2029}", "\u{85}", "\u{c}", "\u{b}", "\u{1c}", "\u{7f}", "\u{9f}", "\n\n"] {
        let content = format!("lunch{end}event: presence{end}data: {{\"id\":\"{ADELE}\"}}{end}{end}");
        let body = json!({"statusMessage": {"message": {"content": content}}});
        assert_eq!(server.post("dev", &format!("/v1.0/users/{BOB}/presence/setStatusMessage"), &body).status, 200);
        let event = reader.next();
        assert_eq!((event.user(), &event.data["statusMessage"]["message"]["content"]), (BOB, &json!(content)));
    }
}

#[test]
fn t1_v2_late_expiries_in_a_full_directory_are_sent() {
    let few = ["--virtual-clock", "--users", "3"];
    let [stepwise, at_once] = [Server::start_with(&few), Server::start_with(&few)];
    let carol = numbered(3);
    let mut received = Vec::new();
    for (server, steps) in [(&stepwise, vec![60; 30]), (&at_once, vec![1800])] {
        let now = server.post_empty("dev", "/dev/advance?seconds=0").json()["now"].as_i64().unwrap();
        let ends =
            jiff::Timestamp::from_millisecond(now + 600_500).unwrap().strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string();
        let body = json!({"statusMessage": {"message": {"content": "back soon", "contentType": "text"},
            "expiryDateTime": {"dateTime": ends, "timeZone": "UTC"}}});
        for user in [ADELE, BOB] {
            assert_eq!(server.post("dev", &format!("/v1.0/users/{user}/presence/setStatusMessage"), &body).status, 200);
        }
        server.set(BOB, TEAMS, "InACall", "PT20M");
        server.set(&carol, TEAMS, "InACall", "PT4H");
        assert_eq!(server.set(&numbered(4), TEAMS, "InACall", "PT4H").status, 507, "it is full");
        let (scanned, _) = Reader::open(server, None, None).scan();
        assert_eq!(scanned.len(), 3);
        let mut reader = Reader::open(server, None, None);
        reader.scan();
        for seconds in steps {
            server.advance(seconds);
        }
        // Two messages and a session expire: each is a change, and none makes the reader start over.
        let mut latest = std::collections::BTreeMap::new();
        while latest.len() < 2 || [ADELE, BOB].iter().any(|user| latest[*user] != server.presence(user)) {
            let event = reader.next();
            assert_eq!(event.name, "presence");
            latest.insert(event.user().to_owned(), event.data);
        }
        assert_eq!(latest[ADELE]["statusMessage"], Value::Null);
        assert_eq!(
            (&latest[ADELE]["sequenceNumber"], &latest[BOB]["sequenceNumber"]),
            (&json!("A0000000002"), &json!("A0000000004"))
        );
        received.push(latest);
        assert_eq!(server.set(&numbered(4), TEAMS, "InACall", "PT4H").status, 200, "a slot is free again");
    }
    assert_eq!(received[0], received[1], "M4: it does not matter when time is advanced");
}

#[test]
fn v2_an_unknown_id_starts_over() {
    let server = Server::start();
    server.set(ADELE, TEAMS, "InACall", "PT4H");
    let (_, id) = Reader::open(&server, None, None).scan();
    let (checksum, position) = id.split_once('-').unwrap();
    let longer = format!("{id}-0");
    let moved = format!("{checksum}-scan.0.1000000-999");
    let other_sum = format!("{:016x}-{position}", u64::from_str_radix(checksum, 16).unwrap() ^ 1);
    let long = "9".repeat(8000);
    for since in ["", "x", "0", "%00", "00000000000000ff-0-1", &id[1..], &longer, &moved, &other_sum, position, &long] {
        for mut reader in [Reader::open(&server, Some(since), None), Reader::open(&server, Some(&id), Some(since))] {
            let (users, _) = reader.scan();
            assert_eq!(users.iter().map(Event::user).collect::<Vec<_>>(), [ADELE], "{since}");
        }
    }
    // Ids of another run are unknown.
    let server = server.kill_and_restart(&["--virtual-clock"]);
    let (users, _) = Reader::open(&server, Some(&id), None).scan();
    assert_eq!(users.iter().map(Event::activity).collect::<Vec<_>>(), ["InACall"]);
}

#[test]
fn v2_an_eviction_makes_readers_start_over() {
    let server = Server::start_with(&["--virtual-clock", "--users", "1"]);
    server.set(ADELE, TEAMS, "InACall", "PT5M");
    let (_, id) = Reader::open(&server, None, None).scan();
    server.advance(300);
    // Bob evicts Adele, and with her the change that she went offline.
    server.set(BOB, TEAMS, "InACall", "PT5M");
    let (users, _) = Reader::open(&server, Some(&id), None).scan();
    assert_eq!(users.iter().map(Event::user).collect::<Vec<_>>(), [BOB]);
}

#[test]
fn a_stream_ends_with_the_server() {
    let mut server = Server::start();
    let mut reader = Reader::open(&server, None, None);
    reader.scan();
    let began = Instant::now();
    server.terminate();
    assert!(server.wait().success());
    assert!(began.elapsed() < Duration::from_secs(15), "it waited for an endless stream");
    let mut rest = String::new();
    while reader.0.read_line(&mut rest).unwrap() > 0 {}
    assert!(rest.trim_end().ends_with('0'), "the stream ends with the last chunk: {rest:?}");
}

#[test]
fn a_scan_of_many_chunks_is_complete_and_changes_follow() {
    let server = Server::start();
    let users: Vec<String> = (0..2000).map(numbered).collect();
    server.set_all(&users, "InACall");
    let mut reader = Reader::open(&server, None, None);
    let (scanned, _) = reader.scan();
    let mut ids: Vec<_> = scanned.iter().map(Event::user).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2000);
    server.set_all(&users[..500], "Away");
    let mut changed: Vec<_> = (0..500).map(|_| reader.next()).map(|event| event.user().to_owned()).collect();
    changed.sort_unstable();
    let mut expected = users[..500].to_vec();
    expected.sort_unstable();
    assert_eq!(changed, expected);
}

#[test]
fn v2_a_scan_on_a_bad_network_is_resumed_until_it_is_complete() {
    let server = Server::start();
    let users: Vec<String> = (0..3000).map(numbered).collect();
    server.set_all(&users, "InACall");
    let is_over = AtomicBool::new(false);
    let mut known = HashMap::new();
    let (mut last, mut connections, mut start_overs) = (None::<String>, 0, 0);
    let mut reader = std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                server.set_all(&users[round * 37 % 2900..][..20], ["Away", "InACall"][round % 2]);
            }
        });
        // Each connection lasts for so many events, and then breaks off, within an event or after it.
        for events in [0, 1, 2, 150, 7, 400].into_iter().cycle() {
            let mut reader = Reader::open(&server, None, last.as_deref());
            connections += 1;
            for _ in 0..events {
                let event = reader.next();
                last = event.id.clone();
                match event.name.as_str() {
                    "start-over" => start_overs += 1,
                    "presence" => drop(known.insert(event.user().to_owned(), event.data)),
                    _ => {
                        is_over.store(true, Ordering::Relaxed);
                        return reader;
                    }
                }
            }
            if connections % 2 == 0 {
                reader.line();
            }
        }
        unreachable!()
    });
    assert_eq!(start_overs, 1);
    assert!(connections > 10, "it broke off {connections} times only");
    // The changes that have not come yet come now.
    let expected: HashMap<_, _> = users.iter().map(|user| (user.clone(), server.presence(user))).collect();
    while known != expected {
        let event = reader.next();
        assert_eq!(event.name, "presence");
        known.insert(event.user().to_owned(), event.data);
    }
}

#[test]
fn a_reader_that_does_not_read_costs_little_and_delays_no_other_client() {
    let server = Server::start();
    let users: Vec<String> = (0..3000).map(numbered).collect();
    let mut slow: Vec<_> = (0..20).map(|_| Reader::open(&server, None, None)).collect();
    server.set_all(&users, "InACall");
    let before = server.memory();
    let mut longest = Duration::ZERO;
    for round in 0..8 {
        server.set_all(&users, ["Away", "InACall"][round % 2]);
        let began = Instant::now();
        server.presence(ADELE);
        longest = longest.max(began.elapsed());
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 48 << 20, "{grown} bytes more");
    // A server that waits for readers would wait until it gives them up, which takes a minute.
    assert!(longest < Duration::from_secs(20), "{longest:?}");
    // In the end each reader knows every user's presence, after starting over as often as needed. Changes are ordered within a
    // shard alone, so those of other shards may come after the last one. Where one is missing, no event comes, and reading fails.
    server.set(&users[0], TEAMS, "Presenting", "PT4H");
    let mut expected: HashMap<_, _> = users.iter().map(|user| (user.clone(), "InACall".to_owned())).collect();
    expected.insert(users[0].clone(), "Presenting".to_owned());
    for reader in &mut slow {
        let mut known = HashMap::new();
        while known != expected {
            let event = reader.next();
            match event.name.as_str() {
                "start-over" => known.clear(),
                "presence" => drop(known.insert(event.user().to_owned(), event.activity().to_owned())),
                _ => {}
            }
        }
    }
}
