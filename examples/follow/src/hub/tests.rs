//! What sources make together, with a virtual clock.

use super::*;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

fn hub() -> Hub {
    Hub::new([Source::Graph, Source::Devices])
}

fn says(source: Source, presence: Presence, seconds: u64) -> Update {
    let lease = Duration::from_secs(seconds);
    Update { source, news: News::Presence { presence, lease, is_out_of_office: false } }
}

fn ends(source: Source) -> Update {
    Update { source, news: News::Ended }
}

fn shown(hub: &mut Hub, seconds: u64) -> (Presence, Option<Absence>, Option<Source>) {
    hub.advance(at(seconds));
    let state = hub.state();
    (state.presence, state.absence, state.because)
}

#[test]
fn the_strongest_session_decides_until_its_lease_ends() {
    let mut hub = hub();
    assert_eq!(shown(&mut hub, 0), (Presence::Offline, Some(Absence::NeverSeen), None));
    hub.take(at(0), says(Source::Graph, Presence::Available, 90)).unwrap();
    hub.take(at(1), says(Source::Devices, Presence::InACall, 30)).unwrap();
    assert_eq!(shown(&mut hub, 1), (Presence::InACall, None, Some(Source::Devices)));
    assert_eq!(hub.next_deadline(), Some(at(31)));
    assert_eq!(hub.state().deciding().unwrap().ends_at, at(31));
    assert_eq!(shown(&mut hub, 31), (Presence::Available, None, Some(Source::Graph)));
    // Nothing fades: Graph would say so itself.
    assert_eq!(shown(&mut hub, 89), (Presence::Available, None, Some(Source::Graph)));
    assert_eq!(shown(&mut hub, 90), (Presence::Offline, Some(Absence::Expired), None));
    assert_eq!(hub.next_deadline(), None);
}

#[test]
fn p4_each_source_has_its_policy() {
    let mut hub = hub();
    hub.take(at(0), says(Source::Graph, Presence::OffWork, 90)).unwrap();
    let before = hub.state();
    assert!(hub.take(at(0), says(Source::Devices, Presence::OffWork, 90)).is_err());
    assert!(hub.take(at(0), says(Source::Graph, Presence::Unknown, 90)).is_err());
    assert!(hub.take(at(0), says(Source::Graph, Presence::Busy, 0)).is_err());
    assert_eq!(hub.state(), before);
}

#[test]
fn a5_a_person_is_gone_if_what_is_mirrored_says_so() {
    let mut hub = hub();
    // Graph has never said anything else.
    hub.take(at(0), ends(Source::Graph)).unwrap();
    assert_eq!(shown(&mut hub, 0), (Presence::Offline, Some(Absence::Cleared), None));
    hub.take(at(1), says(Source::Graph, Presence::Busy, 5)).unwrap();
    hub.take(at(1), says(Source::Devices, Presence::InACall, 20)).unwrap();
    // Graph's lease has ended, so that it is not known; a microphone that is off knows nothing about it.
    hub.take(at(10), ends(Source::Devices)).unwrap();
    assert_eq!(shown(&mut hub, 10), (Presence::Offline, Some(Absence::Expired), None));
    hub.take(at(11), ends(Source::Graph)).unwrap();
    assert_eq!(shown(&mut hub, 11), (Presence::Offline, Some(Absence::Cleared), None));
    // Without anything that is mirrored, nothing in use is nobody there.
    let mut alone = Hub::new([Source::Devices]);
    alone.take(at(0), ends(Source::Devices)).unwrap();
    assert_eq!(shown(&mut alone, 0), (Presence::Offline, Some(Absence::Cleared), None));
}

#[test]
fn f2_links_are_told_apart_from_the_presence() {
    let mut hub = hub();
    assert_eq!((hub.state().link(), hub.state().exit_code()), (Link::NoAnswer, 4));
    hub.take(at(0), Update { source: Source::Devices, news: News::Link(Link::Ok) }).unwrap();
    assert!(!hub.state().is_complete());
    hub.take(at(0), says(Source::Graph, Presence::Busy, 90)).unwrap();
    hub.take(at(0), Update { source: Source::Graph, news: News::Link(Link::SignIn) }).unwrap();
    let state = hub.state();
    assert_eq!((state.presence, state.link(), state.exit_code()), (Presence::Busy, Link::SignIn, 0));
    assert!(state.is_complete());
    hub.advance(at(90));
    assert_eq!((hub.state().presence, hub.state().exit_code()), (Presence::Offline, 3));
}

#[test]
fn p4_out_of_office_stands_beside_the_presence_and_ends_with_its_lease() {
    let mut hub = hub();
    let news = News::Presence { presence: Presence::Available, lease: SECOND, is_out_of_office: true };
    hub.take(at(0), Update { source: Source::Graph, news }).unwrap();
    hub.take(at(0), says(Source::Devices, Presence::InACall, 30)).unwrap();
    assert_eq!((hub.state().presence, hub.state().is_out_of_office), (Presence::InACall, true));
    hub.advance(at(1));
    assert!(!hub.state().is_out_of_office);
    // What the same source says next counts.
    hub.take(at(2), Update { source: Source::Graph, news }).unwrap();
    hub.take(at(2), says(Source::Graph, Presence::Busy, 30)).unwrap();
    assert!(!hub.state().is_out_of_office);
}

