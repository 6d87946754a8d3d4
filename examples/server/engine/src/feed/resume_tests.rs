//! A model test of scans that break off: random changes, expiries, evictions and lost connections.
//!
//! The model is the server itself: after `up-to-date` and the changes that follow it, a client knows of every user what a read
//! shows.

use super::fixture::Fixture;
use super::{FeedEvent, Reader};
use crate::data::spread::MAX_SHARDS;
use crate::shard::job::{Job, UserView};
use presence_core::{Command, Duration, Policy, Presence, SessionId, UserId};
use std::collections::HashMap;
use tokio::sync::oneshot::channel;

/// The users of whom some have a slot at a time.
const IDS: u32 = 3000;
const PRESENCES: [Presence; 3] = [Presence::Away, Presence::InACall, Presence::Presenting];

/// A small generator of random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(limit)) as u32
    }
}

fn user(number: u32) -> UserId {
    format!("{number:08x}-0000-4000-8000-{:012x}", u64::from(number) * 0x9E37_79B9).parse().unwrap()
}

/// Changes a random user for a random time. A directory without a slot for it rejects that.
async fn change(fixture: &Fixture, random: &mut Random) {
    let user = user(random.below(IDS));
    let lease = Some(Duration::from_mins(u64::from(5 + random.below(55))));
    let (session, presence) = (SessionId::from_bytes([7; 16]), PRESENCES[random.below(3) as usize]);
    let (to, outcome) = channel();
    let command = Command::SetPresence { session, presence, lease };
    fixture.shards.send(fixture.shards.of(user), Job::Execute(user, command, &Policy::GRAPH, None, to)).unwrap();
    let _ = outcome.await.unwrap();
}

async fn advance(fixture: &Fixture, by: Duration) {
    let now = fixture.clock.now().saturating_add(by);
    for shard in 0..fixture.shards.len() {
        let (to, advanced) = channel();
        fixture.shards.send(shard, Job::Advance(now, to)).unwrap();
        advanced.await.unwrap();
    }
    fixture.clock.set(now);
}

async fn read(fixture: &Fixture, number: u32) -> UserView {
    let (to, view) = channel();
    fixture.shards.send(fixture.shards.of(user(number)), Job::Read(user(number), to)).unwrap();
    view.await.unwrap()
}

/// A client that connects again after each break, at the last id that it has received.
struct Client {
    reader: Reader,
    id: Option<String>,
    known: HashMap<UserId, (Presence, u64)>,
    events: usize,
    start_overs: usize,
    is_up_to_date: bool,
}

impl Client {
    fn new(fixture: &Fixture) -> Self {
        let (reader, known) = (fixture.reader(None), HashMap::new());
        Self { reader, id: None, known, events: 0, start_overs: 0, is_up_to_date: false }
    }

    /// Receives an event, and the id after it unless the connection ends in the middle of the event.
    async fn receive(&mut self, is_cut: bool) {
        let next = tokio::time::timeout(std::time::Duration::from_secs(10), self.reader.next()).await;
        let event = next.expect("no event comes, and the client does not know all").expect("it has ended");
        if is_cut {
            return;
        }
        self.id = Some(self.reader.id());
        self.events += 1;
        match event {
            FeedEvent::StartOver => {
                self.known.clear();
                self.start_overs += 1;
                self.is_up_to_date = false;
            }
            FeedEvent::UpToDate => self.is_up_to_date = true,
            FeedEvent::Presence(view) => {
                if let Some((_, before)) = self.known.insert(view.user, (view.presence, view.version)) {
                    assert!(view.version >= before, "{} fell from {before} to {}", view.user, view.version);
                }
            }
        }
    }

    fn reconnect(&mut self, fixture: &Fixture) {
        self.reader = fixture.reader(self.id.as_deref());
    }

    /// Reports whether the client knows of every user what a read shows; an unknown user is offline (rule M5).
    fn knows(&self, views: &[UserView]) -> bool {
        views.iter().all(|view| {
            let known = self.known.get(&view.user);
            let is_unknown = view.version == 0 && known.is_none_or(|known| known.0 == Presence::Offline);
            is_unknown || known == Some(&(view.presence, view.version))
        })
    }
}

/// The odds of each thing that happens between two events: one in so many.
struct Odds {
    change: u32,
    advance: u32,
    lost_connection: u32,
}

/// Follows a scan to its end, and then the changes after it. Returns the client.
async fn follow(seed: u64, shards: usize, odds: &Odds) -> Client {
    let (fixture, mut random) = (Fixture::new(shards, 1000), Random(seed));
    for _ in 0..IDS {
        change(&fixture, &mut random).await;
    }
    let mut client = Client::new(&fixture);
    while !client.is_up_to_date {
        assert!(client.events < 100_000, "seed {seed}: the scan does not end");
        if random.below(odds.change) == 0 {
            change(&fixture, &mut random).await;
        }
        if random.below(odds.advance) == 0 {
            let by = Duration::from_secs(u64::from(random.below(1200)));
            advance(&fixture, by).await;
        }
        let is_lost = random.below(odds.lost_connection) == 0;
        client.receive(is_lost && random.below(2) == 0).await;
        if is_lost {
            client.reconnect(&fixture);
        }
    }
    // No client writes any more: the changes that are left come, and no others.
    let mut views = Vec::new();
    for number in 0..IDS {
        views.push(read(&fixture, number).await);
    }
    while !client.knows(&views) {
        client.receive(false).await;
    }
    client
}

#[tokio::test]
async fn v2_a_scan_that_breaks_off_is_resumed_and_misses_nothing() {
    let odds = Odds { change: 3, advance: 100_000, lost_connection: 15 };
    for (seed, shards) in [(1, 1), (2, 2), (3, 3), (4, 7), (5, MAX_SHARDS)] {
        let client = follow(seed, shards, &odds).await;
        assert_eq!(client.start_overs, 1, "seed {seed}: nothing was evicted, so it is never necessary");
        let users = client.known.len();
        assert!(client.events < 4 * users, "seed {seed}: {} events for {users} users", client.events);
    }
}

#[tokio::test]
async fn v2_a_resumed_scan_misses_no_eviction() {
    let (mut start_overs, mut at_once) = (0, 0);
    for seed in 10..26 {
        let odds = Odds { change: 1 + seed as u32 % 4, advance: 1500, lost_connection: 2 + seed as u32 % 30 };
        let client = follow(seed, 1 + seed as usize % 3, &odds).await;
        start_overs += client.start_overs - 1;
        at_once += usize::from(client.start_overs == 1);
    }
    assert!(start_overs > 0, "no user was evicted whose change was still to come");
    assert!(at_once > 0, "no scan was resumed among evictions");
}

#[tokio::test]
async fn a_client_that_gets_one_event_of_each_connection_still_gets_all() {
    let odds = Odds { change: 10, advance: 100_000, lost_connection: 1 };
    // Half of the connections end in the middle of their only event.
    let client = follow(5, 2, &odds).await;
    assert_eq!(client.start_overs, 1);
}
