//! Comparing the library with the model, field by field.

use super::directory::Directory;
use super::user::User;
use super::{Happening, Rules, instant, millis};
use presence_core::directory::Memory;
use presence_core::{Change, Command, Duration, Instant, Policy, Transition, decide, next_due};
use std::hash::BuildHasher;

pub fn happening<S: Copy>(transition: &presence_core::Transition<S>) -> Happening {
    let (before, after) = (transition.before(), transition.after());
    assert_eq!(transition.is_visible(), before != after);
    Happening { at: transition.at(), before, after, cause: transition.cause() }
}

pub fn assert_same_user<const SESSIONS: usize>(real: &presence_core::User<u8, SESSIONS>, model: &User, rules: &Rules) {
    let real_sessions: Vec<_> = real
        .sessions()
        .iter()
        .map(|session| (session.id(), session.presence(), session.expires_at(), session.fades_at()))
        .collect();
    let model_sessions: Vec<_> = model
        .sessions
        .iter()
        .map(|(&id, session)| {
            let fades_at = session.fades_at(rules).map(instant);
            (id, session.presence(rules), instant(session.expires_at()), fades_at)
        })
        .collect();
    assert_eq!(real_sessions, model_sessions, "sessions: id, presence, expires_at, fades_at");
    for &id in model.sessions.keys() {
        assert_eq!(real.session(id).map(|session| session.id()), Some(id));
    }
    let preferred = real.preferred().map(|preferred| (preferred.presence(), preferred.expires_at()));
    assert_eq!(preferred, model.preferred.map(|(presence, until)| (presence, instant(until))), "preferred");
    assert_eq!(real.presence(), model.presence(rules), "presence");
    assert_eq!(real.is_empty(), model.is_empty(), "is_empty");
    assert_eq!(real.absence(), model.sessions.is_empty().then_some(model.absence), "absence (A5)");
    assert_eq!(real.since(), model.since(), "since (A4)");
    assert_eq!(real.version(), model.version, "version (V1)");
    assert_eq!(real.revision(), model.revision, "revision (V2)");
    assert_eq!(real.next_deadline(), model.next_deadline(rules).map(instant), "next deadline");
}

/// The same users with the same records, and the same reading of every id, known or not, at a moment.
pub fn assert_same_directory<M, H, const SESSIONS: usize>(
    real: &presence_core::directory::Directory<u8, u8, M, H, SESSIONS>,
    model: &Directory,
    ids: impl IntoIterator<Item = u8>,
    now: Instant,
) where
    M: Memory<u8, u8, SESSIONS>,
    H: BuildHasher,
{
    assert_eq!(real.len(), model.users.len());
    assert_eq!(real.is_empty(), model.users.is_empty());
    let evictable = model.users.iter().filter(|(id, user)| user.is_empty() && !model.pinned.contains(id));
    assert_eq!(real.evictable(), evictable.count(), "evictable (M5)");
    let mut users: Vec<_> = real.users().map(|(id, _)| id).collect();
    users.sort_unstable();
    assert!(users.iter().eq(model.users.keys()), "{users:?} have a slot");
    for id in ids {
        assert_eq!(real.get(id).is_some(), model.users.contains_key(&id));
        if let (Some(real), Some(model_user)) = (real.get(id), model.users.get(&id)) {
            assert_same_user(real, model_user, &model.rules);
        }
        let expected = model.read(id, millis(now));
        real.read(now, id, |user| assert_same_user(user, &expected, &model.rules));
        assert_eq!(real.presence(now, id), expected.presence(&model.rules));
        assert_eq!(real.version(now, id), expected.version);
        assert_eq!(real.explain(now, id), expected.explain(&model.rules), "explanation of {id} (A4)");
        // A user alone reads the same without being advanced, now and after everything that is still to come.
        if let Some(user) = real.get(id) {
            for ahead in [0, 1, 299_999, 300_000, 600_000, 3_600_000, 86_400_000 * 8] {
                let moment = now.saturating_add(Duration::from_millis(ahead));
                let expected = model.read(id, millis(moment));
                let expected = (expected.presence(&model.rules), expected.version);
                assert_eq!(user.read_at(moment, real.policy()), expected, "{id} read {ahead} ms ahead (M4, V1)");
            }
        }
    }
    // Never late; how early is the directory's own affair until it is idle.
    match (real.next_deadline(), model.next_deadline()) {
        (None, expected) => assert_eq!(expected, None, "a deadline would be missed"),
        (Some(promised), Some(expected)) => assert!(promised <= instant(expected), "a deadline would be late"),
        (Some(_), None) => {}
    }
}

/// Reports whether a decision about this user makes this very transition: the command is worked out from the transition.
pub fn is_decided<const SESSIONS: usize>(
    user: &presence_core::User<u8, SESSIONS>,
    transition: &Transition<u8>,
    policy: &Policy,
) -> bool {
    let lease = |until: Instant| Some(until.saturating_duration_since(transition.at()));
    let command = match transition.change() {
        Change::Faded(_) | Change::Expired(_) | Change::PreferredExpired => {
            return next_due(user, transition.at(), policy) == Some(*transition);
        }
        Change::Set(session) => Command::SetPresence {
            session: session.id(),
            presence: session.presence(),
            lease: lease(session.expires_at()),
        },
        Change::Cleared(session) => Command::ClearPresence { session },
        Change::PreferredSet(preferred) => {
            let (presence, duration) = (preferred.presence(), lease(preferred.expires_at()));
            Command::SetPreferredPresence { presence, duration }
        }
        Change::PreferredCleared => Command::ClearPreferredPresence,
    };
    user.at(transition.at()).is_ok_and(|moment| decide(moment, command, policy) == Ok(Some(*transition)))
}
