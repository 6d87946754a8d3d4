//! Tests of the table: examples, and random histories against a list that is searched for every decision.

use super::*;
use std::net::Ipv4Addr;

const LIMITS: TableLimits = TableLimits { count: 8, kept: 2, per_network: 3 };

fn network(number: u8) -> Origin {
    Origin::Network(Ipv4Addr::new(192, 0, 2, number).into())
}

/// Admits a connection that needs no other's place.
fn admit(table: &mut ConnectionTable<u8>, origin: Origin) -> Key {
    match table.enter(origin, false) {
        Admission::Admitted(key) => key,
        other => panic!("{origin:?}: {other:?}"),
    }
}

/// Returns the handle of the connection that a new one replaces.
fn replaced(table: &mut ConnectionTable<u8>, origin: Origin) -> u8 {
    match table.enter(origin, false) {
        Admission::Replaced(_, Some(handle)) => handle,
        other => panic!("{origin:?}: {other:?}"),
    }
}

#[test]
fn a_network_is_an_address_or_the_first_half_of_one() {
    let of = |text: &str| Origin::of(text.parse().unwrap());
    for local in ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(of(local), Origin::Local, "{local}");
    }
    assert_eq!(of("::ffff:192.0.2.1"), network(1));
    for (one, other, are_one) in [
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1", "::ffff:c000:201", true),
        ("2001:db8:0:1::1", "2001:db8::1:ffff:ffff:ffff:ffff", true),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ("2001:db8:0:1::", "2001:db8:0:1::1", true),
        // These have the form of neither loopback nor IPv4.
        ("::2", "::3", true),
        ("::2", "::1", false),
    ] {
        assert_eq!(of(one) == of(other), are_one, "{one} {other}");
    }
}

#[test]
fn at_the_limit_of_its_network_the_longest_idle_of_the_network_is_replaced() {
    let mut table = ConnectionTable::new(LIMITS);
    let other = admit(&mut table, network(2));
    table.attach(other, 9);
    table.idle(other);
    let keys: Vec<_> = (0..3).map(|_| admit(&mut table, network(1))).collect();
    for (key, handle) in keys.iter().zip(0..) {
        table.attach(*key, handle);
    }
    assert_eq!(table.enter(network(1), false), Admission::Refused(Limit::Network), "all of the network are busy");
    for key in [keys[1], keys[0], keys[2]] {
        table.idle(key);
    }
    // A request makes it the one that was idle for the shortest time; a trickling head changes nothing.
    assert!(table.begin(keys[1]));
    table.idle(keys[1]);
    table.idle(keys[0]);
    assert_eq!([(); 3].map(|()| replaced(&mut table, network(1))), [0, 2, 1]);
    assert!(!table.begin(keys[1]) && !table.leave(keys[1]), "it is out of the table");
    assert!(table.begin(other));
}

#[test]
fn at_the_limit_of_all_the_longest_idle_is_replaced_whichever_it_is() {
    let mut table = ConnectionTable::new(LIMITS);
    let keys: Vec<_> = (0..5).map(|number| admit(&mut table, network(number))).collect();
    let proxy = admit(&mut table, Origin::Proxy);
    let local: Vec<_> = (0..2).map(|_| admit(&mut table, Origin::Local)).collect();
    for (key, handle) in keys.iter().chain([&proxy]).chain(&local).zip(0..) {
        table.attach(*key, handle);
    }
    assert_eq!(table.enter(network(9), false), Admission::Refused(Limit::All));
    assert_eq!(table.enter(Origin::Proxy, false), Admission::Refused(Limit::All));
    assert_eq!(table.enter(Origin::Local, false), Admission::Waits);
    // A place that is kept for this machine is not taken from it.
    table.idle(local[0]);
    assert_eq!(table.enter(network(9), false), Admission::Refused(Limit::All));
    for key in [keys[3], proxy, local[1], keys[0]] {
        table.idle(key);
    }
    assert_eq!(replaced(&mut table, Origin::Local), 6);
    assert_eq!(replaced(&mut table, network(9)), 3);
    assert_eq!(replaced(&mut table, Origin::Proxy), 5);
    assert_eq!(replaced(&mut table, Origin::Local), 7);
    assert_eq!(replaced(&mut table, Origin::Local), 0);
    assert_eq!(table.enter(Origin::Local, false), Admission::Waits);
}

#[test]
fn kept_connections_are_for_this_machine_and_the_others_for_anyone() {
    let mut table = ConnectionTable::new(LIMITS);
    for number in 0..6 {
        admit(&mut table, network(number));
    }
    assert_eq!(table.enter(network(9), false), Admission::Refused(Limit::All));
    for _ in 0..2 {
        admit(&mut table, Origin::Local);
    }
    let mut table = ConnectionTable::<u8>::new(LIMITS);
    for _ in 0..8 {
        admit(&mut table, Origin::Local);
    }
    assert_eq!(table.enter(Origin::Local, false), Admission::Waits);
}

/// A small generator of random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// The connections in the order in which they came, and the idle ones in the order in which they became idle.
#[derive(Default)]
struct Model {
    open: Vec<(Key, Origin)>,
    idle: Vec<Key>,
}

impl Model {
    fn count(&self, is_counted: impl Fn(Origin) -> bool) -> usize {
        self.open.iter().filter(|(_, origin)| is_counted(*origin)).count()
    }

