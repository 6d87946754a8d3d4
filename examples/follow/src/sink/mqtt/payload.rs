//! What is published: the device that Home Assistant finds, and its state.

use super::choice;
use super::topics::Topics;
use crate::hub::State;
use crate::sink::known;
use presence_core::client::Link;
use presence_core::{Availability, Presence};
use serde_json::{Value, json};

/// The quality of service of everything: at least once.
const QOS: u8 = 1;

/// Returns the description of a device with its entities, as Home Assistant reads it from its version 2024.11 on.
pub(super) fn device(topics: &Topics) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    let state = topics.state();
    let unique = |name: &str| format!("{}_{name}", topics.client());
    // Members that are null are states that are not known.
    let availabilities: Vec<_> =
        Availability::ALL.iter().filter(|one| **one != Availability::PresenceUnknown).map(|one| one.name()).collect();
    let activities: Vec<_> =
        Presence::ALL.iter().filter(|one| **one != Presence::Unknown).map(|one| one.activity().name()).collect();
    json!({
        "device": {
            "identifiers": [unique("presence")],
            "name": format!("Presence ({})", topics.id),
            "manufacturer": "presence-core",
            "model": "presence-follow",
            "sw_version": version,
        },
        "origin": { "name": "presence-follow", "sw_version": version },
        "availability_topic": topics.status(),
        "qos": QOS,
        "components": {
            "availability": {
                "platform": "sensor",
                "unique_id": unique("availability"),
                "name": "Availability",
                "device_class": "enum",
                "options": availabilities,
                "state_topic": state,
                "value_template": "{{ value_json.availability }}",
            },
            "activity": {
                "platform": "sensor",
                "unique_id": unique("activity"),
                "name": "Activity",
                "icon": "mdi:account-badge",
                "device_class": "enum",
                "options": activities,
                "state_topic": state,
                "value_template": "{{ value_json.activity }}",
            },
            "out_of_office": {
                "platform": "binary_sensor",
                "unique_id": unique("out_of_office"),
                "name": "Out of office",
                "state_topic": state,
                "value_template": "{{ 'ON' if value_json.isOutOfOffice else 'OFF' }}",
            },
            "link": {
                "platform": "sensor",
                "unique_id": unique("link"),
                "name": "Link",
                "entity_category": "diagnostic",
                "device_class": "enum",
                "options": LINKS.map(link),
                "state_topic": state,
                "value_template": "{{ value_json.link }}",
            },
            "session": {
                "platform": "select",
                "unique_id": unique("session"),
                "name": "Set to",
                "icon": "mdi:account-edit",
                "options": choice::options().collect::<Vec<_>>(),
                "state_topic": topics.session(),
                "command_topic": topics.choice(),
            },
        },
    })
}

const LINKS: [Link; 4] = [Link::Ok, Link::NoAnswer, Link::Down, Link::SignIn];

const fn link(link: Link) -> &'static str {
    match link {
        Link::Ok => "ok",
        Link::NoAnswer => "no answer yet",
        Link::Down => "offline",
        Link::SignIn => "sign-in needed",
    }
}

/// Returns what is shown; a presence that is not known is null.
pub(super) fn state(state: &State) -> Value {
    let presence = known(state);
    json!({
        "availability": presence.map(|presence| presence.availability().name()),
        "activity": presence.map(|presence| presence.activity().name()),
        "isOutOfOffice": state.is_out_of_office,
        "link": link(state.link()),
    })
}
