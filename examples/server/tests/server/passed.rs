//! Tests of sockets that a service manager opens and passes, as one does that restarts the server.

use crate::support::{ADELE, program};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Passes standard input as the first file behind the standard ones, and standard error as the second if there are two.
const PASS: &str = r#"exec 3<&0 </dev/null
[ "$LISTEN_FDS" = 1 ] || exec 4<&2 2>/dev/null
LISTEN_PID=$$ exec "$@""#;

/// Returns the server's command, with one or two files passed to it, and `--listen systemd`.
fn passed_to(own: &Path, first: impl Into<OwnedFd>, second: Option<OwnedFd>) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", PASS, "sh"]).arg(program().get_program());
    shell.env("LISTEN_FDS", if second.is_some() { "2" } else { "1" });
    shell.stdin(first.into()).stdout(Stdio::piped()).stderr(second.map_or_else(Stdio::piped, Stdio::from));
    shell.args(["--listen", "systemd", "--data"]).arg(own.join("data"));
    shell
}

/// Starts a server, and returns it with its first line.
fn start(mut command: Command) -> (Child, String) {
    let mut child = command.args(["--dev-token", "dev"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim_end().to_owned())
}

fn end(mut child: Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

fn ask(mut stream: impl Write) {
    let head = "host: localhost\r\nauthorization: Bearer dev\r\nconnection: close\r\n";
    stream.write_all(format!("GET /v1.0/users/{ADELE}/presence HTTP/1.1\r\n{head}\r\n").as_bytes()).unwrap();
}

fn is_answered(mut stream: impl Read) -> bool {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.starts_with("HTTP/1.1 200 OK\r\n")
}

#[test]
fn connections_wait_in_passed_sockets_until_the_next_server_serves_them() {
    let own = TempDir::new().unwrap();
    let path = own.path().join("presence.sock");
    let (tcp, unix) = (TcpListener::bind("127.0.0.1:0").unwrap(), UnixListener::bind(&path).unwrap());
    let address = tcp.local_addr().unwrap();
    for _ in 0..3 {
        // More than one, and on both: no process is there to accept them.
        let waiting: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
        let local = UnixStream::connect(&path).unwrap();
        waiting.iter().for_each(ask);
        ask(&local);
        let server = passed_to(own.path(), tcp.try_clone().unwrap(), Some(unix.try_clone().unwrap().into()));
        let (child, line) = start(server);
        assert_eq!(line, format!("listening on http://{address}, unix:{}", path.display()));
        assert!(waiting.into_iter().all(is_answered));
        assert!(is_answered(local));
        end(child);
        assert!(path.exists(), "the file of a passed socket is not the server's");
    }
}

#[test]
fn clients_that_come_at_once_find_room_in_a_passed_socket() {
    let kernel = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let count = kernel.trim().parse().unwrap_or(usize::MAX).min(600);
    let own = TempDir::new().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let (child, _) = start(passed_to(own.path(), tcp.try_clone().unwrap(), None));
    end(child);
    let connect = |_| TcpStream::connect_timeout(&address, std::time::Duration::from_secs(20));
    let waiting: Vec<_> = (0..count).map(connect).collect::<Result<_, _>>().unwrap();
    let (child, _) = start(passed_to(own.path(), tcp, None));
    waiting.iter().for_each(ask);
    assert!(waiting.into_iter().all(is_answered));
    end(child);
}

/// Starts a server that must refuse to start, and returns its messages.
fn refusal(own: &Path, mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!own.join("data").exists(), "no data was touched");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn only_sockets_that_listen_are_served() {
    let own = TempDir::new().unwrap();
    let another = std::process::id().to_string();
    // What was passed to another process is not this one's.
    for environment in [vec![], vec![("LISTEN_FDS", "1"), ("LISTEN_PID", &another)], vec![("LISTEN_FDS", "x")]] {
        let mut command = program();
        command.args(["--listen", "systemd", "--data"]).arg(own.path().join("data")).envs(environment);
        let told = refusal(own.path(), command);
        assert!(told.contains("--listen systemd: no socket was passed"), "{told}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let files: [(OwnedFd, &str); 3] = [
        (
            File::open("/dev/null").unwrap().into(),
            "the passed file 3 is neither a TCP socket nor a Unix socket of streams",
        ),
        (UdpSocket::bind("127.0.0.1:0").unwrap().into(), "the passed file 3 is neither"),
        (connected.into(), "the passed socket 3 does not listen"),
    ];
    for (file, expected) in files {
        let told = refusal(own.path(), passed_to(own.path(), file, None));
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn rules_of_loopback_addresses_hold_for_passed_sockets() {
    let own = TempDir::new().unwrap();
    let mut open = passed_to(own.path(), TcpListener::bind("0.0.0.0:0").unwrap(), None);
    open.args(["--dev-token", "dev"]);
    let told = refusal(own.path(), open);
    assert!(told.contains("--dev-token: a development token needs a loopback address"), "{told}");
    // Where both are passed, the open one counts.
    let (local, all) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("0.0.0.0:0").unwrap());
    let mut both = passed_to(own.path(), local, Some(all.into()));
    assert_eq!(both.args(["--dev-token", "dev"]).status().unwrap().code(), Some(2));
    // At a loopback address the server is asked under names of this machine.
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let (child, _) = start(passed_to(own.path(), tcp, None));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /openapi.json HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 421 "), "{text}");
    end(child);
}
