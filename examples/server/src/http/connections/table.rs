//! The table of connections: which one is admitted, which one is closed for it, and which is turned away. Pure: no I/O, no time.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// This machine: a loopback address or a Unix socket.
    Local,
    /// A proxy that speaks for many.
    Proxy,
    /// Any other IPv4 address, or the first 64 bits of an IPv6 address: a site has at least as many.
    Network(IpAddr),
}

impl Origin {
    /// Returns the origin of a peer that is no trusted proxy. An IPv4 address in the form of IPv6 counts as the IPv4 address.
    pub fn of(peer: IpAddr) -> Self {
        match peer.to_canonical() {
            address if address.is_loopback() => Self::Local,
            IpAddr::V6(address) => Self::Network(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()),
            address => Self::Network(address),
        }
    }
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLimits {
    /// The most connections.
    pub count: usize,
    /// The connections of `count` that only this machine can have.
    pub kept: usize,
    /// The most connections of one network.
    pub per_network: usize,
}

/// A limit that has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The most connections of one network.
    Network,
    /// The most connections.
    All,
}

/// The number of a connection in the table, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(u64);

/// What becomes of a new connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission<H> {
    /// It is admitted.
    Admitted(Key),
    /// It is admitted in place of an idle one, which is out of the table, and to be closed by its handle.
    Replaced(Key, Option<H>),
    /// It is to wait until a connection is idle or has ended.
    Waits,
    /// It is turned away.
    Refused(Limit),
}

/// Idle connections, by the moment at which they became idle.
type IdleOrder = BTreeMap<u64, Key>;

#[derive(Debug)]
struct Entry<H> {
    origin: Origin,
    /// The moment at which it became idle.
    idle_since: Option<u64>,
    handle: Option<H>,
}

#[derive(Debug, Default)]
struct Network {
    count: usize,
    idle: IdleOrder,
}

/// The open connections. A connection is idle while the server waits for the head of a request, and while a guessed token
/// is slowed; all others are busy.
///
/// Every operation takes logarithmic time. Moments are counted, not measured.
#[derive(Debug)]
pub struct ConnectionTable<H> {
    limits: TableLimits,
    entries: HashMap<Key, Entry<H>>,
    /// Those with a connection.
    networks: HashMap<IpAddr, Network>,
    /// The connections that are not of this machine.
    remote: usize,
    idle_local: IdleOrder,
    idle_remote: IdleOrder,
    /// The next moment, and the next key.
    next: u64,
}

impl<H> ConnectionTable<H> {
    /// Creates an empty table.
    pub fn new(limits: TableLimits) -> Self {
        Self {
            limits,
            entries: HashMap::new(),
            networks: HashMap::new(),
            remote: 0,
            idle_local: IdleOrder::new(),
            idle_remote: IdleOrder::new(),
            next: 0,
        }
    }

    /// Decides about a new connection. If it is admitted, it is in the table, idle or busy.
    ///
    /// At the limit of its network the longest idle one of that network is replaced, at the limit of all the longest idle one of all.
    /// Of the connections that are kept for this machine, no other takes any.
    pub fn enter(&mut self, origin: Origin, is_idle: bool) -> Admission<H> {
        let admission = self.admit(origin);
        if is_idle && let Admission::Admitted(key) | Admission::Replaced(key, _) = &admission {
            self.idle(*key);
        }
        admission
    }

    fn admit(&mut self, origin: Origin) -> Admission<H> {
        if let Origin::Network(network) = origin
            && let Some(found) = self.networks.get(&network)
            && found.count >= self.limits.per_network
        {
            let first = first(&found.idle).map(|(_, key)| key);
            return self.replace(first, origin).unwrap_or(Admission::Refused(Limit::Network));
        }
        if origin != Origin::Local && self.remote >= self.limits.count.saturating_sub(self.limits.kept) {
            let first = first(&self.idle_remote).map(|(_, key)| key);
            return self.replace(first, origin).unwrap_or(Admission::Refused(Limit::All));
        }
        if self.entries.len() >= self.limits.count {
            let both = first(&self.idle_local).into_iter().chain(first(&self.idle_remote));
            let first = both.min_by_key(|(since, _)| *since).map(|(_, key)| key);
            let otherwise = if origin == Origin::Local { Admission::Waits } else { Admission::Refused(Limit::All) };
            return self.replace(first, origin).unwrap_or(otherwise);
        }
        Admission::Admitted(self.insert(origin))
    }

    /// Returns how many connections are idle.
    pub fn idle_count(&self) -> usize {
        self.idle_local.len() + self.idle_remote.len()
    }

    /// Reports whether a connection is in the table: it has neither left nor been replaced.
    pub fn contains(&self, key: Key) -> bool {
        self.entries.contains_key(&key)
    }

    /// Keeps what closes a connection, if it is still in the table.
    pub fn attach(&mut self, key: Key, handle: H) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.handle = Some(handle);
        }
    }

    /// Records that a busy connection is idle from now on.
    pub fn idle(&mut self, key: Key) {
        let since = self.tick();
        let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.idle_since.is_none()) else { return };
        entry.idle_since = Some(since);
        let origin = entry.origin;
        self.orders(origin, |order| order.insert(since, key));
    }

    /// Records that a connection is busy: a request has come. Returns false if the connection was replaced before.
    pub fn begin(&mut self, key: Key) -> bool {
        let Some(entry) = self.entries.get_mut(&key) else { return false };
        let (origin, since) = (entry.origin, entry.idle_since.take());
        if let Some(since) = since {
            self.orders(origin, |order| order.remove(&since));
        }
        true
    }

    /// Removes a connection that has ended. Returns true unless it was replaced before.
    pub fn leave(&mut self, key: Key) -> bool {
        self.remove(key).is_some()
    }

    fn tick(&mut self) -> u64 {
        let moment = self.next;
        self.next += 1;
        moment
    }

    fn insert(&mut self, origin: Origin) -> Key {
        let key = Key(self.tick());
        self.entries.insert(key, Entry { origin, idle_since: None, handle: None });
        if origin != Origin::Local {
            self.remote += 1;
        }
        if let Origin::Network(network) = origin {
            self.networks.entry(network).or_default().count += 1;
        }
        key
    }

    fn remove(&mut self, key: Key) -> Option<Entry<H>> {
        self.begin(key);
        let entry = self.entries.remove(&key)?;
        if entry.origin != Origin::Local {
            self.remote -= 1;
        }
        if let Origin::Network(network) = entry.origin
            && let Some(found) = self.networks.get_mut(&network)
        {
            found.count -= 1;
            if found.count == 0 {
                self.networks.remove(&network);
            }
        }
        Some(entry)
    }

    fn replace(&mut self, replaced: Option<Key>, origin: Origin) -> Option<Admission<H>> {
        let entry = self.remove(replaced?)?;
        Some(Admission::Replaced(self.insert(origin), entry.handle))
    }

    /// Changes every order that a connection of this origin is in.
    fn orders<T>(&mut self, origin: Origin, change: impl Fn(&mut IdleOrder) -> T) {
        change(if origin == Origin::Local { &mut self.idle_local } else { &mut self.idle_remote });
        if let Origin::Network(network) = origin
            && let Some(found) = self.networks.get_mut(&network)
        {
            change(&mut found.idle);
        }
    }
}

fn first(order: &IdleOrder) -> Option<(u64, Key)> {
    order.first_key_value().map(|(since, key)| (*since, *key))
}

#[cfg(test)]
mod tests;
