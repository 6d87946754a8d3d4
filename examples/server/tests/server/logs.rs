//! Tests of the access log and the audit log of the real program.

use crate::support::{ADELE, BOB, OTHER, Server, TEAMS, numbered};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server with both logs.
struct Logged {
    server: Server,
    own: TempDir,
}

impl Logged {
    fn start(options: &[&str]) -> Self {
        let own = TempDir::new().unwrap();
        let [access, audit] = ["access.log", "audit.log"].map(|name| own.path().join(name).display().to_string());
        let logs = ["--virtual-clock", "--access-log", &access, "--audit-log", &audit];
        let server = Server::start_on(&own.path().join("data"), &[&logs, options].concat());
        Self { server, own }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.own.path().join(name)
    }

    /// Returns the lines of the audit log, in which those of every response that has come are.
    fn audit(&self) -> Vec<Value> {
        lines(&self.path("audit.log"))
    }

    /// Returns the access log when it has this many lines. They are written after the responses.
    fn access(&self, count: usize) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let lines = lines(&self.path("access.log"));
            if lines.len() >= count {
                return lines;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{} lines", lines.len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Reads a log: whole lines of JSON in printable ASCII.
fn lines(path: &Path) -> Vec<Value> {
    let bytes = fs::read(path).unwrap();
    let whole = bytes.len() - bytes.iter().rev().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let text = std::str::from_utf8(&bytes[..whole]).unwrap();
    assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Returns some members of a line.
fn members(line: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| (name.to_string(), line[*name].clone())).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn the_audit_log_says_who_changed_what_for_whom() {
    let logged = Logged::start(&[]);
    let server = &logged.server;
    let names = ["event", "outcome", "status", "user", "caller", "application", "signedInUser", "client"];
    let mut expected = Vec::new();
    let mut line =
        |event: &str, status: u16, user: Option<&str>, caller: &str, application: Option<&str>, me: Option<&str>| {
            let outcome = match status {
                200..300 => "done",
                401 | 403 => "refused",
                _ => "rejected",
            };
            expected.push(json!({"event": event, "outcome": outcome, "status": status, "user": user, "caller": caller,
            "application": application, "signedInUser": me, "client": "127.0.0.1"}));
        };
    let presence = |user: &str, action: &str| format!("/v1.0/users/{user}/presence/{action}");
    let set = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"});
    let secret = "the text of a message";
    let message = json!({"statusMessage": {"message": {"content": secret, "contentType": "text"}}});

    server.post("teams", &presence(ADELE, "setPresence"), &set);
    line("setPresence", 200, Some(ADELE), "application", Some(TEAMS), None);
    server.post("adele", &presence(ADELE, "setStatusMessage"), &message);
    line("setStatusMessage", 200, Some(ADELE), "user", Some(TEAMS), Some(ADELE));
    server.post("adele", &presence(BOB, "setStatusMessage"), &message);
    line("setStatusMessage", 401, Some(BOB), "user", Some(TEAMS), Some(ADELE));
    server.post("teams", &presence(ADELE, "clearPresence"), &json!({"sessionId": OTHER}));
    line("clearPresence", 403, Some(ADELE), "application", Some(TEAMS), None);
    server.post("teams", &presence(BOB, "clearPresence"), &json!({"sessionId": TEAMS}));
    line("clearPresence", 404, Some(BOB), "application", Some(TEAMS), None);
    // Reads are not changes, but one that was refused is written.
    server.get("teams", &format!("/v1.0/users/{ADELE}/presence"));
    server.get("self", &format!("/v1.0/users/{BOB}/presence"));
    line("getPresence", 403, Some(BOB), "user", Some(TEAMS), Some(ADELE));
    server.get("unknown-secret", &format!("/v1.0/users/{ADELE}/presence"));
    line("getPresence", 401, None, "anonymous", None, None);
    server.get("explainer", &format!("/v1.0/users/{ADELE}/presence/explain"));
    line("explainPresence", 200, Some(ADELE), "application", Some(TEAMS), None);
    server.get("dev", "/admin/users");
    line("listUsers", 200, None, "developer", None, None);
    server.get("teams", "/admin/users");
    line("listUsers", 403, None, "application", Some(TEAMS), None);
    server.post_empty("dev", &format!("/admin/users/{ADELE}/signOut"));
    line("signOutUser", 200, Some(ADELE), "developer", None, None);
    server.send("DELETE", &format!("/admin/users/{ADELE}"), &[("authorization", "Bearer dev")], b"");
    line("eraseUser", 204, Some(ADELE), "developer", None, None);
    server.send("DELETE", &format!("/admin/users/{ADELE}"), &[("authorization", "Bearer adele")], b"");
    line("eraseUser", 403, None, "user", Some(TEAMS), Some(ADELE));
    server.post_empty("dev", "/dev/advance?seconds=1");
    line("advance", 200, None, "developer", None, None);
    server.post("dev", &format!("/dev/users/{BOB}/outOfOffice"), &json!({"isOutOfOffice": true, "message": secret}));
    line("outOfOffice", 200, Some(BOB), "developer", None, None);
    // A rejected body names nothing that was about to be done.
    server.post("teams", &presence(ADELE, "setPresence"), &json!({}));
    expected.iter_mut().filter(|line| line["event"] == "signOutUser").for_each(|line| line["status"] = json!(204));

    let lines = logged.audit();
    let found: Vec<_> = lines.iter().map(|line| members(line, &names)).collect();
    assert_eq!(found, expected);
    let what = members(&lines[0], &["sessionId", "availability", "activity"]);
    assert_eq!(what, json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"}));
    let refused = lines.iter().find(|line| line["event"] == "eraseUser" && line["status"] == 403).unwrap();
    assert_eq!(refused["path"], format!("/admin/users/{ADELE}"));
    for name in ["audit.log", "access.log"] {
        let text = fs::read_to_string(logged.path(name)).unwrap();
        assert!(!text.contains(secret) && !text.contains("unknown-secret") && !text.contains("Bearer"), "{name}");
    }
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(logged.path("audit.log")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn each_element_of_a_batch_has_its_line() {
    let logged = Logged::start(&[]);
    let element = |id: usize, user: &str, action: &str, body: Value| {
        json!({"id": id.to_string(), "method": "POST", "url": format!("/users/{user}/presence/{action}"),
            "headers": {"content-type": "application/json"}, "body": body})
    };
    let set = json!({"sessionId": TEAMS, "availability": "Away", "activity": "Away"});
    let batch = json!({"requests": [
        element(1, ADELE, "setPresence", set.clone()),
        {"id": "2", "method": "GET", "url": format!("/users/{ADELE}/presence")},
        element(3, BOB, "setPresence", set),
        element(4, ADELE, "clearPresence", json!({"sessionId": OTHER})),
        element(5, ADELE, "clearPresence", json!({"sessionId": TEAMS})),
        element(6, ADELE, "clearPresence", json!({"sessionId": TEAMS})),
    ]});
    assert_eq!(logged.server.post("adele", "/v1.0/$batch", &batch).status, 200);
    let found: Vec<_> =
        logged.audit().iter().map(|line| members(line, &["event", "status", "user", "element"])).collect();
    assert_eq!(
        found,
        [
            json!({"event": "setPresence", "status": 200, "user": ADELE, "element": 0}),
            json!({"event": "setPresence", "status": 401, "user": BOB, "element": 2}),
            json!({"event": "clearPresence", "status": 403, "user": ADELE, "element": 3}),
            json!({"event": "clearPresence", "status": 200, "user": ADELE, "element": 4}),
            json!({"event": "clearPresence", "status": 404, "user": ADELE, "element": 5}),
        ]
    );
}

/// What nobody waits for is carried out all the same, so it has its line.
#[test]
fn a_change_whose_client_hangs_up_has_its_line() {
    let logged = Logged::start(&[]);
    let mut changed = 0;
    let began = Instant::now();
    while logged.audit().len() < 20 || changed < 20 {
        assert!(began.elapsed() < Duration::from_secs(60));
        let mut stream = logged.server.connect();
        let body = format!(r#"{{"sessionId":"{TEAMS}","availability":"Away","activity":"Away"}}"#);
        let head = format!(
            "POST /v1.0/users/{}/presence/setPresence HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            numbered(changed),
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        drop(stream);
        changed += 1;
    }
    // Who was changed has a line; a request that was never read has neither.
    let users: Vec<_> = (0..changed).map(numbered).collect();
    let presences = logged.server.presences(&users);
    let is_away = |presence: &&Value| presence["activity"] == "Away";
    let changed: Vec<_> = presences.iter().filter(is_away).map(|presence| presence["id"].as_str().unwrap()).collect();
    // Nobody has waited for these lines, so they may come a little later than what they tell.
    let lines = loop {
        let lines = logged.audit();
        let has_line = |user: &&str| lines.iter().any(|line| line["user"] == **user);
        match changed.iter().find(|user| !has_line(user)) {
            None => break lines,
            Some(user) => assert!(began.elapsed() < Duration::from_secs(120), "{user} has none"),
        }
    };
    assert!(lines.iter().all(|line| ["done", "unknown"].contains(&line["outcome"].as_str().unwrap())));
}

/// The guarantee: the line of a change is in the file before its response is sent, also if the process is killed then.
#[test]
fn each_acknowledged_change_has_its_line_after_a_kill() {
    let mut logged = Logged::start(&[]);
    let acknowledged = std::sync::Mutex::new(Vec::new());
    let served = AtomicUsize::new(0);
    let base = logged.server.base.trim_start_matches("http://").to_owned();
    let id = logged.server.id();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (acknowledged, served, base) = (&acknowledged, &served, &base);
            scope.spawn(move || {
                let mut stream = std::net::TcpStream::connect(base).unwrap();
                for number in 0.. {
                    let id = format!("{thread}-{number}");
                    let body = format!(r#"{{"sessionId":"{TEAMS}","availability":"Away","activity":"Away"}}"#);
                    let head = format!(
                        "POST /v1.0/users/{}/presence/setPresence HTTP/1.1\r\nhost: localhost\r\n\
                         authorization: Bearer dev\r\ncontent-type: application/json\r\nclient-request-id: {id}\r\n\
                         content-length: {}\r\n\r\n",
                        numbered(thread),
                        body.len()
                    );
                    let mut answer = [0; 12];
                    if stream.write_all((head + &body).as_bytes()).is_err() || stream.read_exact(&mut answer).is_err() {
                        return;
                    }
                    assert_eq!(&answer, b"HTTP/1.1 200");
                    acknowledged.lock().unwrap().push(id);
                    served.fetch_add(1, Ordering::Relaxed);
                    // The rest of the response.
                    let mut rest = Vec::new();
                    while !rest.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        if stream.read_exact(&mut byte).is_err() {
                            return;
                        }
                        rest.push(byte[0]);
                    }
                }
            });
        }
        let began = Instant::now();
        while served.load(Ordering::Relaxed) < 300 && began.elapsed() < Duration::from_secs(60) {
            std::thread::yield_now();
        }
        let killed = std::process::Command::new("kill").args(["-KILL", &id.to_string()]).status();
        assert!(killed.unwrap().success());
    });
    logged.server.kill();
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= 300);
    let lines = logged.audit();
    let ids: std::collections::HashSet<_> =
        lines.iter().map(|line| line["clientRequestId"].as_str().unwrap()).collect();
    for id in &acknowledged {
        assert!(ids.contains(id.as_str()), "no line of {id}");
    }
}

#[test]
fn each_request_has_its_line_whatever_it_sends() {
    let logged = Logged::start(&[]);
    let long = "x".repeat(20_000);
    let requests: Vec<(Vec<u8>, u64, &str)> = vec![
        (b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nuser-agent: a\"b\\c\t\r\n\r\n".into(), 200, "live"),
        (b"GET /nowhere%0A%E2%80%A8?token=secret HTTP/1.1\r\nhost: localhost\r\nuser-agent: \xff\xfe\xe2\x80\xa8\xc2\x85\r\n\r\n".into(), 401, "unknown"),
        (format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\nuser-agent: {long}\r\nx-forwarded-for: {long}\r\n\r\n").into(), 401, "unknown"),
        ("GET /\u{2028}\u{85}é HTTP/1.1\r\nhost: localhost\r\n\r\n".into(), 401, "unknown"),
        (b"BREW /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".into(), 405, "unknown"),
        (b"HEAD /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".into(), 200, "metrics"),
        (b"GET /metrics HTTP/1.1\r\nhost: evil.example\r\n\r\n".into(), 421, "unknown"),
        (b"GET /\x00\x01 HTTP/1.1\r\nhost: localhost\r\n\r\n".into(), 400, "rejected"),
        (format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(80_000)).into(), 431, "rejected"),
    ];
    for (number, (request, status, name)) in requests.iter().enumerate() {
        let mut stream = logged.server.connect();
        // The server may close while the rest of a long head is sent.
        let _ = stream.write_all(request);
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(text, format!("HTTP/1.1 {status}"), "{:?}", String::from_utf8_lossy(&request[..40]));
        drop(stream);
        let lines = logged.access(number + 1);
        assert_eq!(lines.len(), number + 1, "{name}");
        let line = &lines[number];
        assert_eq!((line["status"].as_u64(), line["client"].as_str()), (Some(*status), Some("127.0.0.1")), "{line}");
        assert_eq!(if *name == "rejected" { &line["event"] } else { &line["operation"] }, name, "{line}");
        assert!(line.to_string().len() < 4000 && !line.to_string().contains("secret"), "{line}");
    }
    let body = logged.server.get("dev", &format!("/v1.0/users/{ADELE}/presence")).text;
    let line = &logged.access(requests.len() + 1)[requests.len()];
    let expected = json!({"method": "GET", "path": format!("/v1.0/users/{ADELE}/presence"), "operation": "getPresence",
        "caller": "developer", "bytes": body.len(), "complete": true});
    assert_eq!(members(line, &["method", "path", "operation", "caller", "bytes", "complete"]), expected);
}

#[test]
fn a_stream_has_its_line_when_it_ends() {
    let logged = Logged::start(&[]);
    let mut stream = logged.server.connect();
    stream
        .write_all(b"GET /presence/changes HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n")
        .unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    logged.server.get("dev", "/health/live");
    assert_eq!(logged.access(1)[0]["operation"], "live");
    drop(stream);
    // The server notices with the next event.
    logged.server.set(ADELE, TEAMS, "Away", "PT1H");
    let lines = logged.access(3);
    let line = lines.iter().find(|line| line["operation"] == "changes").unwrap();
    assert_eq!((line["status"].as_u64(), line["complete"].as_bool()), (Some(200), Some(false)), "{line}");
}

#[test]
fn logs_are_opened_anew_on_hang_up() {
    let logged = Logged::start(&[]);
    let (path, earlier) = (logged.path("audit.log"), logged.path("audit.log.1"));
    logged.server.set(ADELE, TEAMS, "Away", "PT1H");
    fs::rename(&path, &earlier).unwrap();
    logged.server.set(BOB, TEAMS, "Away", "PT1H");
    logged.server.signal("HUP");
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(10));
    }
    logged.server.set(&numbered(1), TEAMS, "Away", "PT1H");
    let users =
        |path: &Path| lines(path).iter().map(|line| line["user"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(users(&earlier), [ADELE, BOB]);
    assert_eq!(users(&path), [numbered(1)]);
}

/// A log on a full disk stops nothing, and its loss shows.
#[test]
fn a_log_without_room_stops_nothing() {
    let own = TempDir::new().unwrap();
    let options = ["--virtual-clock", "--audit-log", "/dev/full", "--access-log", "/dev/full"];
    let mut server = Server::start_on(own.path(), &options);
    for number in 0..50 {
        assert_eq!(server.set(&numbered(number), TEAMS, "Away", "PT1H").status, 200);
    }
    assert!(server.metric("presence_log_lines_total{log=\"audit\"}") >= 50.0);
    server.terminate();
    assert!(server.wait().success());
}

#[test]
fn a_log_that_cannot_be_opened_keeps_the_server_from_starting() {
    let own = TempDir::new().unwrap();
    let data = own.path().join("data");
    let output = crate::support::program()
        .args(["--listen", "127.0.0.1:0", "--audit-log", "/nowhere/audit.log", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(messages.contains("--audit-log /nowhere/audit.log: No such file"), "{messages}");
    assert!(!data.exists());
}

/// The first line on standard output stays the address; the lines follow it.
#[test]
fn a_log_may_go_to_standard_output() {
    use std::io::{BufRead, BufReader};
    let own = TempDir::new().unwrap();
    let mut child = crate::support::program()
        .args(["--listen", "127.0.0.1:0", "--access-log", "stdout", "--audit-log", "stdout", "--data"])
        .arg(own.path().join("data"))
        .args(["--dev-token", "dev"])
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = out.next().unwrap().rsplit('/').next().unwrap().to_owned();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /admin/users HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n").unwrap();
    let mut found: Vec<Value> = out.by_ref().take(2).map(|line| serde_json::from_str(&line).unwrap()).collect();
    found.sort_by_key(|line| line["log"].to_string());
    let found: Vec<_> = found.iter().map(|line| members(line, &["log", "event", "operation"])).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        found,
        [
            json!({"log": "access", "event": "request", "operation": "listUsers"}),
            json!({"log": "audit", "event": "listUsers", "operation": null}),
        ]
    );
}
