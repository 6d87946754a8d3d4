//! The device that Home Assistant finds, against its documentation, which is in `home_assistant.json`.

use super::super::payload;
use super::super::topics::Topics;
use crate::hub::{Hub, State};
use crate::source::{News, Source, Update};
use presence_core::client::Link;
use presence_core::{Duration, Instant, Presence};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

fn documented() -> Value {
    serde_json::from_str(include_str!("home_assistant.json")).unwrap()
}

fn topics() -> Topics {
    Topics::new("desk", "homeassistant")
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// Checks that an object has the members that it must have, and only such that it may have.
fn check(object: &Map<String, Value>, documented: &Value, beside: &[&str]) {
    let (required, optional) = (names(&documented["required"]), names(&documented["optional"]));
    for name in &required {
        assert!(object.contains_key(*name), "{name} is missing");
    }
    for name in object.keys().map(String::as_str) {
        assert!(
            required.contains(&name) || optional.contains(&name) || beside.contains(&name),
            "{name} is not documented"
        );
    }
}

fn entities(device: &Value) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
    device["components"].as_object().unwrap().iter().map(|(id, entity)| (id.as_str(), entity.as_object().unwrap()))
}

#[test]
fn every_member_is_documented_and_none_is_missing() {
    let (documented, device) = (documented(), payload::device(&topics()));
    check(device.as_object().unwrap(), &documented["root"], &[]);
    check(device["device"].as_object().unwrap(), &documented["device"], &[]);
    check(device["origin"].as_object().unwrap(), &documented["origin"], &[]);
    assert!(!names(&device["device"]["identifiers"]).is_empty());
    let mut unique = BTreeSet::new();
    for (id, entity) in entities(&device) {
        let platform = entity["platform"].as_str().unwrap();
        check(entity, &documented[platform], &names(&documented["entity"]));
        assert!(unique.insert(entity["unique_id"].as_str().unwrap()), "{id}");
        assert!(is_id(id), "{id}");
        if let Some(category) = entity.get("entity_category") {
            assert!(names(&documented["entity_category"]).contains(&category.as_str().unwrap()));
        }
    }
    assert_eq!(unique.len(), 5);
}

/// Home Assistant demands options of an enumeration, and forbids them, or a unit beside them, elsewhere.
#[test]
fn enumerations_have_options_and_nothing_that_numbers_have() {
    let device = payload::device(&topics());
    let mut enumerations = 0;
    for (id, entity) in entities(&device).filter(|(_, entity)| entity["platform"] == "sensor") {
        assert_eq!(entity["device_class"], "enum", "{id}");
        assert!(!names(&entity["options"]).is_empty(), "{id}");
        assert!(!entity.contains_key("unit_of_measurement") && !entity.contains_key("state_class"), "{id}");
        enumerations += 1;
    }
    assert_eq!(enumerations, 3);
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[test]
fn any_name_becomes_topics_that_home_assistant_reads() {
    for name in ["desk", "Ada’s Mac.local", "a/b+c#", "é", "\0"] {
        let topics = Topics::new(name, "ha");
        let [prefix, kind, id, config] =
            topics.discovery().split('/').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((prefix.as_str(), kind.as_str(), config.as_str()), ("ha", "device", "config"));
        assert!(is_id(&id), "{id}");
        assert_eq!(topics.client(), id);
        assert_eq!(topics.home_assistant(), "ha/status");
        let name = id.strip_prefix("presence-follow-").expect("no other program has this id");
        assert_eq!(topics.state(), format!("presence-core/{name}/state"));
        let device = payload::device(&topics);
        for (_, entity) in entities(&device) {
            let unique = entity["unique_id"].as_str().unwrap();
            assert!(unique.starts_with(&format!("{id}_")), "{unique}");
        }
    }
}

/// Returns a state in which a source says this.
fn state(news: Option<News>, link: Link) -> State {
    let mut hub = Hub::new([Source::Graph]);
    for news in news.into_iter().chain([News::Link(link)]) {
        hub.take(Instant::ZERO, Update { source: Source::Graph, news }).unwrap();
    }
    hub.state()
}

/// Every state that is published is one of the options, or null: Home Assistant logs an error for anything else.
#[test]
fn every_state_is_an_option() {
    let device = payload::device(&topics());
    let said = |presence| News::Presence { presence, lease: Duration::from_mins(5), is_out_of_office: true };
    let mut seen = BTreeSet::new();
    for link in [Link::NoAnswer, Link::Ok, Link::Down, Link::SignIn] {
        let presences = Presence::ALL.into_iter().filter(|one| Source::Graph.policy().sessions.contains(*one));
        for news in presences.map(said).map(Some).chain([None, Some(News::Ended)]) {
            let published = payload::state(&state(news, link));
            for (id, entity) in entities(&device).filter(|(_, entity)| entity["platform"] == "sensor") {
                let template = entity["value_template"].as_str().unwrap();
                let member = template.strip_prefix("{{ value_json.").and_then(|rest| rest.strip_suffix(" }}")).unwrap();
                let value = published.get(member).unwrap_or_else(|| panic!("{member} of {id} is not published"));
                assert!(value.is_null() || entity["options"].as_array().unwrap().contains(value), "{id}: {value}");
                seen.insert((id.to_owned(), value.to_string()));
            }
            assert!(published["isOutOfOffice"].is_boolean());
        }
    }
    // Nor is there an option that is never published.
    let options = |id: &str| names(&device["components"][id]["options"]).len();
    for id in ["link", "activity", "availability"] {
        assert_eq!(seen.iter().filter(|(of, value)| of == id && value != "null").count(), options(id), "{id}");
    }
}

#[test]
fn what_is_not_known_is_null_and_gone_is_offline() {
    let published = |news| payload::state(&state(news, Link::Ok))["availability"].clone();
    assert_eq!(published(None), Value::Null);
    let busy = News::Presence { presence: Presence::Busy, lease: Duration::from_mins(5), is_out_of_office: false };
    assert_eq!(published(Some(busy)), "Busy");
    let mut hub = Hub::new([Source::Graph]);
    for news in [busy, News::Ended] {
        hub.take(Instant::ZERO, Update { source: Source::Graph, news }).unwrap();
    }
    assert_eq!(payload::state(&hub.state())["availability"], "Offline");
    // The lease of what was said is over.
    let mut hub = Hub::new([Source::Graph]);
    hub.take(Instant::ZERO, Update { source: Source::Graph, news: busy }).unwrap();
    hub.advance(Instant::from_secs(301));
    assert_eq!(payload::state(&hub.state())["availability"], Value::Null);
}
