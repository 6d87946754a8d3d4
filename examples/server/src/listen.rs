//! The places to listen at: a TCP address, the loopback addresses of both families, a Unix socket, or sockets that were passed.

use crate::passed::{PassedError, PassedSocket, PassedSockets};
use rustix::fs::Mode;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::process::umask;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixSocket, UnixStream};

/// The most connections that wait to be accepted, if the kernel allows as many (`net.core.somaxconn`).
///
/// Beyond it the kernel drops what clients send, and a storm of them loses seconds: the usual 128 are soon full.
pub const BACKLOG: u32 = 4096;
/// What stands for sockets that a service manager passes.
const PASSED: &str = "systemd";
/// The most free ports that are tried until one is free in both families.
const MAX_PORTS: usize = 16;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// At a TCP address; port 0 takes a free one.
    Tcp(SocketAddr),
    /// At this port of 127.0.0.1 and ::1; 0 takes one that is free in both.
    Localhost(u16),
    /// At a Unix socket.
    Unix(PathBuf),
    /// At the sockets that a service manager passes; none until they are taken.
    Passed(Option<Arc<PassedSockets>>),
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == PASSED {
            return Ok(Self::Passed(None));
        }
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(path.into()));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Tcp(address));
        }
        match text.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) if host.eq_ignore_ascii_case("localhost") => Ok(Self::Localhost(port)),
            _ => Err("expected ADDR:PORT, localhost:PORT, unix:PATH or systemd"),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Localhost(port) => write!(f, "localhost:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Passed(_) => f.write_str(PASSED),
        }
    }
}

impl Listen {
    /// Takes the sockets that were passed, if it is to listen at them. No other thread may run yet.
    ///
    /// # Errors
    ///
    /// [`PassedError`] if there is none, or one of them cannot be served.
    pub fn take_passed(&mut self) -> Result<(), PassedError> {
        if let Self::Passed(sockets) = self {
            *sockets = Some(Arc::new(PassedSockets::take()?));
        }
        Ok(())
    }

    /// Reports whether only this machine can connect. Sockets that are still to be passed count as others.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Localhost(_) | Self::Unix(_) => true,
            // Of several, the most open one counts.
            Self::Passed(sockets) => sockets.as_ref().is_some_and(|sockets| sockets.all(Place::is_loopback)),
        }
    }

    /// Reports whether it is for this machine alone, and browsers on it can connect: at a loopback address, not at a socket.
    pub fn is_seen_by_browsers_here(&self) -> bool {
        match self {
            Self::Unix(_) => false,
            Self::Passed(Some(sockets)) => self.is_loopback() && !sockets.all(|place| matches!(place, Place::Unix(_))),
            _ => self.is_loopback(),
        }
    }

    /// Begins to listen, in a runtime.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AddrInUse`] if another process listens there.
    pub fn bind(&self) -> io::Result<Listeners> {
        match self {
            Self::Tcp(address) => {
                let listener = listen(*address)?;
                let place = Place::Tcp(listener.local_addr()?);
                Ok(Listeners { places: vec![place], sockets: vec![Socket::Tcp(listener)], _file: None })
            }
            Self::Localhost(port) => {
                let mut bound = bind_localhost(*port);
                for _ in 1..MAX_PORTS {
                    match &bound {
                        Err(error) if *port == 0 && error.kind() == ErrorKind::AddrInUse => {
                            bound = bind_localhost(0);
                        }
                        _ => break,
                    }
                }
                bound
            }
            Self::Unix(path) => {
                remove_stale(path)?;
                let socket = UnixSocket::new_stream()?;
                bind_private(&socket, path)?;
                let listener = socket.listen(BACKLOG)?;
                let file = SocketFile { path: path.clone(), id: file_id(path)? };
                Ok(Listeners {
                    places: vec![Place::Unix(path.clone())],
                    sockets: vec![Socket::Unix(listener)],
                    _file: Some(file),
                })
            }
            Self::Passed(None) => Err(ErrorKind::NotFound.into()),
            Self::Passed(Some(passed)) => {
                let sockets = passed.sockets()?.into_iter().map(Socket::of_passed).collect::<Result<_, _>>()?;
                Ok(Listeners { places: passed.places().to_vec(), sockets, _file: None })
            }
        }
    }
}

/// Listens at a TCP address.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait until connections of the last run are forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Listens at a port of both families; of IPv4 alone where there is no IPv6.
fn bind_localhost(port: u16) -> io::Result<Listeners> {
    let first = listen((Ipv4Addr::LOCALHOST, port).into())?;
    let address = first.local_addr()?;
    let mut sockets = vec![Socket::Tcp(first)];
    match listen((Ipv6Addr::LOCALHOST, address.port()).into()) {
        Ok(second) => sockets.push(Socket::Tcp(second)),
        Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(error),
        Err(error) => tracing::info!("listening at 127.0.0.1 alone, without ::1: {error}"),
    }
    Ok(Listeners { places: vec![Place::Tcp(address)], sockets, _file: None })
}

/// Binds a socket to a file that never lets other users connect, and the group only where the umask lets it write.
fn bind_private(socket: &UnixSocket, path: &Path) -> io::Result<()> {
    // The file gets its mode from the umask as it is created. A change of the mode afterwards would come too late, and the path may
    // lead elsewhere by then. No other thread creates a file meanwhile: the server has not begun.
    let usual = umask(Mode::RWXU | Mode::RWXG | Mode::RWXO);
    umask(usual | Mode::RWXO | Mode::XUSR | Mode::XGRP);
    let bound = socket.bind(path);
    umask(usual);
    bound
}

