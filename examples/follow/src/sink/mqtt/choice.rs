//! A presence that is chosen in a home automation.

use crate::source::{News, Source};
use presence_core::{Duration, Presence};

/// The choice that ends the session. Home Assistant takes `None` for a state that is not known.
pub(super) const NOTHING: &str = "Not set";
/// The time for which a choice holds when the broker is gone. It is renewed while the broker is there.
pub(super) const LEASE: Duration = Duration::from_mins(15);
/// The time between two renewals.
pub(super) const RENEWAL: Duration = Duration::from_mins(1);

/// Returns everything that can be chosen.
pub(super) fn options() -> impl Iterator<Item = &'static str> {
    std::iter::once(NOTHING).chain(presences().map(|presence| presence.activity().name()))
}

fn presences() -> impl Iterator<Item = Presence> {
    Source::Mqtt.policy().sessions.iter()
}

/// Returns the presence of a choice; `Some(None)` for the one that ends the session, and `None` for what cannot be chosen.
pub(super) fn parse(payload: &[u8]) -> Option<Option<Presence>> {
    let text = str::from_utf8(payload).ok()?.trim();
    if text.eq_ignore_ascii_case(NOTHING) {
        return Some(None);
    }
    let is_chosen = |presence: &Presence| presence.activity().name().eq_ignore_ascii_case(text);
    presences().find(is_chosen).map(Some)
}

/// Returns the name of a choice.
pub(super) fn name(chosen: Option<Presence>) -> &'static str {
    chosen.map_or(NOTHING, |presence| presence.activity().name())
}

/// Returns what a choice says to the hub.
pub(super) fn news(chosen: Option<Presence>) -> News {
    chosen.map_or(News::Ended, |presence| News::Presence { presence, lease: LEASE, is_out_of_office: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_can_be_chosen_and_nothing_else() {
        for option in options() {
            assert_eq!(parse(option.as_bytes()).map(name), Some(option));
            assert_ne!(option.to_ascii_lowercase(), "none", "Home Assistant takes it for an unknown state");
        }
        assert_eq!(options().count(), 13);
        assert_eq!(parse(b" inacall\n"), Some(Some(Presence::InACall)));
        for text in ["", "None", "Offline", "PresenceUnknown", "OffWork", "Asleep", "Busy/InACall"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse(b"\xff"), None);
    }
}