#[test]
fn a_state_is_a_line_of_json_that_a_presence_can_be_read_from() {
    let mut hub = hub();
    hub.take(at(0), says(Source::Graph, Presence::InAMeeting, 90)).unwrap();
    let line = hub.state().to_json();
    let read = presence_core::client::PresenceObject::parse(line.as_bytes()).unwrap();
    assert_eq!((read.presence, read.is_out_of_office), (Presence::InAMeeting, false));
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&json["source"], &json["links"]["graph"]), (&"graph".into(), &"noAnswer".into()));
    assert!(!line.contains('\n'));
}

/// Presences that do not fade, and sources of both policies.
const PRESENCES: [Presence; 4] = [Presence::Away, Presence::Busy, Presence::InACall, Presence::Presenting];
const SOURCES: [Source; 3] = [Source::Graph, Source::Devices, Source::Calendar];

proptest::proptest! {
    /// A second opinion: what is shown is the strongest presence whose lease has not ended, whatever came in which order, and
    /// however often time was looked at.
    #[test]
    fn the_strongest_of_what_still_holds_is_shown(
        steps in proptest::collection::vec((0..40u64, 0..3usize, proptest::option::of((0..4usize, 1..60u64)), proptest::bool::ANY), 0..60),
    ) {
        let mut hub = Hub::new(SOURCES);
        let mut held: BTreeMap<Source, (Presence, u64)> = BTreeMap::new();
        let mut now = 0;
        for (passed, source, said, looks) in steps {
            now += passed;
            if looks {
                hub.advance(at(now));
            }
            let source = SOURCES[source];
            let update = match said {
                Some((presence, lease)) => says(source, PRESENCES[presence], lease),
                None => ends(source),
            };
            hub.take(at(now), update).unwrap();
            match said {
                Some((presence, lease)) => held.insert(source, (PRESENCES[presence], now + lease)),
                None => held.remove(&source),
            };
            held.retain(|_, (_, end)| *end > now);
            hub.advance(at(now));
            let state = hub.state();
            let strongest = held.values().map(|(presence, _)| *presence).max();
            proptest::prop_assert_eq!(state.presence, strongest.unwrap_or(Presence::Offline));
            proptest::prop_assert_eq!(state.absence.is_some(), held.is_empty());
            let sessions: BTreeMap<_, _> = state.sessions.iter().map(|held| (held.source, (held.presence, held.ends_at.as_secs()))).collect();
            proptest::prop_assert_eq!(&sessions, &held);
            proptest::prop_assert_eq!(hub.next_deadline().map(Instant::as_secs), held.values().map(|(_, end)| *end).min());
        }
    }
}

/// Sources of both kinds, and all that they say is allowed to each.
fn said() -> impl Strategy<Value = (Source, Option<(Presence, u64, bool)>)> {
    let sources = vec![Source::Graph, Source::Server, Source::Devices, Source::Calendar, Source::Stdin, Source::Mqtt];
    let presences = vec![Presence::Away, Presence::Busy, Presence::InACall, Presence::Presenting];
    let news = (prop::sample::select(presences), 1u64..20, any::<bool>());
    (prop::sample::select(sources), prop::option::weighted(0.7, news))
}

proptest! {
    /// Whatever is said, in any order: the strongest of what holds is shown, beside being out of office if anything that holds says
    /// so, and the hub is to be looked at when the next of it ends.
    #[test]
    fn p4_what_is_shown_is_what_each_source_has_said_last(
        history in prop::collection::vec((0u64..6, said()), 1..40),
    ) {
        let mut hub = Hub::new([]);
        let mut held: BTreeMap<Source, (Presence, u64, bool)> = BTreeMap::new();
        let mut now = 0;
        for (pause, (source, said)) in history {
            now += pause;
            match said {
                Some((presence, seconds, is_out_of_office)) => {
                    let news = News::Presence { presence, lease: Duration::from_secs(seconds), is_out_of_office };
                    hub.take(at(now), Update { source, news }).unwrap();
                    held.insert(source, (presence, now + seconds, is_out_of_office));
                }
                None => {
                    hub.take(at(now), ends(source)).unwrap();
                    held.remove(&source);
                }
            }
            hub.advance(at(now));
            held.retain(|_, (_, end, _)| *end > now);
            let state = hub.state();
            let strongest = held.values().map(|(presence, ..)| *presence).max();
            prop_assert_eq!(state.presence, strongest.unwrap_or(Presence::Offline), "at {}", now);
            prop_assert_eq!(state.is_out_of_office, held.values().any(|(.., is_out)| *is_out), "at {}", now);
            prop_assert_eq!(hub.next_deadline(), held.values().map(|(_, end, _)| at(*end)).min(), "at {}", now);
            let sessions: Vec<_> = state.sessions.iter().map(|held| (held.source, (held.presence, held.ends_at))).collect();
            let expected: Vec<_> = held.iter().map(|(source, (presence, end, _))| (*source, (*presence, at(*end)))).collect();
            prop_assert_eq!(sessions, expected, "at {}", now);
        }
    }
}
