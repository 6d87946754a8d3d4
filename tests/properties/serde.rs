//! The plain values through serde: what is written is read back, and an untrusted user is accepted only if applying
//! transitions could have made it.

use support::model;

use model::life::{Life, full_life, life};
use presence_core::directory::Cursor;
use presence_core::{
    Absence, ApplyError, Cause, Change, Command, Duration, Explanation, Instant, Layer, Policy, Presence, SessionId,
    Transition, User, UserId, clear_preferred_presence, clear_presence, next_due, set_preferred_presence, set_presence,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde_json::{Value, from_value, json, to_value};

fn round_trip<T: serde::Serialize + serde::de::DeserializeOwned + Clone + PartialEq + std::fmt::Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    // A device writes the same into a buffer, and reads it without an allocator.
    let mut buffer = [0; 2048];
    let length = serde_json_core::to_slice(value, &mut buffer).unwrap();
    assert_eq!(std::str::from_utf8(&buffer[..length]), Ok(&*text));
    assert_eq!(serde_json_core::from_slice::<T>(&buffer[..length]).as_ref(), Ok(&(value.clone(), length)), "{text}");
}

#[test]
fn plain_values_are_read_back() {
    Presence::ALL.iter().for_each(round_trip);
    presence_core::Availability::ALL.iter().for_each(round_trip);
    presence_core::Activity::ALL.iter().for_each(round_trip);
    [Absence::NeverSeen, Absence::Cleared, Absence::Expired, Absence::Lost].iter().for_each(round_trip);
    [Instant::ZERO, Instant::from_millis(1), Instant::NEVER].iter().for_each(round_trip);
    [Duration::ZERO, Duration::MAX].iter().for_each(round_trip);
    round_trip(&SessionId::from_bytes([7; 16]));
    round_trip(&UserId::from_bytes([0xFF; 16]));
    round_trip(&Layer::Session(3u8));
    round_trip(&[Cause::Set, Cause::PreferredExpired]);
    round_trip(&Command::SetPresence { session: 3u8, presence: Presence::InACall, lease: None });
    round_trip(&User::<SessionId, 4>::new());
    round_trip(&User::<u8, 0>::after_restart(0));
    round_trip(&User::<u8, 2>::with_version(u64::MAX));
}

/// What is written, in JSON and by the numbers of variants that compact formats write.
fn is_written<T>(value: &T, expected: Value, variant: Option<u32>)
where
    T: serde::Serialize + serde::de::DeserializeOwned + Clone + PartialEq + std::fmt::Debug,
{
    round_trip(value);
    assert_eq!(to_value(value).unwrap(), expected);
    assert_eq!(&from_value::<T>(expected.clone()).unwrap(), value);
    let Some(variant) = variant else { return };
    let content = match expected {
        Value::Object(members) if members.len() == 1 => members.into_iter().next().unwrap().1,
        _ => Value::Null,
    };
    let numbered = MapDeserializer::<_, serde_json::Error>::new([(variant, content)].into_iter());
    assert_eq!(&T::deserialize(MapAccessDeserializer::new(numbered)).unwrap(), value, "variant {variant}");
}

fn names_are_written<T>(values: &[T], names: &str)
where
    T: serde::Serialize + serde::de::DeserializeOwned + Clone + PartialEq + std::fmt::Debug,
{
    let names: Vec<&str> = names.split_whitespace().collect();
    assert_eq!(values.len(), names.len());
    for (variant, (value, name)) in (0..).zip(values.iter().zip(names)) {
        is_written(value, json!(name), Some(variant));
    }
}

/// The README promises that what is written stays: a change here is a new major version.
#[test]
fn what_names_ids_and_times_are_written_as_stays() {
    let names =
        "Unknown Offline OffWork Away BeRightBack AvailableInactive Available Busy InAMeeting InACall InAConferenceCall
        DoNotDisturb Focusing UrgentInterruptionsOnly Presenting";
    names_are_written(&Presence::ALL, names);
    names_are_written(
        presence_core::Activity::ALL,
        "PresenceUnknown Offline OffWork Away BeRightBack AvailableInactive Available Busy InAMeeting InACall
        InAConferenceCall DoNotDisturb Focusing UrgentInterruptionsOnly Presenting",
    );
    let names = "PresenceUnknown Offline Away BeRightBack Available Busy DoNotDisturb";
    names_are_written(presence_core::Availability::ALL, names);
    let all = [Absence::NeverSeen, Absence::Cleared, Absence::Expired, Absence::Lost];
    names_are_written(&all, "NeverSeen Cleared Expired Lost");
    let set = [Cause::Set, Cause::Cleared, Cause::Faded, Cause::Expired];
    let preferred = [Cause::PreferredSet, Cause::PreferredCleared, Cause::PreferredExpired];
    let names = "Set Cleared Faded Expired PreferredSet PreferredCleared PreferredExpired";
    names_are_written(&[&set[..], &preferred].concat(), names);

    is_written(
        &UserId::from_bytes(std::array::from_fn(|at| at as u8)),
        json!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        None,
    );
    is_written(&SessionId::from_bytes([255; 16]), json!(vec![255; 16]), None);
    is_written(&Instant::from_millis(1_500), json!(1_500), None);
    is_written(&Instant::NEVER, json!(u64::MAX), None);
    is_written(&Duration::from_millis(1_500), json!(1_500), None);
    is_written(&Cursor::START, json!(0), None);
}

