//! Rules S8 and A4 where sessions end, fade and decide together: the tie rules hold at every place, up to as many sessions as a
//! user has room for, against the model.

use support::model::{self, Rules, check, millis, user::User as Model};

use presence_core::{Command, Duration, Instant, Policy, Presence, SingleUser, User, decide, next_due};

const NOW: Instant = Instant::from_secs(1000);

/// What a session may be: presences and leases of which two at least are alike in every respect but one.
const KINDS: [(Presence, u64); 5] = [
    (Presence::Available, 1000),
    (Presence::InACall, 1000),
    (Presence::InACall, 1200),
    (Presence::Available, 1200),
    (Presence::Away, 1000),
];

/// Sets sessions of these kinds, in an order that is not that of their ids, and a preferred presence that ends with some.
fn play<const SESSIONS: usize>(kinds: &[usize], is_preferred: bool, policy: &Policy, rules: &Rules) {
    let (mut user, mut model) = (User::<u8, SESSIONS>::new(), Model::default());
    let mut commands: Vec<_> = (0..kinds.len())
        .map(|number| {
            let session = (number * 3 + 1) % kinds.len();
            let session = if kinds.len().is_multiple_of(3) { number } else { session };
            let (presence, seconds) = KINDS[kinds[session]];
            let lease = Some(Duration::from_secs(seconds));
            Command::SetPresence { session: session as u8, presence, lease }
        })
        .collect();
    if is_preferred {
        let (presence, duration) = (Presence::Busy, Some(Duration::from_secs(1000)));
        commands.push(Command::SetPreferredPresence { presence, duration });
    }
    for command in commands {
        let transition = decide(user.at(NOW).unwrap(), command, policy).unwrap().unwrap();
        user.apply(&transition).unwrap();
        model.command(rules, SESSIONS, millis(NOW), command).unwrap();
    }
    assert_eq!(user.sessions().len(), kinds.len());
    let mut single = SingleUser::with_user(user.clone(), *policy);
    let mut seen = Vec::new();
    let end = Instant::from_secs(10_000);
    // Nothing happens more often than a session fades and ends.
    for left in (0..=kinds.len() * 7 + 1).rev() {
        check::assert_same_user(&user, &model, rules);
        assert_eq!(user.explain(policy), model.explain(rules), "{kinds:?} (A4)");
        for ahead in [0, 300, 301, 600, 1000, 1199, 1200] {
            let moment = Instant::from_secs(1000 + ahead);
            let read = model.advanced(rules, millis(moment));
            assert_eq!(user.read_at(moment, policy), (read.presence(rules), read.version), "{kinds:?} (M4)");
        }
        let (due, expected) = (next_due(&user, end, policy), model.carry_out_next(rules, millis(end)));
        assert_eq!(due.as_ref().map(check::happening), expected, "{kinds:?} (S8)");
        let Some(due) = due else { break };
        assert!(left > 0, "it ends");
        user.apply(&due).unwrap();
        seen.push(due);
    }
    let mut at_once = Vec::new();
    single.advance(end, |due| at_once.push(*due));
    assert_eq!((at_once, single.user()), (seen, &user), "{kinds:?}: all at once");
}

/// Every list of so many kinds out of the first few.
fn lists(length: u32, kinds: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..kinds.pow(length)).map(move |number| (0..length).map(|place| number / kinds.pow(place) % kinds).collect())
}

#[test]
fn s8_a4_ties_at_every_place() {
    let (length, full) = if cfg!(miri) { (2, 0) } else { (5, 8) };
    for (policy, rules) in [(model::ANYTHING, model::anything()), (model::WEARY, model::weary())] {
        for kinds in (1..=length).flat_map(|length| lists(length, if length > 3 { 3 } else { KINDS.len() })) {
            play::<5>(&kinds, kinds.len() % 2 == 0, &policy, &rules);
        }
        for kinds in lists(full, 2) {
            play::<8>(&kinds, kinds[0] == 0, &policy, &rules);
        }
    }
}

/// One of sixteen sessions, where all others are alike, is the first or the last to end, to fade or to decide.
#[test]
fn s8_a4_one_that_differs_at_every_place() {
    for (policy, rules) in [(model::ANYTHING, model::anything()), (model::WEARY, model::weary())] {
        for place in [0, 1, 2, 7, 8, 14, 15] {
            for (all, one) in [(0, 1), (1, 0), (2, 1), (1, 2), (0, 3), (4, 0)] {
                let mut kinds = vec![all; 16];
                kinds[place] = one;
                play::<16>(&kinds, place % 2 == 0, &policy, &rules);
            }
        }
    }
}
