//! Tests of signals: caught from the start on, and without loss of a request.

use crate::support::{ADELE, Server, TEAMS, numbered, program};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const TERMINATE: u32 = 15;
const HANG_UP: u32 = 1;
const INTERRUPT: u32 = 2;

fn spawn(data: &Path) -> Child {
    let options = ["--listen", "127.0.0.1:0", "--virtual-clock", "--dev-token", "dev", "--data"];
    program().args(options).arg(data).spawn().unwrap()
}

fn send(child: &Child, signal: u32) {
    let status = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// Reports whether a process catches a signal.
fn catches(child: &Child, signal: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() & (1 << (signal - 1)) != 0
}

/// Waits for the end of a process, and returns its status, standard output and standard error.
fn finish(mut child: Child) -> (Option<i32>, String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (child.wait().unwrap().code(), out, err)
}

fn assert_shut_down(data: &Path) {
    let names: Vec<_> = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name == "shards"), "{names:?}");
    assert!(!names.iter().any(|name| name.to_str().unwrap().ends_with("-wal")), "{names:?}");
}

#[test]
fn signals_during_a_start_are_handled_after_it() {
    for signal in [TERMINATE, INTERRUPT] {
        // Another server holds the data, so the start waits for as long as the test needs.
        let own = tempfile::TempDir::new().unwrap();
        let lock = fs::File::create(own.path().join("lock")).unwrap();
        lock.lock().unwrap();
        let child = spawn(own.path());
        let began = Instant::now();
        while ![TERMINATE, INTERRUPT, HANG_UP].iter().all(|signal| catches(&child, *signal)) {
            assert!(began.elapsed() < Duration::from_secs(20), "the start catches no signals");
        }
        send(&child, HANG_UP);
        send(&child, signal);
        drop(lock);
        let (status, _, messages) = finish(child);
        assert_eq!(status, Some(0), "{messages}");
        assert_shut_down(own.path());
    }
}

#[test]
fn a_signal_right_after_the_address_shuts_down() {
    let own = tempfile::TempDir::new().unwrap();
    for _ in 0..5 {
        let mut child = spawn(own.path());
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        send(&child, TERMINATE);
        child.stdout = Some(out.into_inner());
        let (status, _, messages) = finish(child);
        assert_eq!(status, Some(0), "{messages}");
        assert_shut_down(own.path());
    }
}

#[test]
fn a_hang_up_in_a_storm_of_requests_loses_none() {
    let server = Server::start();
    let (is_over, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut feed = server.connect();
    feed.write_all(b"GET /presence/changes HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n").unwrap();
    std::thread::scope(|scope| {
        let storm: Vec<_> = (0..4)
            .map(|thread| {
                let (server, is_over, served) = (&server, &is_over, &served);
                scope.spawn(move || {
                    let user = numbered(thread);
                    for activity in ["Away", "InACall"].into_iter().cycle() {
                        assert_eq!(server.set(&user, TEAMS, activity, "PT5M").status, 200);
                        assert_eq!(server.get("dev", &format!("/v1.0/users/{user}/presence")).status, 200);
                        served.fetch_add(1, Ordering::Relaxed);
                        if is_over.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                })
            })
            .collect();
        // Until there was a storm, or a request was lost.
        let mut signals = 0;
        while (signals < 50 || served.load(Ordering::Relaxed) < 50) && !storm.iter().any(|thread| thread.is_finished())
        {
            server.signal("HUP");
            signals += 1;
        }
        is_over.store(true, Ordering::Relaxed);
    });
    // The stream has stayed open.
    server.set(ADELE, TEAMS, "Presenting", "PT5M");
    let mut feed = BufReader::new(feed);
    let mut line = String::new();
    while !(line.contains(ADELE) && line.contains("Presenting")) {
        line.clear();
        assert!(feed.read_line(&mut line).unwrap() > 0, "the stream has ended");
    }
}

#[test]
fn a_hang_up_is_logged_and_one_during_a_shutdown_loses_no_request() {
    let own = tempfile::TempDir::new().unwrap();
    let mut child = spawn(own.path());
    let mut messages = BufReader::new(child.stderr.take().unwrap());
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let expect = |messages: &mut BufReader<_>, text: &str| {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(BufRead::read_line(messages, &mut line).unwrap() > 0, "it never says {text}");
        }
    };
    send(&child, HANG_UP);
    expect(&mut messages, "reloaded");
    // A request whose body is still coming keeps the server from ending.
    let address = line.trim().rsplit('/').next().unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let body = format!(r#"{{"sessionId":"{TEAMS}","availability":"Away","activity":"Away"}}"#);
    let head = format!(
        "POST /v1.0/users/{ADELE}/presence/setPresence HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\
         content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 100"), "the request is in flight: {line}");
    send(&child, TERMINATE);
    expect(&mut messages, "ending");
    send(&child, HANG_UP);
    expect(&mut messages, "reloaded");
    stream.write_all(body.as_bytes()).unwrap();
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("HTTP/1.1 200"), "{rest}");
    assert!(child.wait().unwrap().success());
    assert_shut_down(own.path());
}

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let own = tempfile::TempDir::new().unwrap();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let options = ["--listen", "127.0.0.1:0", "--dev-token", "dev", "--virtual-clock", "--data"];
    let mut child = program().args(options).arg(own.path()).stderr(Stdio::from(full)).spawn().unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    send(&child, HANG_UP);
    send(&child, TERMINATE);
    assert!(child.wait().unwrap().success());
    assert_shut_down(own.path());
}
