//! Tests of logs on real files: full disks, renamed files, and places that take nothing.

use super::place::Output;
use super::queue::MAX_BYTES;
use super::{Log, LogPlace};
use crate::metrics::Metrics;
use std::fs;
use std::io::BufRead;
use std::path::Path;

fn open(path: &Path) -> (Log, Metrics) {
    let metrics = Metrics::new();
    (Log::open("audit", &LogPlace::File(path.to_owned()), metrics.log("audit")).unwrap(), metrics)
}

fn dropped(metrics: &Metrics) -> u64 {
    metrics.log("audit").dropped.get()
}

#[tokio::test]
async fn lines_are_in_the_file_when_they_are_waited_for() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("audit.log");
    let (log, metrics) = open(&path);
    let mut expected = String::new();
    for number in 0..200 {
        let line = format!("{{\"number\":{number}}}\n");
        expected += &line;
        log.write(line.as_bytes()).await;
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }
    log.close();
    assert_eq!((metrics.log("audit").lines.get(), dropped(&metrics)), (200, 0));
}

#[tokio::test]
async fn a_renamed_file_gets_no_more_lines_after_it_was_opened_anew() {
    let own = tempfile::TempDir::new().unwrap();
    let (path, earlier) = (own.path().join("audit.log"), own.path().join("audit.log.1"));
    let (log, _) = open(&path);
    log.write(b"1\n").await;
    fs::rename(&path, &earlier).unwrap();
    log.write(b"2\n").await;
    log.reopen();
    log.write(b"3\n").await;
    log.close();
    assert_eq!(
        (fs::read_to_string(&earlier).unwrap(), fs::read_to_string(&path).unwrap()),
        ("1\n2\n".into(), "3\n".into())
    );
}

/// A directory in the place of the file cannot be opened: the earlier file goes on.
#[tokio::test]
async fn a_file_that_cannot_be_opened_anew_stays() {
    let own = tempfile::TempDir::new().unwrap();
    let (path, earlier) = (own.path().join("audit.log"), own.path().join("audit.log.1"));
    let (log, _) = open(&path);
    fs::rename(&path, &earlier).unwrap();
    fs::create_dir(&path).unwrap();
    log.reopen();
    log.write(b"1\n").await;
    log.close();
    assert_eq!(fs::read_to_string(&earlier).unwrap(), "1\n");
}

#[test]
fn a_line_that_a_kill_has_cut_does_not_break_the_next_one() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("audit.log");
    fs::write(&path, "1\n{\"cut").unwrap();
    let (log, _) = open(&path);
    log.push(b"2\n");
    log.close();
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n{\"cut\n2\n");
}

/// The device takes nothing, as a full disk: nothing waits for it for long, and what finds no room is counted.
#[tokio::test]
async fn a_place_without_room_stops_nobody() {
    let (log, metrics) = open(Path::new("/dev/full"));
    // How long the first one waits depends on the disk, and the others do not wait at all.
    log.write(b"1\n").await;
    assert!(log.queue.is_stuck());
    let line = [&[b'x'; 1023] as &[u8], b"\n"].concat();
    for _ in 0..2 * MAX_BYTES / line.len() {
        log.write(&line).await;
    }
    // The writer may hold what came before, so the queue has room for as much as its limit.
    assert_eq!(dropped(&metrics), (MAX_BYTES / line.len()) as u64);
    log.close();
    assert_eq!(dropped(&metrics), metrics.log("audit").lines.get() + (MAX_BYTES / line.len()) as u64);
}

#[test]
fn what_makes_a_start_wait_is_no_place() {
    let own = tempfile::TempDir::new().unwrap();
    let pipe = own.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe.as_path(), own.path(), Path::new("/nowhere/audit.log")] {
        assert!(Log::open("audit", &LogPlace::File(path.to_owned()), Metrics::new().log("audit")).is_err(), "{path:?}");
    }
    assert!("".parse::<LogPlace>().is_err());
    let parsed = ["stdout", "stderr", "/dev/null"].map(|text| text.parse::<LogPlace>().unwrap().to_string());
    assert_eq!(parsed, ["stdout", "stderr", "/dev/null"]);
}

/// A pipe from which nothing is read holds some lines, the queue more, and the rest is dropped. The log says how many.
#[test]
fn the_log_tells_how_many_lines_it_has_lost() {
    const LINES: u64 = 3 * MAX_BYTES as u64 / 1024;
    let (read, write) = std::io::pipe().unwrap();
    let metrics = Metrics::new();
    let output = Output::File(std::os::fd::OwnedFd::from(write).into());
    let log = Log::start("access", &LogPlace::Stdout, output, metrics.log("access")).unwrap();
    for number in 0..LINES {
        log.push(format!("{{\"number\":{number},\"padding\":\"{}\"}}\n", "x".repeat(1000)).as_bytes());
    }
    let lost = metrics.log("access").dropped.get();
    assert!(lost > 0);
    let reader = std::thread::spawn(move || {
        let lines = std::io::BufReader::new(read).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        lines.collect::<Vec<serde_json::Value>>()
    });
    log.close();
    drop(log);
    let mut lines = reader.join().unwrap();
    let told = lines.pop().unwrap();
    assert_eq!((told["event"].as_str(), told["log"].as_str()), (Some("dropped"), Some("access")), "{told}");
    assert_eq!(told["lines"].as_u64(), Some(lost));
    let numbers: Vec<_> = lines.iter().map(|line| line["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..LINES - lost).collect::<Vec<_>>());
    assert_eq!(metrics.log("access").dropped.get(), lost);
}