#[test]
fn what_commands_and_explanations_are_written_as_stays() {
    is_written(&Layer::<u8>::Nothing(Absence::Lost), json!({"Nothing": "Lost"}), Some(0));
    is_written(&Layer::<u8>::Preferred, json!("Preferred"), Some(1));
    is_written(&Layer::Session(3u8), json!({"Session": 3}), Some(2));
    let explanation = Explanation {
        presence: Presence::InACall,
        layer: Layer::Session(3u8),
        since: Some(Instant::from_millis(7)),
        next: Some((Instant::from_millis(9), Presence::Offline)),
    };
    let expected = json!({"presence": "InACall", "layer": {"Session": 3}, "since": 7, "next": [9, "Offline"]});
    is_written(&explanation, expected, None);

    let (presence, lease) = (Presence::InACall, Some(Duration::from_millis(5)));
    let set = Command::SetPresence { session: 3u8, presence, lease };
    is_written(&set, json!({"SetPresence": {"session": 3, "presence": "InACall", "lease": 5}}), Some(0));
    is_written(&Command::ClearPresence { session: 3u8 }, json!({"ClearPresence": {"session": 3}}), Some(1));
    let preferred = Command::<u8>::SetPreferredPresence { presence, duration: None };
    is_written(&preferred, json!({"SetPreferredPresence": {"presence": "InACall", "duration": null}}), Some(2));
    is_written(&Command::<u8>::ClearPreferredPresence, json!("ClearPreferredPresence"), Some(3));
}

/// A transition of each kind: a user is set, prefers something that expires and something that is cleared, fades, expires, is
/// set again and cleared.
#[test]
fn what_transitions_are_written_as_stays() {
    let (policy, second) = (&Policy::GRAPH, Instant::from_secs);
    let (lease, minutes) = (Some(Duration::from_hours(1)), Some(Duration::from_mins(1)));
    let mut user: User<u8, 1> = User::new();
    let mut changes = Vec::new();
    for step in 0..8 {
        let transition = match step {
            0 => set_presence(user.at(second(0)).unwrap(), 5, Presence::Available, lease, policy).unwrap(),
            1 => set_preferred_presence(user.at(second(1)).unwrap(), Presence::Busy, minutes, policy).unwrap(),
            2 | 4 | 5 | 6 => next_due(&user, second(10_000), policy).unwrap(),
            3 => {
                let set =
                    set_preferred_presence(user.at(second(62)).unwrap(), Presence::Busy, minutes, policy).unwrap();
                user.apply(&set).unwrap();
                clear_preferred_presence(user.at(second(63)).unwrap()).unwrap()
            }
            _ => {
                let set = set_presence(user.at(second(9_000)).unwrap(), 6, Presence::InACall, lease, policy).unwrap();
                user.apply(&set).unwrap();
                clear_presence(user.at(second(9_001)).unwrap(), 6).unwrap()
            }
        };
        let value = to_value(transition).unwrap();
        is_written(&transition, value.clone(), None);
        user.apply(&transition).unwrap();
        changes.push((value["change"].clone(), transition.change()));
        if step == 0 {
            let change = json!({"Set": {"id": 5, "expires_at": 3_600_000, "fades_at": 300_000, "presence": "Available", "faded": 0}});
            let expected = json!({"revision": 0, "at": 0, "before": "Offline", "after": "Available", "change": change});
            assert_eq!(value, expected);
        }
    }
    let faded = |fades_at: u64, presence: &str, faded: u8| json!({"Faded": {"id": 5, "expires_at": 3_600_000, "fades_at": fades_at, "presence": presence, "faded": faded}});
    let expected = [
        (json!({"PreferredSet": {"presence": "Busy", "expires_at": 61_000}}), 4),
        (json!("PreferredExpired"), 6),
        (json!("PreferredCleared"), 5),
        (faded(600_000, "AvailableInactive", 1), 2),
        (faded(u64::MAX, "Away", 2), 2),
        (json!({"Expired": 5}), 3),
        (json!({"Cleared": 6}), 1),
    ];
    for ((written, change), (expected, variant)) in changes[1..].iter().zip(expected) {
        assert_eq!(*written, expected);
        is_written(change, expected, Some(variant));
    }
}

