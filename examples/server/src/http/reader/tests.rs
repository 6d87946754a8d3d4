//! Readers beside a writer that never rests. Each makes more changes than a reader may be behind.

use super::super::fixture::Fixture;
use super::{News, Reader};
use crate::shard::state::{CHUNK, MAX_BEHIND};
use presence_core::{Presence, UserId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const SHARDS: usize = 2;
/// The presences that a writer sets, in turn: each a visible change.
const TURNS: [Presence; 3] = [Presence::Away, Presence::InACall, Presence::Presenting];

fn user(number: usize) -> UserId {
    format!("{number:08x}-0000-4000-8000-{:012x}", number * 0x9E37_79B9).parse().unwrap()
}

/// Changes users for ever, and knows what they show.
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
        let before = self.presences.get(&user).and_then(|known| TURNS.iter().position(|turn| turn == known));
        let presence = TURNS[before.map_or(0, |before| (before + 1) % TURNS.len())];
        self.fixture.set(user, presence).await;
        self.presences.insert(user, presence);
        self.changes += 1;
    }

    fn reader(&self) -> Reader {
        let app = self.fixture.app.clone();
        let place = app.limits.readers.clone().try_acquire_owned().unwrap();
        Reader::new(app, place, None)
    }
}

/// What a client knows, from what it hears.
#[derive(Default)]
struct Client {
    known: HashMap<UserId, (Presence, u64)>,
    start_overs: usize,
    is_up_to_date: bool,
}

impl Client {
    /// Hears one thing. Whoever is told again has got further.
    async fn hear(&mut self, reader: &mut Reader) {
        let next = tokio::time::timeout(Duration::from_secs(10), reader.next()).await;
        assert!(reader.waiting.len() <= CHUNK * SHARDS + 1, "{} wait", reader.waiting.len());
        let (shown, is_change) = match next.expect("nothing is heard").expect("it has ended") {
            News::CursorError => {
                self.known.clear();
                self.start_overs += 1;
                self.is_up_to_date = false;
                return;
            }
            News::UpToDate => {
                self.is_up_to_date = true;
                return;
            }
            News::Told(shown) => (shown, false),
            News::Changed(shown) => (shown, true),
        };
        assert_eq!(is_change, self.is_up_to_date, "an id to go on from before everybody was told");
        if let Some((_, before)) = self.known.insert(shown.user, (shown.presence, shown.version)) {
            assert!(shown.version >= before, "{} went back from {before} to {}", shown.user, shown.version);
        }
    }

    fn knows(&self, writer: &Writer) -> bool {
        writer.presences.iter().all(|(user, presence)| self.known.get(user).is_some_and(|known| known.0 == *presence))
    }
}

/// Tells a client everybody, while `write` makes changes after each that it hears; and then what is left.
async fn walk(users: usize, mut write: impl AsyncFnMut(&mut Writer, usize)) -> (Writer, Client, Reader) {
    let mut writer = Writer::new(users).await;
    let (mut reader, mut client) = (writer.reader(), Client::default());
    for heard in 0.. {
        client.hear(&mut reader).await;
        if client.is_up_to_date {
            break;
        }
        assert!(heard < 10 * users, "the walk does not end: {} times from the start", client.start_overs);
        write(&mut writer, heard).await;
    }
    assert!(writer.changes as u64 > 2 * MAX_BEHIND * SHARDS as u64, "too few changes to prove anything");
    while !client.knows(&writer) {
        client.hear(&mut reader).await;
    }
    (writer, client, reader)
}

#[tokio::test]
async fn v2_everybody_is_told_however_often_a_few_users_change() {
    let write = async |writer: &mut Writer, heard| {
        for number in 0..4 {
            writer.change(user((4 * heard + number) % 100)).await;
        }
    };
    let (_, client, _) = walk(6000, write).await;
    assert_eq!(client.start_overs, 1);
}

#[tokio::test]
async fn v2_everybody_is_told_while_everybody_changes_and_then_each_change() {
    let write = async |writer: &mut Writer, heard: usize| {
        if heard.is_multiple_of(2) {
            // All over the place, new users as well.
            writer.change(user((heard * 7919) % 25_000)).await;
        }
    };
    let (mut writer, mut client, mut reader) = walk(20_000, write).await;
    assert_eq!(client.start_overs, 1);
    // From here on each change is told once, in order.
    for number in (0..1000).map(|number| number * 17) {
        writer.change(user(number)).await;
        let (_, before) = client.known[&user(number)];
        client.hear(&mut reader).await;
        assert_eq!(client.known[&user(number)], (writer.presences[&user(number)], before + 1));
    }
}

#[tokio::test]
async fn v2_who_reads_too_slowly_is_told_to_start_over() {
    let mut writer = Writer::new(1000).await;
    let (mut reader, mut client) = (writer.reader(), Client::default());
    for is_up_to_date in [false, true] {
        // In the middle of everybody, and behind it.
        while client.known.len() < 300 || client.is_up_to_date != is_up_to_date {
            client.hear(&mut reader).await;
        }
        let began = client.start_overs;
        for number in 0..3 * MAX_BEHIND as usize {
            writer.change(user(number % 1000)).await;
        }
        let mut heard = 0;
        while client.start_overs == began {
            client.hear(&mut reader).await;
            heard += 1;
        }
        assert!(heard <= CHUNK * SHARDS + 1, "{heard} things were heard before that is said");
    }
    while !(client.is_up_to_date && client.knows(&writer)) {
        client.hear(&mut reader).await;
    }
    assert_eq!(client.start_overs, 3);
    assert_eq!(Arc::strong_count(&writer.fixture.app), 2, "it is held by nobody else");
}
