//! Tests of the places to listen at, and of the limits of connections.

use crate::support::{ADELE, program};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server whose first line was read.
struct Started {
    child: Child,
    line: String,
    _data: TempDir,
}

impl Started {
    fn with(options: &[&str]) -> Self {
        let data = TempDir::new().unwrap();
        let mut command = program();
        command.args(options).args(["--dev-token", "dev", "--data"]).arg(data.path());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, line: line.trim_end().to_owned(), _data: data }
    }

    fn port(&self) -> u16 {
        self.line.rsplit(':').next().unwrap().parse().unwrap_or_else(|_| panic!("{}", self.line))
    }

    /// Sends a signal, and waits for the end.
    fn end(&mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a user over this connection, and returns the first line of the response.
fn read_user(mut stream: impl Read + Write) -> String {
    let head = "host: localhost\r\nauthorization: Bearer dev\r\nconnection: close\r\n";
    stream.write_all(format!("GET /v1.0/users/{ADELE}/presence HTTP/1.1\r\n{head}\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn localhost_is_both_families() {
    // A machine without IPv6 has only one.
    let has_v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    for _ in 0..4 {
        let server = Started::with(&["--listen", "localhost:0"]);
        assert_eq!(server.line, format!("listening on http://127.0.0.1:{}", server.port()));
        assert_eq!(read_user(TcpStream::connect(("127.0.0.1", server.port())).unwrap()), "HTTP/1.1 200 OK");
        if has_v6 {
            assert_eq!(read_user(TcpStream::connect((Ipv6Addr::LOCALHOST, server.port())).unwrap()), "HTTP/1.1 200 OK");
        }
    }
    if has_v6 {
        let server = Started::with(&["--listen", "[::1]:0"]);
        assert_eq!(server.line, format!("listening on http://[::1]:{}", server.port()));
        assert_eq!(read_user(TcpStream::connect((Ipv6Addr::LOCALHOST, server.port())).unwrap()), "HTTP/1.1 200 OK");
    }
}

/// With the usual queue of 128, most of many clients that come at once try again a second or more later.
#[test]
fn clients_that_come_at_once_wait_to_be_accepted() {
    let kernel = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let count = kernel.trim().parse().unwrap_or(usize::MAX).min(600);
    let server = Started::with(&["--listen", "127.0.0.1:0", "--idle-seconds", "3600"]);
    let signal = |name: &str| Command::new("kill").args([name, &server.child.id().to_string()]).status().unwrap();
    signal("-STOP");
    let address = ([127, 0, 0, 1], server.port()).into();
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_secs(20));
    let waiting: Vec<_> = (0..count).map(connect).collect::<Result<_, _>>().unwrap();
    signal("-CONT");
    for stream in waiting {
        assert_eq!(read_user(stream), "HTTP/1.1 200 OK");
    }
}

/// Starts a server that must refuse to start, and returns its messages.
fn start_error(command: &mut Command) -> String {
    let data = TempDir::new().unwrap();
    let output = command.args(["--dev-token", "dev", "--data"]).arg(data.path().join("data")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!data.path().join("data").exists(), "no data was touched");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_unix_socket_is_served_replaced_when_stale_and_removed() {
    let own = TempDir::new().unwrap();
    let path = own.path().join("presence.sock");
    let place = format!("unix:{}", path.display());
    let connect = |path: &Path| read_user(UnixStream::connect(path).unwrap());
    let mut server = Started::with(&["--listen", &place]);
    assert_eq!(server.line, format!("listening on {place}"));
    assert_eq!(connect(&path), "HTTP/1.1 200 OK");
    assert!(start_error(program().args(["--listen", &place])).contains(&format!("--listen {place}: address in use")));
    assert_eq!(connect(&path), "HTTP/1.1 200 OK", "the first one still serves");
    server.end("-KILL");
    assert!(path.exists(), "a killed server leaves its file");
    let mut server = Started::with(&["--listen", &place]);
    assert_eq!(connect(&path), "HTTP/1.1 200 OK");
    assert_eq!(server.end("-TERM"), Some(0));
    assert!(!path.exists());
    // The file of another process's socket, and files that are none, stay.
    std::fs::write(&path, "mine").unwrap();
    assert!(
        start_error(program().args(["--listen", &place]))
            .contains(&format!("--listen {place}: the file is not a socket"))
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    std::fs::remove_file(&path).unwrap();
    let mut server = Started::with(&["--listen", &place]);
    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    assert_eq!(server.end("-TERM"), Some(0));
    assert!(path.exists());
}

#[test]
fn idle_connections_are_closed_in_the_given_time() {
    let [patient, server] =
        ["3600", "1"].map(|idle| Started::with(&["--listen", "127.0.0.1:0", "--idle-seconds", idle]));
    let began = Instant::now();
    let [mut kept, mut silent] =
        [&patient, &server].map(|server| TcpStream::connect(("127.0.0.1", server.port())).unwrap());
    assert_eq!(silent.read(&mut [0]).unwrap(), 0, "it is closed without a response");
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    kept.set_nonblocking(true).unwrap();
    assert_eq!(kept.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "it is open");
}

#[test]
fn for_a_connection_beyond_the_limit_an_idle_one_is_closed() {
    let server = Started::with(&["--listen", "127.0.0.1:0", "--connections", "1", "--idle-seconds", "3600"]);
    let connect = || TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let read_all = |mut stream: TcpStream| {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    // It may be about to send a request, so it is told to come back.
    let silent = connect();
    assert_eq!(read_user(connect()), "HTTP/1.1 200 OK");
    let told = read_all(silent);
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("\r\nretry-after: "), "{told}");
    // One that has had its response is closed without another.
    let mut served = connect();
    let head = "GET /nowhere HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n";
    served.write_all(head.as_bytes()).unwrap();
    let mut status = [0; 12];
    served.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 404");
    assert_eq!(read_user(connect()), "HTTP/1.1 200 OK");
    let rest = read_all(served);
    assert!(!rest.contains("HTTP/1.1 "), "{rest}");
}

#[test]
fn connections_of_this_machine_wait_while_all_are_busy() {
    let server = Started::with(&["--listen", "127.0.0.1:0", "--connections", "1", "--idle-seconds", "3600"]);
    let mut feed = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let request = "GET /presence/changes HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n";
    feed.write_all(request.as_bytes()).unwrap();
    let mut status = [0; 12];
    feed.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    let port = server.port();
    let second = std::thread::spawn(move || read_user(TcpStream::connect(("127.0.0.1", port)).unwrap()));
    std::thread::sleep(Duration::from_millis(300));
    assert!(!second.is_finished(), "it is not served beside the first");
    drop(feed);
    assert_eq!(second.join().unwrap(), "HTTP/1.1 200 OK");
}

#[test]
fn the_limit_of_open_files_is_raised_and_told() {
    let limited = |limits: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{limits} exec \"$0\" \"$@\"")]).arg(program().get_program());
        shell
    };
    let refused = start_error(limited("ulimit -n 500;").args(["--listen", "127.0.0.1:0", "--connections", "450"]));
    assert!(refused.contains("--connections 450") && refused.contains("limit of open files"), "{refused}");
    // The soft limit is raised to the hard one.
    let data = TempDir::new().unwrap();
    let mut server = limited("ulimit -Sn 100; ulimit -Hn 2000;")
        .args(["--listen", "127.0.0.1:0", "--connections", "1500", "--dev-token", "dev", "--data"])
        .arg(data.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["2000", "2000"]);
}