/// A user, as JSON, in a call and with a session that has faded once.
fn example() -> Value {
    let mut life: Life<3> = Life::new(Policy::GRAPH);
    life.now = Instant::ZERO;
    for (session, presence) in [(5, Presence::Available), (9, Presence::InACall)] {
        let lease = Some(Duration::from_hours(1));
        life.command(Command::SetPresence { session, presence, lease }).unwrap();
    }
    life.now = Instant::from_secs(400);
    life.advance();
    let user = to_value(&life.user).unwrap();
    assert_eq!(from_value::<User<u8, 3>>(user.clone()).unwrap(), life.user);
    user
}

fn is_accepted(change: impl FnOnce(&mut Value)) -> bool {
    let mut user = example();
    let before = user.clone();
    change(&mut user);
    assert_ne!(user, before, "nothing was changed");
    from_value::<User<u8, 3>>(user).is_ok()
}

/// The example as it is written, so that the other tests change what they mean to change.
#[test]
fn how_a_user_is_written() {
    assert_eq!(
        example(),
        json!({
            "sessions": [
                { "id": 5, "expires_at": 3_600_000, "fades_at": 600_000, "presence": "AvailableInactive", "faded": 1 },
                { "id": 9, "expires_at": 3_600_000, "fades_at": u64::MAX, "presence": "InACall", "faded": 0 },
            ],
            "preferred": null,
            "since": 0,
            "absence": "NeverSeen",
            "revision": 3,
            "version": 2,
        })
    );
}

#[test]
fn m2_two_sessions_of_one_id_are_rejected() {
    assert!(!is_accepted(|user| user["sessions"][1]["id"] = json!(5)));
    assert!(!is_accepted(|user| user["sessions"].as_array_mut().unwrap().reverse()), "out of order");
    assert!(is_accepted(|user| user["sessions"][1]["id"] = json!(6)));
}

#[test]
fn s9_more_sessions_than_fit_are_rejected() {
    let more = |count: u64| {
        move |user: &mut Value| {
            let sessions = user["sessions"].as_array_mut().unwrap();
            for id in 10..10 + count {
                let mut session = sessions[1].clone();
                session["id"] = json!(id);
                sessions.push(session);
            }
        }
    };
    assert!(is_accepted(more(1)));
    assert!(!is_accepted(more(2)));
}

#[test]
fn s3_only_what_was_set_to_available_fades() {
    assert!(!is_accepted(|user| user["sessions"][1]["fades_at"] = json!(600_000)), "a call that fades");
    assert!(!is_accepted(|user| user["sessions"][1]["faded"] = json!(1)), "a call that has faded");
    assert!(!is_accepted(|user| user["sessions"][0]["faded"] = json!(0)), "set to AvailableInactive, and fades");
    assert!(is_accepted(|user| user["sessions"][0]["presence"] = json!("Available")), "a fade that weakens nothing");
}

/// Each of eight sessions is checked: its place among the others, and its fades.
#[test]
fn s3_m2_every_session_is_checked() {
    let mut life: Life<8> = Life::new(Policy::GRAPH);
    for session in 0..8 {
        life.command(Command::SetPresence { session: session * 2, presence: Presence::InACall, lease: None }).unwrap();
    }
    let is_accepted = |session: usize, member: &str, value: Value| {
        let mut user = to_value(&life.user).unwrap();
        user["sessions"][session][member] = value;
        from_value::<User<u8, 8>>(user).is_ok()
    };
    for session in 0..8 {
        assert!(is_accepted(session, "id", json!(session * 2 + 1)), "{session}");
        assert_eq!(is_accepted(session, "id", json!(session * 2 + 2)), session == 7, "{session}");
        assert!(session == 0 || !is_accepted(session, "id", json!(session * 2 - 2)), "{session}");
        assert!(!is_accepted(session, "faded", json!(1)), "{session}");
        assert!(!is_accepted(session, "fades_at", json!(life.now.as_millis() + 1)), "{session}");
    }
}

#[test]
fn v1_a_version_ahead_of_the_revision_is_rejected() {
    assert!(!is_accepted(|user| user["version"] = json!(4)));
    assert!(is_accepted(|user| user["version"] = json!(3)));
}

