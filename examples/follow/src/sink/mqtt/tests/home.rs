//! What events do.

use super::super::connection::{Event, Publishes};
use super::super::topics::Topics;
use super::super::{Broker, Home, choice};
use crate::hub::Hub;
use crate::sink::Inbox;
use crate::source::{Event as HubEvent, News, Reporter, Source, Update};
use crate::{Clock, Console, Slot, Stop};
use presence_core::{Duration, Instant, Presence};
use std::cell::RefCell;
use std::sync::mpsc::{Receiver, channel};

/// Records what is published.
#[derive(Default)]
struct Record(RefCell<Vec<(String, String)>>);

impl Publishes for &Record {
    fn publish(&self, topic: String, payload: String) -> Result<(), String> {
        self.0.borrow_mut().push((topic, payload));
        Ok(())
    }

    fn subscribe(&self, topics: [String; 2]) -> Result<(), String> {
        self.0.borrow_mut().extend(topics.map(|topic| (topic, "subscribed".to_owned())));
        Ok(())
    }

    fn end(self) {
        self.0.borrow_mut().push(("end".to_owned(), String::new()));
    }
}

impl Record {
    /// Returns what was published since the last call: the last part of each topic, and what.
    fn taken(&self) -> Vec<(String, String)> {
        let last = |topic: String| topic.rsplit('/').next().unwrap_or_default().to_owned();
        self.0.borrow_mut().drain(..).map(|(topic, payload)| (last(topic), payload)).collect()
    }

    fn topics(&self) -> Vec<String> {
        self.taken().into_iter().map(|(topic, _)| topic).collect()
    }
}

struct Fixture {
    inbox: Inbox,
    reporter: Reporter,
    updates: Receiver<HubEvent>,
    record: Record,
}

impl Fixture {
    fn new() -> Self {
        let (events, updates) = channel();
        let (clock, console) = (Clock::start(), Console::new(false));
        let inbox = Inbox { states: Slot::new(), clock: clock.clone(), console: console.clone() };
        let reporter = Reporter { source: Source::Mqtt, events, stop: Stop::new(), clock, console };
        Self { inbox, reporter, updates, record: Record::default() }
    }

    fn home(&self) -> Home<'_, &Record> {
        Home::new(&self.inbox, &self.reporter, Topics::new("desk", "homeassistant"), &self.record)
    }

    /// Returns what the hub was told since the last call.
    fn told(&self) -> Vec<News> {
        let news = |event| if let HubEvent::Update(Update { news, .. }) = event { news } else { panic!() };
        self.updates.try_iter().map(news).collect()
    }
}

fn broker() -> Broker {
    "mqtt://broker".parse().unwrap()
}

fn message(topic: &str, payload: &str, is_old: bool) -> Event {
    Event::Message { topic: topic.to_owned(), payload: payload.as_bytes().to_vec(), is_old }
}

fn chosen(payload: &str) -> Event {
    message("presence-core/desk/session/set", payload, false)
}

/// Returns a state with this presence.
fn state(presence: Presence) -> Event {
    let mut hub = Hub::new([Source::Graph]);
    let news = News::Presence { presence, lease: Duration::from_mins(5), is_out_of_office: false };
    hub.take(Instant::ZERO, Update { source: Source::Graph, news }).unwrap();
    Event::State(hub.state())
}

fn held(presence: Presence) -> News {
    News::Presence { presence, lease: choice::LEASE, is_out_of_office: false }
}

#[test]
fn nothing_is_published_before_there_is_a_connection_and_then_everything() {
    let fixture = Fixture::new();
    let mut home = fixture.home();
    home.handle(state(Presence::Busy), &broker());
    assert!(fixture.record.topics().is_empty());
    home.handle(Event::Connected, &broker());
    let all = ["set", "status", "config", "status", "session", "state"];
    assert_eq!(fixture.record.topics(), all);
    // Only what is shown counts, not that a lease was renewed.
    home.handle(state(Presence::Busy), &broker());
    assert!(fixture.record.topics().is_empty());
    home.handle(state(Presence::Away), &broker());
    let away = r#"{"activity":"Away","availability":"Away","isOutOfOffice":false,"link":"no answer yet"}"#;
    assert_eq!(fixture.record.taken(), [("state".to_owned(), away.to_owned())]);
    // What happens without a connection is published with the next one.
    home.handle(Event::Lost("cut".to_owned()), &broker());
    home.handle(state(Presence::Available), &broker());
    assert!(fixture.record.topics().is_empty());
    home.handle(Event::Connected, &broker());
    assert!(fixture.record.taken().last().is_some_and(|(_, state)| state.contains("Available")));
}