    fn longest_idle(&self, may_go: impl Fn(Origin) -> bool) -> Option<Key> {
        let origin = |key: &Key| self.open.iter().find(|(open, _)| open == key).unwrap().1;
        self.idle.iter().find(|key| may_go(origin(key))).copied()
    }

    /// Returns what a new connection replaces: the limit that it meets, and the longest idle one that gives way.
    fn met(&self, limits: TableLimits, new: Origin) -> Option<(Limit, Option<Key>)> {
        let is_remote = |origin: Origin| origin != Origin::Local;
        if matches!(new, Origin::Network(_)) && self.count(|origin| origin == new) == limits.per_network {
            return Some((Limit::Network, self.longest_idle(|origin| origin == new)));
        }
        if is_remote(new) && self.count(is_remote) == limits.count - limits.kept {
            return Some((Limit::All, self.longest_idle(is_remote)));
        }
        (self.open.len() == limits.count).then(|| (Limit::All, self.longest_idle(|_| true)))
    }

    fn remove(&mut self, key: Key) -> bool {
        let before = self.open.len();
        self.open.retain(|(open, _)| *open != key);
        self.idle.retain(|idle| *idle != key);
        self.open.len() < before
    }
}

/// Plays a random history, and returns how often each kind of decision was made.
fn play(seed: u64, limits: TableLimits) -> [usize; 5] {
    let (mut random, mut model, mut decisions) = (Random(seed), Model::default(), [0; 5]);
    // The handle of a connection is its key.
    let mut table = ConnectionTable::<Key>::new(limits);
    let mut known = Vec::new();
    // How much more often connections come than go, and how often they are idle, differs from history to history.
    let odds = [2 + random.below(6), 1 + random.below(6), 1 + random.below(6), 1 + random.below(3)];
    for _ in 0..2000 {
        let mut chosen = random.below(odds.iter().sum());
        let step =
            odds.iter().take_while(|odds| chosen.checked_sub(**odds).map(|rest| chosen = rest).is_some()).count();
        if step == 0 || known.is_empty() {
            let origin = match random.below(8) {
                0 | 1 => Origin::Local,
                2 => Origin::Proxy,
                number => network(number as u8 / 2),
            };
            let expected = model.met(limits, origin);
            let is_idle = random.below(2) == 0;
            let key = match (table.enter(origin, is_idle), expected) {
                (Admission::Admitted(key), None) => {
                    decisions[0] += 1;
                    key
                }
                (Admission::Replaced(key, handle), Some((_, Some(longest)))) => {
                    decisions[1] += 1;
                    assert_eq!(handle, Some(longest));
                    assert!(model.remove(longest));
                    key
                }
                (Admission::Refused(limit), Some((expected, None))) if limit == expected => {
                    decisions[if limit == Limit::All { 2 } else { 3 }] += 1;
                    continue;
                }
                (Admission::Waits, Some((Limit::All, None))) if origin == Origin::Local => {
                    decisions[4] += 1;
                    continue;
                }
                (found, expected) => panic!("{origin:?}: {found:?} instead of {expected:?}"),
            };
            table.attach(key, key);
            model.open.push((key, origin));
            if is_idle {
                model.idle.push(key);
            }
            known.push(key);
        } else {
            // Often one that is in the table, sometimes one that has left it.
            let open: Vec<_> = model.open.iter().map(|(key, _)| *key).collect();
            let from = if open.is_empty() || random.below(8) == 0 { &known } else { &open };
            let key = from[random.below(from.len())];
            let is_open = open.contains(&key);
            assert_eq!(table.contains(key), is_open);
            match step {
                1 => {
                    table.idle(key);
                    if is_open && !model.idle.contains(&key) {
                        model.idle.push(key);
                    }
                }
                2 => {
                    assert_eq!(table.begin(key), is_open);
                    model.idle.retain(|idle| *idle != key);
                }
                _ => assert_eq!(table.leave(key), model.remove(key)),
            }
        }
        assert_bounded(&table, &model, limits);
    }
    decisions
}

/// The table holds what the model holds, within its limits, and nothing of connections that have left.
fn assert_bounded(table: &ConnectionTable<Key>, model: &Model, limits: TableLimits) {
    let remote = model.count(|origin| origin != Origin::Local);
    assert_eq!((table.entries.len(), table.remote), (model.open.len(), remote));
    assert!(table.entries.len() <= limits.count && remote <= limits.count - limits.kept);
    assert_eq!(table.idle_count(), model.idle.len());
    let counts: usize = table.networks.values().map(|network| network.count).sum();
    assert_eq!(counts, model.count(|origin| matches!(origin, Origin::Network(_))));
    assert!(table.networks.values().all(|network| (1..=limits.per_network).contains(&network.count)));
}

#[test]
fn random_histories_are_decided_as_a_list_decides_them() {
    let limits = [
        LIMITS,
        TableLimits { count: 1, kept: 0, per_network: 1 },
        TableLimits { count: 5, kept: 1, per_network: 9 },
        TableLimits { count: 20, kept: 5, per_network: 4 },
    ];
    let mut decisions = [0; 5];
    for seed in 0..200 {
        let made = play(seed, limits[seed as usize % limits.len()]);
        decisions.iter_mut().zip(made).for_each(|(sum, made)| *sum += made);
    }
    assert!(decisions.iter().all(|count| *count > 500), "every decision was made: {decisions:?}");
}