#[test]
fn m3_an_unknown_presence_is_rejected() {
    assert!(!is_accepted(|user| user["sessions"][0]["presence"] = json!("Levitating")));
    assert!(!is_accepted(|user| user["sessions"][0]["expires_at"] = json!(-1)));
    assert!(!is_accepted(|user| user["revision"] = json!(1.5)));
    assert!(!is_accepted(|user| drop(user.as_object_mut().unwrap().remove("since"))));
}

/// Every position in a JSON text that holds a number or a name.
fn leaves(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| leaves(member, format!("{path}/{name}"), found));
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(at, element)| leaves(element, format!("{path}/{at}"), found));
        }
        _ => found.push(path),
    }
}

/// Changes one number or name in a JSON text into something of the same kind.
fn forge(value: &mut Value, which: Index, number: u64, presence: Presence) {
    let mut found = Vec::new();
    leaves(value, String::new(), &mut found);
    let leaf = value.pointer_mut(&found[which.index(found.len())]).unwrap();
    *leaf = if leaf.is_string() { to_value(presence).unwrap() } else { json!(number) };
}

fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![
        0u64..6,
        any::<u64>(),
        Just(u64::MAX),
        (0u64..30).prop_map(|hundreds| 1_000_000_000 + hundreds * 100_000)
    ]
}

proptest! {
    #![proptest_config(model::cases(1024))]

    #[test]
    fn whatever_can_come_about_is_read_back(life in life()) {
        round_trip(&life.user);
        life.transitions.iter().for_each(round_trip);
        round_trip(&life.user.explain(&life.policy));
    }

    /// A user that was altered is rejected, or is a user like any other: no call panics, and it comes to rest.
    #[test]
    fn a_full_user_is_read_back(life in full_life()) {
        round_trip(&life.user);
    }

    #[test]
    fn a_forged_user_is_rejected_or_lives_on(life in life(), which in any::<Index>(), number in numbers(), presence in model::random::presence()) {
        let mut forged = to_value(&life.user).unwrap();
        forge(&mut forged, which, number, presence);
        if let Ok(user) = from_value::<User<u8, 3>>(forged) {
            round_trip(&user);
            let mut life = Life { user, now: Instant::from_millis(u64::MAX - 1), ..life };
            life.advance();
            prop_assert_eq!(life.user.next_deadline(), None);
            prop_assert_eq!(life.user.explain(&life.policy).next, None);
            round_trip(&life.user);
            for presence in [Presence::Away, Presence::Presenting] {
                // Applied or rejected.
                let _ = life.command(Command::SetPresence { session: 1, presence, lease: None });
                round_trip(&life.user);
            }
        }
    }

    /// A transition that was altered is rejected and changes nothing, or it might have been decided: its record is applied,
    /// and the user that results would be accepted.
    #[test]
    fn v2_a_forged_transition_is_rejected_or_consistent(
        life in life(),
        at in any::<Index>(),
        which in any::<Index>(),
        number in numbers(),
        presence in model::random::presence(),
    ) {
        prop_assume!(!life.transitions.is_empty());
        let at = at.index(life.transitions.len());
        let mut user: User<u8, 3> = User::new();
        for transition in &life.transitions[..at] {
            user.apply(transition).unwrap();
        }
        let mut forged = to_value(life.transitions[at]).unwrap();
        forge(&mut forged, which, number, presence);
        let Ok(forged) = from_value::<Transition<u8>>(forged) else { return Ok(()) };
        let before = user.clone();
        match user.apply(&forged) {
            Ok(()) => {
                prop_assert_eq!((forged.revision(), forged.before()), (before.revision(), before.presence()));
                prop_assert_eq!((user.revision(), user.presence()), (before.revision() + 1, forged.after()));
                round_trip(&user);
            }
            Err(error) => {
                let is_stale = forged.revision() != before.revision();
                prop_assert_eq!(error, if is_stale { ApplyError::Stale } else { ApplyError::Invalid });
                prop_assert_eq!(user, before);
            }
        }
    }
}

/// The presence published before and after must follow from the record.
#[test]
fn v2_before_and_after_must_follow() {
    let user: User<u8, 2> = User::new();
    let set = set_presence(user.at(Instant::ZERO).unwrap(), 1, Presence::InACall, None, &Policy::GRAPH).unwrap();
    for (path, value) in [
        ("/before", json!("Away")),
        ("/after", json!("Away")),
        ("/change/Set/presence", json!("Away")),
        ("/change/Set/faded", json!(1)),
        ("/at", json!(300_001)),
    ] {
        let mut forged = to_value(set).unwrap();
        *forged.pointer_mut(path).unwrap() = value;
        let forged: Transition<u8> = from_value(forged).unwrap();
        assert_eq!(user.clone().apply(&forged), Err(ApplyError::Invalid), "{path}");
    }
    assert!(matches!(set.change(), Change::Set(_)));
    assert_eq!(user.clone().apply(&set), Ok(()));
}

