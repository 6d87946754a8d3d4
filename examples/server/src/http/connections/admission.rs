//! Admission: the shared table of connections, and each connection's way through it.

use super::ConnectionLimits;
use super::table::{Admission, ConnectionTable, Key, Limit, Origin, TableLimits};
use crate::metrics::{LimitLabels, Metrics};
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The connections that are kept for this machine, so that an operator gets in; of few connections a quarter.
const KEPT: usize = 64;
/// The time in which the first byte of a connection from elsewhere must have come.
const FIRST_BYTE: Duration = Duration::from_secs(3);
/// The least time between two messages of the log about connections that were turned away.
const QUIET: Duration = Duration::from_secs(60);

/// Admits connections, and closes idle ones for others.
#[derive(Debug)]
pub struct AdmissionControl {
    limits: ConnectionLimits,
    proxies: Vec<IpNet>,
    table: Mutex<ConnectionTable<JoinHandle<()>>>,
    /// Wakes a new connection that waits until another is idle or has ended.
    changed: Notify,
    warned: Mutex<Option<Instant>>,
    metrics: Arc<Metrics>,
}

impl AdmissionControl {
    /// Creates the control of connections, of which those of `proxies` have no limit for each network.
    pub fn new(limits: ConnectionLimits, proxies: Vec<IpNet>, metrics: Arc<Metrics>) -> Self {
        let count = limits.count as usize;
        let table = TableLimits { count, kept: KEPT.min(count / 4), per_network: limits.per_address as usize };
        let table = ConnectionTable::new(table).into();
        Self { limits, proxies, table, changed: Notify::new(), warned: None.into(), metrics }
    }

    /// Returns the origin of a connection; without an address, of one at a Unix socket.
    fn origin(&self, peer: Option<IpAddr>) -> Origin {
        let Some(peer) = peer else { return Origin::Local };
        match Origin::of(peer) {
            Origin::Network(_) if self.proxies.iter().any(|proxy| proxy.contains(&peer.to_canonical())) => {
                Origin::Proxy
            }
            origin => origin,
        }
    }

    /// Admits a new connection, after an idle one that it replaces has been closed. It is idle itself unless something has come
    /// of it. One of this machine waits for its admission while all connections are busy.
    ///
    /// # Errors
    ///
    /// The limit because of which the connection is turned away.
    pub async fn enter(
        self: &Arc<Self>,
        peer: Option<IpAddr>,
        has_begun: impl Fn() -> bool,
    ) -> Result<Arc<Connection>, Limit> {
        let origin = self.origin(peer);
        loop {
            // From here on it is woken by each change, also by one before it waits.
            let changed = self.changed.notified();
            let phase = if has_begun() { HEAD } else { IDLE };
            let admission = self.change(|table| table.enter(origin, phase == IDLE));
            match admission {
                Admission::Admitted(key) => return Ok(self.connection(key, peer, origin, phase)),
                Admission::Replaced(key, replaced) => {
                    let connection = self.connection(key, peer, origin, phase);
                    self.metrics.connections_replaced.inc();
                    // Nothing is in flight there, and nothing can begin: so the task ends, and frees its file, at once.
                    if let Some(replaced) = replaced {
                        replaced.abort();
                        let _ = replaced.await;
                    }
                    return Ok(connection);
                }
                Admission::Waits => changed.await,
                Admission::Refused(limit) => {
                    self.metrics.connections_refused.get_or_create(&LimitLabels::from(limit)).inc();
                    self.warn(peer, limit);
                    return Err(limit);
                }
            }
        }
    }

    fn connection(self: &Arc<Self>, key: Key, peer: Option<IpAddr>, origin: Origin, phase: u8) -> Arc<Connection> {
        self.metrics.connections.inc();
        Arc::new(Connection { control: self.clone(), key, peer, origin, phase: AtomicU8::new(phase) })
    }

    /// Keeps the task that serves a connection, to abort it if the connection is replaced.
    pub fn attach(&self, key: Key, task: JoinHandle<()>) {
        self.change(|table| table.attach(key, task));
    }

