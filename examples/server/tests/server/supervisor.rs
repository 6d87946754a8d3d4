//! Tests of what the service manager is told: over a socket of the test's, with a name and without.

use crate::support::{Server, program};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The longest wait for what takes milliseconds on a machine that is not busy.
const PATIENCE: Duration = Duration::from_secs(60);

fn bind(address: &SocketAddr) -> UnixDatagram {
    let socket = UnixDatagram::bind_addr(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn receive(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let count = socket.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..count].to_vec()).unwrap()
}

/// Starts a server whose service manager listens at this address.
fn supervised(own: &TempDir, address: &str, variables: &[(&str, &str)]) -> Server {
    let mut command: Command = program();
    command.env("NOTIFY_SOCKET", address).envs(variables.iter().copied()).stderr(std::process::Stdio::null());
    Server::start_command(command, &own.path().join("data"), &["--virtual-clock"])
}

#[test]
fn the_service_manager_is_told_when_the_server_serves_and_when_it_ends() {
    let own = TempDir::new().unwrap();
    let path = own.path().join("notify");
    let name = format!("presence-{}", std::process::id());
    for (text, address) in [
        (path.to_str().unwrap(), SocketAddr::from_pathname(&path).unwrap()),
        (&format!("@{name}"), SocketAddr::from_abstract_name(&name).unwrap()),
    ] {
        let manager = bind(&address);
        let mut server = supervised(&own, text, &[]);
        assert_eq!(receive(&manager), "READY=1");
        assert_eq!(server.get("dev", "/openapi.json").status, 200);
        server.terminate();
        assert_eq!(receive(&manager), "STOPPING=1");
        assert!(server.wait().success());
        manager.set_nonblocking(true).unwrap();
        assert!(manager.recv(&mut [0; 256]).is_err(), "nothing else is said, and no watchdog was asked for");
    }
}

#[test]
fn a_watchdog_hears_again_and_again_that_the_server_lives() {
    let own = TempDir::new().unwrap();
    let path = own.path().join("notify");
    let manager = bind(&SocketAddr::from_pathname(&path).unwrap());
    let text = path.to_str().unwrap();
    let server = supervised(&own, text, &[("WATCHDOG_USEC", "200000")]);
    assert_eq!(receive(&manager), "READY=1");
    for _ in 0..5 {
        assert_eq!(receive(&manager), "WATCHDOG=1");
    }
    drop(server);
    while manager.set_nonblocking(true).is_ok() && manager.recv(&mut [0; 256]).is_ok() {}
    // That of another process is not this one's.
    manager.set_nonblocking(false).unwrap();
    let another = std::process::id().to_string();
    let mut server = supervised(&own, text, &[("WATCHDOG_USEC", "1000"), ("WATCHDOG_PID", &another)]);
    assert_eq!(receive(&manager), "READY=1");
    assert_eq!(server.get("dev", "/openapi.json").status, 200);
    server.terminate();
    assert_eq!(receive(&manager), "STOPPING=1");
    assert!(server.wait().success());
}

#[test]
fn a_service_manager_that_does_not_listen_ends_nothing() {
    let own = TempDir::new().unwrap();
    let mut server = supervised(&own, own.path().join("nobody").to_str().unwrap(), &[("WATCHDOG_USEC", "1000")]);
    assert_eq!(server.get("dev", "/openapi.json").status, 200);
    server.terminate();
    assert!(server.wait().success());
}
