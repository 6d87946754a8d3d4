//! Tests of readers beside a writer that makes more changes than a reader may be behind.

use super::fixture::Fixture;
use super::{FeedEvent, Reader};
use crate::clock::Shift;
use crate::shard::job::{Changes, Job, OwnedDetailsCommand};
use crate::shard::state::{CHUNK, MAX_BEHIND};
use presence_core::directory::Cursor;
use presence_core::{Instant, Presence, UserId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot::channel;

const SHARDS: usize = 2;
/// The presences that a writer sets in rotation, each a visible change.
const ROTATION: [Presence; 3] = [Presence::Away, Presence::InACall, Presence::Presenting];

fn user(number: usize) -> UserId {
    format!("{number:08x}-0000-4000-8000-{:012x}", number * 0x9E37_79B9).parse().unwrap()
}

/// A source of changes, which knows every user's presence.
struct Writer {
    fixture: Fixture,
    presences: HashMap<UserId, Presence>,
    changes: usize,
}

impl Writer {
    async fn new(users: usize) -> Self {
        let mut writer = Self { fixture: Fixture::new(SHARDS, 2 * users), presences: HashMap::new(), changes: 0 };
        for number in 0..users {
            writer.change(user(number)).await;
        }
        writer.changes = 0;
        writer
    }

    async fn change(&mut self, user: UserId) {
        let before = self.presences.get(&user).and_then(|current| ROTATION.iter().position(|other| other == current));
        let presence = ROTATION[before.map_or(0, |before| (before + 1) % ROTATION.len())];
        self.fixture.set(user, presence).await;
        self.presences.insert(user, presence);
        self.changes += 1;
    }

    fn reader(&self) -> Reader {
        self.fixture.reader(None)
    }
}

/// A client's knowledge, from the events it has received.
#[derive(Default)]
struct Client {
    known: HashMap<UserId, (Presence, u64)>,
    start_overs: usize,
    is_up_to_date: bool,
}

impl Client {
    /// Receives one event. The version of a user must never fall.
    async fn receive(&mut self, reader: &mut Reader) {
        let next = tokio::time::timeout(Duration::from_secs(10), reader.next()).await;
        assert!(reader.queued.len() <= CHUNK * SHARDS + 1, "{} are queued", reader.queued.len());
        let view = match next.expect("no event comes").expect("it has ended") {
            FeedEvent::StartOver => {
                self.known.clear();
                self.start_overs += 1;
                self.is_up_to_date = false;
                return;
            }
            FeedEvent::UpToDate => {
                self.is_up_to_date = true;
                return;
            }
            FeedEvent::Presence(view) => view,
        };
        if let Some((_, before)) = self.known.insert(view.user, (view.presence, view.version)) {
            assert!(view.version >= before, "{} fell from {before} to {}", view.user, view.version);
        }
    }

    fn knows(&self, writer: &Writer) -> bool {
        writer.presences.iter().all(|(user, presence)| self.known.get(user).is_some_and(|known| known.0 == *presence))
    }
}

/// Lets a client receive a full scan, while `write` makes changes after each event. Then receives the remaining changes.
async fn scan(users: usize, mut write: impl AsyncFnMut(&mut Writer, usize)) -> (Writer, Client, Reader) {
    let mut writer = Writer::new(users).await;
    let (mut reader, mut client) = (writer.reader(), Client::default());
    for received in 0.. {
        client.receive(&mut reader).await;
        if client.is_up_to_date {
            break;
        }
        assert!(received < 10 * users, "the scan does not end: it has started {} times", client.start_overs);
        write(&mut writer, received).await;
    }
    assert!(writer.changes as u64 > 2 * MAX_BEHIND * SHARDS as u64, "too few changes to prove anything");
    while !client.knows(&writer) {
        client.receive(&mut reader).await;
    }
    (writer, client, reader)
}

#[tokio::test]
async fn v2_a_scan_ends_while_a_few_users_change_often() {
    let write = async |writer: &mut Writer, received| {
        for number in 0..4 {
            writer.change(user((4 * received + number) % 100)).await;
        }
    };
    let (_, client, _) = scan(6000, write).await;
    assert_eq!(client.start_overs, 1);
}

#[tokio::test]
async fn v2_a_scan_ends_while_all_users_change_and_then_each_change_follows() {
    let write = async |writer: &mut Writer, received: usize| {
        if received.is_multiple_of(2) {
            // Users in no order, new ones among them.
            writer.change(user((received * 7919) % 25_000)).await;
        }
    };
    let (mut writer, mut client, mut reader) = scan(20_000, write).await;
    assert_eq!(client.start_overs, 1);
    // From here on each change is received once, in order.
    for number in (0..1000).map(|number| number * 17) {
        writer.change(user(number)).await;
        let (_, before) = client.known[&user(number)];
        client.receive(&mut reader).await;
        assert_eq!(client.known[&user(number)], (writer.presences[&user(number)], before + 1));
    }
}

/// A reader that scans is behind nothing; then each change that it has not received counts, of all readers of the slowest.
#[tokio::test]
async fn the_lag_is_what_the_slowest_reader_has_not_received() {
    let mut writer = Writer::new(20).await;
    let shards = writer.fixture.shards.clone();
    let mut readers = [writer.reader(), writer.reader()].map(|reader| (reader, Client::default()));
    for (reader, client) in &mut readers {
        while !client.is_up_to_date {
            assert_eq!(shards.slowest_lag(), 0);
            client.receive(reader).await;
        }
    }
    let [(mut fast, mut of_fast), (mut slow, mut of_slow)] = readers;
    for number in 0..10 {
        writer.change(user(number)).await;
        of_fast.receive(&mut fast).await;
        assert_eq!(shards.slowest_lag(), number as u64 + 1);
    }
    for left in (0..10).rev() {
        of_slow.receive(&mut slow).await;
        assert_eq!(shards.slowest_lag(), left);
    }
    writer.change(user(3)).await;
    of_fast.receive(&mut fast).await;
    assert_eq!(shards.slowest_lag(), 1);
    drop(slow);
    assert_eq!(shards.slowest_lag(), 0);
}

#[tokio::test]
async fn v2_a_reader_that_is_too_slow_starts_over() {
    let mut writer = Writer::new(1000).await;
    let (mut reader, mut client) = (writer.reader(), Client::default());
    for is_up_to_date in [false, true] {
        // During the scan, and after it.
        while client.known.len() < 300 || client.is_up_to_date != is_up_to_date {
            client.receive(&mut reader).await;
        }
        let began = client.start_overs;
        for number in 0..3 * MAX_BEHIND as usize {
            writer.change(user(number % 1000)).await;
        }
        let mut received = 0;
        while client.start_overs == began {
            client.receive(&mut reader).await;
            received += 1;
        }
        assert!(received <= CHUNK * SHARDS + 1, "{received} events came before it started over");
    }
    while !(client.is_up_to_date && client.knows(&writer)) {
        client.receive(&mut reader).await;
    }
    assert_eq!(client.start_overs, 3);
    assert_eq!(Arc::strong_count(&writer.fixture.shards), 2, "only the fixture and the reader hold it");
}

/// Rule V1: a change that is due when changes are read is sent once, not once more when it is applied.
#[tokio::test]
async fn v1_a_change_that_is_due_is_sent_once() {
    let fixture = Fixture::new(1, 10);
    fixture.set(user(1), Presence::InACall).await;
    let send = |job| fixture.shards.send(0, job).unwrap();
    let read = |since| {
        let (to, changes) = channel();
        send(Job::Changes(since, to));
        async move {
            match changes.await.unwrap() {
                Changes::Users(users) => users,
                Changes::StartOver => panic!("it starts over"),
            }
        }
    };
    // A long job first, so that the writer takes the two others at one instant.
    let (to, _long) = channel();
    send(Job::ReadMany(vec![user(1); 300_000], to));
    let (to, advanced) = channel();
    send(Job::Advance(Instant::from_secs(1000), to));
    let first = read(Cursor::START).await;
    advanced.await.unwrap();
    let [(view, cursor)] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!((view.presence, view.version), (Presence::Offline, 2));
    assert_eq!(read(*cursor).await.len(), 0);
}

/// Rule M5: a scan shows users of whom only a message is stored, and nobody who never showed anything.
#[tokio::test]
async fn m5_a_scan_shows_users_of_whom_only_details_are_stored() {
    let fixture = Fixture::new(SHARDS, 16);
    for (number, text) in ["away", "", "back", "soon"].into_iter().enumerate() {
        let command = OwnedDetailsCommand::SetStatusMessage(text.to_owned(), Instant::NEVER);
        let (to, outcome) = channel();
        let job = Job::ExecuteDetails(user(number), Box::new(command), Shift::default(), None, to);
        fixture.shards.send(fixture.shards.of(user(number)), job).unwrap();
        outcome.await.unwrap().unwrap();
    }
    let (mut reader, mut shown) = (fixture.reader(None), Vec::new());
    loop {
        match reader.next().await.unwrap() {
            FeedEvent::Presence(view) => shown.push(view.user),
            FeedEvent::UpToDate => break,
            FeedEvent::StartOver => {}
        }
    }
    shown.sort_unstable();
    assert_eq!(shown, [0, 2, 3].map(user));
}