/// A call does not fade (S3): no decision makes a transition that says so.
#[test]
fn v2_a_set_that_fades_must_be_available() {
    let user: User<u8, 2> = User::new();
    let set = set_presence(user.at(Instant::ZERO).unwrap(), 1, Presence::InACall, None, &Policy::GRAPH).unwrap();
    let mut forged = to_value(set).unwrap();
    forged["change"]["Set"]["fades_at"] = json!(1000);
    let forged: Transition<u8> = from_value(forged).unwrap();
    assert_eq!(user.clone().apply(&forged), Err(ApplyError::Invalid));
}

/// A user in a presentation for an hour, who is available for so many minutes: the end of that does not show.
fn presenting(minutes: u64) -> User<u8, 3> {
    let mut life: Life<3> = Life::new(Policy::GRAPH);
    life.now = Instant::ZERO;
    for (session, presence, minutes) in [(1, Presence::Available, minutes), (3, Presence::Presenting, 60)] {
        let lease = Some(Duration::from_mins(minutes));
        life.command(Command::SetPresence { session, presence, lease }).unwrap();
    }
    life.user
}

/// A fade weakens the session that is due, at its time, by one step, and leaves the expiry alone (S3, S8): no decision makes
/// another. The policy says how far it weakens.
#[test]
fn v2_a_forged_fade_is_rejected() {
    let user = presenting(60);
    let fade = to_value(next_due(&user, Instant::from_secs(300), &Policy::GRAPH).unwrap()).unwrap();
    for (path, value, expected) in [
        ("/change/Faded/presence", json!("AvailableInactive"), Ok(())),
        ("/change/Faded/presence", json!("Available"), Ok(())),
        ("/change/Faded/presence", json!("Away"), Ok(())),
        ("/change/Faded/presence", json!("Busy"), Err(ApplyError::Invalid)),
        ("/change/Faded/expires_at", json!(3_600_001), Err(ApplyError::Invalid)),
        ("/change/Faded/expires_at", json!(3_599_999), Err(ApplyError::Invalid)),
        ("/change/Faded/fades_at", json!(300_000), Err(ApplyError::Invalid)),
        ("/change/Faded/fades_at", json!(300_001), Ok(())),
        ("/change/Faded/faded", json!(0), Err(ApplyError::Invalid)),
        ("/change/Faded/faded", json!(2), Err(ApplyError::Invalid)),
        ("/change", json!({ "Expired": 1 }), Err(ApplyError::Invalid)),
        ("/change", json!("PreferredExpired"), Err(ApplyError::Invalid)),
        ("/at", json!(299_999), Err(ApplyError::Invalid)),
        ("/at", json!(300_001), Err(ApplyError::Invalid)),
    ] {
        let mut forged = fade.clone();
        *forged.pointer_mut(path).unwrap() = value;
        let transition: Transition<u8> = from_value(forged.clone()).unwrap();
        assert_eq!(user.clone().apply(&transition), expected, "{forged}");
    }
}

/// Rule S4: what expires does not fade at that moment.
#[test]
fn s4_a_fade_instead_of_an_expiry_is_rejected() {
    let user = presenting(5);
    let expiry = next_due(&user, Instant::from_secs(300), &Policy::GRAPH).unwrap();
    assert_eq!(expiry.cause(), Cause::Expired);
    let mut forged = to_value(expiry).unwrap();
    for fades_at in [300_001, u64::MAX] {
        forged["change"] = json!({
            "Faded": { "id": 1, "expires_at": 300_000, "fades_at": fades_at, "presence": "Away", "faded": 1 }
        });
        let transition: Transition<u8> = from_value(forged.clone()).unwrap();
        assert_eq!(user.clone().apply(&transition), Err(ApplyError::Invalid));
    }
}

/// Rule C3: a deadline at the greatest instant never comes, so nothing is applied then.
#[test]
fn c3_nothing_ends_at_the_greatest_instant() {
    let never = json!({
        "revision": 0, "at": u64::MAX, "before": "Offline", "after": "Offline", "change": "PreferredExpired"
    });
    let transition: Transition<u8> = from_value(never).unwrap();
    let mut user: User<u8, 2> = User::new();
    assert_eq!(user.apply(&transition), Err(ApplyError::Invalid));
    assert_eq!(user, User::new());
}