/// Removes the file of a socket at which no process listens any more.
fn remove_stale(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "the file is not a socket"));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(ErrorKind::AddrInUse.into()),
    }
}

/// The file of a socket, removed when the server ends unless it is another's by then.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// The device and the number of the file.
    id: (u64, u64),
}

/// Returns the device and the number of a file.
fn file_id(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if file_id(&self.path).is_ok_and(|id| id == self.id) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The bytes of a connection, of whatever kind.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {
    /// Reports whether something has come, by asking the kernel: bytes, the end, or an error.
    fn has_begun(&self) -> bool;

    /// Waits until something has come. Reads none of it.
    fn poll_begun(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Sends a response to a connection that is to be dropped, as far as that needs no waiting.
    fn send_last(&self, response: &[u8]);
}

macro_rules! stream {
    ($stream:ty) => {
        impl Stream for $stream {
            fn has_begun(&self) -> bool {
                !peek(self).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
            }

            fn poll_begun(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                loop {
                    // It may be ready although nothing has come: then asking the kernel makes it wait.
                    ready!(self.poll_read_ready(context))?;
                    match self.try_io(Interest::READABLE, || peek(self)) {
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        found => return Poll::Ready(found),
                    }
                }
            }

            fn send_last(&self, response: &[u8]) {
                send_last(self, response);
            }
        }
    };
}

stream!(TcpStream);
stream!(UnixStream);

fn peek(socket: impl AsFd) -> io::Result<()> {
    recv(socket, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
    Ok(())
}

fn send_last(socket: impl AsFd, response: &[u8]) {
    // Closing a socket with unread bytes resets the connection, which may take the response from the client.
    let _ = recv(&socket, &mut [0; 4096], RecvFlags::DONTWAIT);
    let _ = send(socket, response, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}

/// A connection, and its peer's address; none at a Unix socket.
type Accepted = (Box<dyn Stream>, Option<IpAddr>);

impl Socket {
    /// Hands a passed socket to the runtime.
    fn of_passed(socket: PassedSocket) -> io::Result<Self> {
        match socket {
            PassedSocket::Tcp(listener) => TcpListener::from_std(listener).map(Self::Tcp),
            PassedSocket::Unix(listener) => UnixListener::from_std(listener).map(Self::Unix),
        }
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match self {
            Self::Tcp(listener) => listener.poll_accept(context).map_ok(|(stream, peer)| {
                // Responses are written whole, so waiting for more to send would gain nothing.
                let _ = stream.set_nodelay(true);
                (Box::new(stream) as Box<dyn Stream>, Some(peer.ip()))
            }),
            Self::Unix(listener) => {
                listener.poll_accept(context).map_ok(|(stream, _)| (Box::new(stream) as Box<dyn Stream>, None))
            }
        }
    }
}

/// Where a server listens, as its first line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Place {
    /// Reports whether only this machine can connect.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }

    /// Returns the arguments of curl for a path below this place.
    pub fn curl(&self, path: &str) -> String {
        match self {
            Self::Tcp(_) => format!("{self}{path}"),
            Self::Unix(socket) => format!("--unix-socket '{}' http://localhost{path}", socket.display()),
        }
    }
}

/// The open sockets at which a server listens.
#[derive(Debug)]
pub struct Listeners {
    /// The places that are printed.
    pub places: Vec<Place>,
    sockets: Vec<Socket>,
    _file: Option<SocketFile>,
}

impl Listeners {
    /// Accepts the next connection. Returns it with its peer's address; none at a Unix socket.
    pub async fn accept(&self) -> io::Result<Accepted> {
        std::future::poll_fn(|context| {
            let accepted = self.sockets.iter().map(|socket| socket.poll_accept(context));
            accepted.into_iter().find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_three_forms() {
        let tcp = |text: &str| Ok(Listen::Tcp(text.parse().unwrap()));
        for (text, expected, is_loopback) in [
            ("127.0.0.1:0", tcp("127.0.0.1:0"), true),
            ("0.0.0.0:8080", tcp("0.0.0.0:8080"), false),
            ("[::1]:8080", tcp("[::1]:8080"), true),
            ("[::]:8080", tcp("[::]:8080"), false),
            ("localhost:8080", Ok(Listen::Localhost(8080)), true),
            ("LocalHost:0", Ok(Listen::Localhost(0)), true),
            ("unix:/run/x.sock", Ok(Listen::Unix("/run/x.sock".into())), true),
            ("unix:x.sock", Ok(Listen::Unix("x.sock".into())), true),
            ("systemd", Ok(Listen::Passed(None)), false),
        ] {
            let parsed = text.parse::<Listen>();
            assert_eq!(parsed, expected, "{text}");
            let parsed = parsed.unwrap();
            assert_eq!(parsed.is_loopback(), is_loopback, "{text}");
            assert_eq!(parsed.is_seen_by_browsers_here(), is_loopback && !text.starts_with("unix:"), "{text}");
            assert_eq!(parsed.to_string(), text.replace("LocalHost", "localhost"));
        }
        for text in ["", "8080", "unix:", "localhost", "localhost:", "localhost:65536", "example.com:80", "::1:80", "x"]
        {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
