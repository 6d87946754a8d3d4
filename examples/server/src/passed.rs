//! Sockets that a service manager has opened and passes to the server, as `sd_listen_fds(3)` describes.
//!
//! They stay open while no server runs: clients that connect meanwhile wait in the socket's queue until the next one accepts.

use crate::listen::{BACKLOG, Place};
use listenfd::ListenFd;
use rustix::net::listen;
use rustix::net::sockopt::socket_acceptconn;
use std::fmt;
use std::io;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;

/// The number of the first passed file.
const FIRST: usize = 3;

/// Sockets that were passed, of which there is at least one.
#[derive(Debug)]
pub struct PassedSockets {
    sockets: Vec<PassedSocket>,
    places: Vec<Place>,
}

/// A socket that listens, and blocks no thread.
#[derive(Debug)]
pub enum PassedSocket {
    /// A TCP socket.
    Tcp(TcpListener),
    /// A Unix socket, whose file is the service manager's.
    Unix(UnixListener),
}

/// What was passed is not what a server needs.
#[derive(Debug)]
pub enum PassedError {
    /// No socket was passed.
    Nothing,
    /// A file, by its number, that is neither a TCP nor a Unix stream socket.
    NotASocket(usize),
    /// A socket, by its number, that is connected or bound, and does not listen.
    NotListening(usize),
    /// The system's error about a socket, by its number.
    Io(usize, io::Error),
}

impl fmt::Display for PassedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str(
                "no socket was passed (LISTEN_FDS), as a socket unit of systemd or systemd-socket-activate does",
            ),
            Self::NotASocket(number) => {
                write!(f, "the passed file {number} is neither a TCP socket nor a Unix socket of streams")
            }
            Self::NotListening(number) => write!(f, "the passed socket {number} does not listen"),
            Self::Io(number, error) => write!(f, "the passed socket {number}: {error}"),
        }
    }
}

impl std::error::Error for PassedError {}

impl PartialEq for PassedSockets {
    fn eq(&self, other: &Self) -> bool {
        self.places == other.places
    }
}

impl Eq for PassedSockets {}

impl PassedSockets {
    /// Takes the sockets that were passed to this process, which a second call does not find again.
    ///
    /// Removes `LISTEN_FDS` from the environment, so no other thread may run yet.
    ///
    /// # Errors
    ///
    /// [`PassedError`] if there is none, or one of them cannot be served.
    pub fn take() -> Result<Self, PassedError> {
        let mut passed = ListenFd::from_env();
        let sockets =
            (0..passed.len()).map(|index| PassedSocket::take(&mut passed, index)).collect::<Result<Vec<_>, _>>()?;
        if sockets.is_empty() {
            return Err(PassedError::Nothing);
        }
        let places = sockets.iter().enumerate();
        let places =
            places.map(|(index, socket)| socket.place().map_err(|error| PassedError::Io(FIRST + index, error)));
        Ok(Self { places: places.collect::<Result<_, _>>()?, sockets })
    }

    /// Returns the place of each socket.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Reports whether something holds for the place of each socket.
    pub fn all(&self, holds: impl FnMut(&Place) -> bool) -> bool {
        self.places.iter().all(holds)
    }

    /// Returns another handle to each socket.
    ///
    /// # Errors
    ///
    /// That of the system, most likely because too many files are open.
    pub fn sockets(&self) -> io::Result<Vec<PassedSocket>> {
        self.sockets.iter().map(PassedSocket::try_clone).collect()
    }
}

impl PassedSocket {
    fn take(passed: &mut ListenFd, index: usize) -> Result<Self, PassedError> {
        let number = FIRST + index;
        let socket = match passed.take_tcp_listener(index) {
            Ok(Some(socket)) => Self::Tcp(socket),
            _ => match passed.take_unix_listener(index) {
                Ok(Some(socket)) => Self::Unix(socket),
                _ => return Err(PassedError::NotASocket(number)),
            },
        };
        match socket.prepare() {
            Ok(true) => Ok(socket),
            Ok(false) => Err(PassedError::NotListening(number)),
            Err(error) => Err(PassedError::Io(number, error)),
        }
    }

    /// Makes a socket one that blocks no thread and has room for waiting connections. Returns false if it does not listen.
    fn prepare(&self) -> io::Result<bool> {
        let is_listening = match self {
            Self::Tcp(socket) => prepare(socket)?,
            Self::Unix(socket) => prepare(socket)?,
        };
        match self {
            Self::Tcp(socket) => socket.set_nonblocking(true)?,
            Self::Unix(socket) => socket.set_nonblocking(true)?,
        }
        Ok(is_listening)
    }

    fn place(&self) -> io::Result<Place> {
        match self {
            Self::Tcp(socket) => socket.local_addr().map(Place::Tcp),
            Self::Unix(socket) => socket.local_addr().map(|address| Place::Unix(path(&address))),
        }
    }

    fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(socket) => socket.try_clone().map(Self::Tcp),
            Self::Unix(socket) => socket.try_clone().map(Self::Unix),
        }
    }
}

/// Gives a socket that listens the server's own queue: another may have been passed with the system's usual one.
fn prepare(socket: impl AsFd) -> io::Result<bool> {
    if !socket_acceptconn(&socket)? {
        return Ok(false);
    }
    listen(&socket, BACKLOG.cast_signed())?;
    Ok(true)
}

/// Returns the path of a Unix socket as `unix:` and curl know it; empty if it has none.
fn path(address: &SocketAddr) -> PathBuf {
    #[cfg(target_os = "linux")]
    if let Some(name) = std::os::linux::net::SocketAddrExt::as_abstract_name(address) {
        return PathBuf::from(format!("@{}", String::from_utf8_lossy(name)));
    }
    address.as_pathname().map(PathBuf::from).unwrap_or_default()
}