#[test]
fn home_assistant_is_told_everything_when_it_has_started() {
    let fixture = Fixture::new();
    let mut home = fixture.home();
    home.handle(Event::Connected, &broker());
    fixture.record.taken();
    home.handle(message("homeassistant/status", "offline", false), &broker());
    // Said before this program was there, which has just published all.
    home.handle(message("homeassistant/status", "online", true), &broker());
    assert!(fixture.record.topics().is_empty());
    home.handle(message("homeassistant/status", "online", false), &broker());
    assert_eq!(fixture.record.topics(), ["config", "status", "session"]);
}

#[test]
fn a_choice_is_a_session_that_is_renewed_until_it_is_taken_back() {
    let fixture = Fixture::new();
    let mut home = fixture.home();
    home.handle(Event::Connected, &broker());
    fixture.record.taken();
    home.handle(chosen("DoNotDisturb"), &broker());
    assert_eq!(fixture.told(), [held(Presence::DoNotDisturb)]);
    assert_eq!(fixture.record.taken(), [("session".to_owned(), "DoNotDisturb".to_owned())]);
    let now = fixture.inbox.clock.now();
    home.renew(now);
    assert!(fixture.told().is_empty());
    home.renew(now.saturating_add(choice::RENEWAL));
    assert_eq!(fixture.told(), [held(Presence::DoNotDisturb)]);
    home.handle(chosen(choice::NOTHING), &broker());
    assert_eq!(fixture.told(), [News::Ended]);
    home.renew(now.saturating_add(Duration::from_hours(1)));
    assert!(fixture.told().is_empty());
}

#[test]
fn what_cannot_be_chosen_changes_nothing_and_the_choice_is_published_again() {
    let fixture = Fixture::new();
    let mut home = fixture.home();
    home.handle(Event::Connected, &broker());
    home.handle(chosen("Busy"), &broker());
    fixture.told();
    fixture.record.taken();
    home.handle(chosen("Asleep"), &broker());
    assert_eq!((fixture.told(), fixture.record.taken()), (vec![], vec![("session".to_owned(), "Busy".to_owned())]));
    // A choice that the broker has kept is from another day.
    home.handle(message("presence-core/desk/session/set", "Away", true), &broker());
    home.handle(message("presence-core/other/session/set", "Away", false), &broker());
    assert_eq!((fixture.told(), fixture.record.taken()), (vec![], vec![]));
}

#[test]
fn a_choice_ends_when_nobody_could_take_it_back_for_long() {
    let fixture = Fixture::new();
    let mut home = fixture.home();
    home.handle(Event::Connected, &broker());
    home.handle(chosen("Busy"), &broker());
    let now = fixture.inbox.clock.now();
    home.handle(Event::Lost("cut".to_owned()), &broker());
    fixture.told();
    home.renew(now.saturating_add(choice::RENEWAL));
    assert!(fixture.told().is_empty());
    home.renew(now.saturating_add(choice::LEASE).saturating_add(choice::RENEWAL));
    assert_eq!(fixture.told(), [News::Ended]);
    fixture.record.taken();
    home.handle(Event::Connected, &broker());
    assert!(fixture.record.taken().contains(&("session".to_owned(), choice::NOTHING.to_owned())));
}

#[test]
fn an_end_in_order_says_good_bye() {
    let fixture = Fixture::new();
    let mut home = fixture.home();
    home.handle(Event::Connected, &broker());
    fixture.record.taken();
    home.end();
    assert_eq!(
        fixture.record.taken(),
        [("status".to_owned(), "offline".to_owned()), ("end".to_owned(), String::new())]
    );
}