    fn warn(&self, peer: Option<IpAddr>, limit: Limit) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_some_and(|at| at.elapsed() < QUIET) {
            return;
        }
        *warned = Some(Instant::now());
        match (limit, peer) {
            (Limit::Network, Some(peer)) => tracing::warn!(
                "{} has {} busy connections, and more are turned away; if it is a proxy, --trusted-proxy names it",
                peer.to_canonical(),
                self.limits.per_address
            ),
            _ => tracing::warn!("all {} connections are busy, and more are turned away", self.limits.count),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut ConnectionTable<JoinHandle<()>>) -> T) -> T {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut table);
        self.metrics.connections_idle.set(table.idle_count() as i64);
        changed
    }
}

impl From<Limit> for LimitLabels {
    fn from(limit: Limit) -> Self {
        let limit = match limit {
            Limit::Network => "address",
            Limit::All => "all",
        };
        Self { limit }
    }
}

// The phases of a connection. It is one task, so each step sees the one before.

/// What has come of a head is to be read. Busy in the table.
const HEAD: u8 = 0;
/// More of a head is waited for, or all of it. Idle in the table.
const IDLE: u8 = 1;
/// A request is served, up to the end of its response's body.
const SERVED: u8 = 2;
/// The response has ended, and has not been sent completely.
const ENDED: u8 = 3;

/// The error of a request whose connection was closed for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced;

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed for another connection")
    }
}

impl std::error::Error for Replaced {}

/// A connection in the table, until it is dropped.
#[derive(Debug)]
pub struct Connection {
    control: Arc<AdmissionControl>,
    /// Its number in the table.
    pub key: Key,
    /// The address of the other end; none at a Unix socket.
    pub peer: Option<IpAddr>,
    origin: Origin,
    phase: AtomicU8,
}

impl Connection {
    /// Returns the time in which the first byte must have come: short for a peer from elsewhere. Proxies and programs on this
    /// machine may open connections before they need them.
    pub fn first_byte_timeout(&self) -> Duration {
        match self.origin {
            Origin::Network(_) => self.control.limits.idle.min(FIRST_BYTE),
            Origin::Local | Origin::Proxy => self.control.limits.idle,
        }
    }

    /// Reports whether the connection was closed for another.
    pub fn is_replaced(&self) -> bool {
        self.control.change(|table| !table.contains(self.key))
    }

    /// Records that nothing more has come: if no request is in flight, the connection is idle.
    pub fn has_read_all(&self) {
        if self.step(HEAD, IDLE) {
            self.control.change(|table| table.idle(self.key));
            self.control.changed.notify_waiters();
        }
    }

    /// Records that a request has come.
    ///
    /// # Errors
    ///
    /// [`Replaced`] if the connection was replaced before: then the request must not begin.
    pub fn begin(&self) -> Result<(), Replaced> {
        match self.phase.swap(SERVED, Ordering::Relaxed) {
            IDLE => self.begin_again(),
            _ => Ok(()),
        }
    }

    /// Waits while the connection is idle, although its request is not answered yet.
    ///
    /// # Errors
    ///
    /// [`Replaced`] if the connection was replaced meanwhile: then no response must be sent.
    pub async fn pause(&self, wait: impl Future<Output = ()>) -> Result<(), Replaced> {
        let mut wait = std::pin::pin!(wait);
        // Most wait for nothing, and change nothing in the table.
        if std::future::poll_fn(|context| Poll::Ready(wait.as_mut().poll(context))).await.is_ready() {
            return Ok(());
        }
        self.control.change(|table| table.idle(self.key));
        self.control.changed.notify_waiters();
        wait.await;
        self.begin_again()
    }

    fn begin_again(&self) -> Result<(), Replaced> {
        if self.control.change(|table| table.begin(self.key)) { Ok(()) } else { Err(Replaced) }
    }

    /// Returns once no request is in flight, looking after each such time.
    pub async fn waits_for_head(&self, time: Duration) {
        loop {
            tokio::time::sleep(time).await;
            if self.phase.load(Ordering::Relaxed) == IDLE {
                return;
            }
        }
    }

    /// Records that the body of the response has ended.
    pub fn end(&self) {
        self.step(SERVED, ENDED);
    }

    /// Records that all that was written has been sent.
    pub fn has_sent_all(&self) {
        self.step(ENDED, HEAD);
    }

    fn step(&self, from: u8, to: u8) -> bool {
        self.phase.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.control.change(|table| table.leave(self.key));
        self.control.metrics.connections.dec();
        self.control.changed.notify_waiters();
    }
}
