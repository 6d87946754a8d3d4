//! Restoring after a gap of unknown length: the user's sessions are not known any more.

use super::{IDS, NOON, busy_user, is_ordinary, saved, saved_at_the_end, secs};
use presence_core::snapshot::{self, RestoreError};
use presence_core::{
    Absence, ApplyError, Command, Duration, Instant, Layer, Policy, Presence, User, decide, set_presence,
};
use proptest::prelude::*;
use support::model::cases;
use support::model::life::{left, life};
use support::model::random::command as any_command;

/// The amount by which revision and version grow over a gap of unknown length.
const VERSION_GAP: u64 = 65_536;

proptest! {
    #![proptest_config(cases(1024))]

    /// The user is offline until an application sets a session, and that differs from having signed out. Rules A1, A5.
    #[test]
    fn a5_sessions_are_lost(life in life(), now in any::<u64>()) {
        let now = Instant::from_millis(now);
        let restored: User<u8, 3> = snapshot::restore(&saved_at_the_end(&life), now, None).unwrap();
        prop_assert_eq!(restored.presence(), Presence::Offline);
        prop_assert_eq!(restored.sessions(), []);
        prop_assert_eq!(restored.absence(), Some(life.user.absence().unwrap_or(Absence::Lost)));
    }

    /// The preferred presence is kept for the time that remained of it. Rules A2, U3, C3.
    #[test]
    fn u3_the_preferred_presence_is_kept(life in life(), now in 0_u64..1_000_000_000) {
        let now = Instant::from_millis(now);
        prop_assume!(is_ordinary(&life, life.now));
        let restored: User<u8, 3> = snapshot::restore(&saved_at_the_end(&life), now, None).unwrap();
        let before = life.user.preferred();
        prop_assert_eq!(restored.preferred().map(|one| one.presence()), before.map(|one| one.presence()));
        if let (Some(before), Some(after)) = (before, restored.preferred()) {
            let never = before.expires_at() == Instant::NEVER;
            prop_assert_eq!(after.expires_at() == Instant::NEVER, never);
            prop_assert!(never || left(after.expires_at(), now) == left(before.expires_at(), life.now));
        }
    }

    /// No version or revision is used twice, even if more happened after the snapshot. Rules V1, V2.
    #[test]
    fn v1_v2_the_gap_adds_to_both_numbers(life in life(), after in proptest::collection::vec(any_command(4), 0..8)) {
        let bytes = saved_at_the_end(&life);
        let mut goes_on = life.clone();
        for command in after {
            let _ = goes_on.command(command);
        }
        let mut restored: User<u8, 3> = snapshot::restore(&bytes, life.now, None).unwrap();
        prop_assert!(restored.version() >= life.user.version() + VERSION_GAP && restored.version() > goes_on.user.version());
        prop_assert!(restored.revision() >= life.user.revision() + VERSION_GAP && restored.revision() > goes_on.user.revision());
        for transition in &goes_on.transitions {
            prop_assert_eq!(restored.apply(transition), Err(ApplyError::Stale));
        }
    }

    /// `since` is the restart if the published presence changed; otherwise it stays. Rule A4.
    #[test]
    fn a4_since_is_kept_or_the_restart(life in life(), now in 0_u64..1_000_000_000) {
        let now = Instant::from_millis(now);
        let restored: User<u8, 3> = snapshot::restore(&saved_at_the_end(&life), now, None).unwrap();
        if life.user.presence() != Presence::Offline {
            prop_assert_eq!(restored.since(), Some(now));
        } else if life.user.since().is_some_and(|since| since <= life.now) {
            let ago = life.now.saturating_duration_since(life.user.since().unwrap());
            prop_assert_eq!(restored.since(), Some(now.saturating_sub(ago)));
        }
    }

    /// A restored user can be saved and restored again, and nothing more is lost.
    #[test]
    fn c2_twice_is_as_good_as_once(life in life()) {
        let once: User<u8, 3> = snapshot::restore(&saved_at_the_end(&life), life.now, None).unwrap();
        let twice: User<u8, 3> = snapshot::restore(&saved(&once, life.now), life.now, None).unwrap();
        prop_assert_eq!((twice.preferred(), twice.absence(), twice.since()), (once.preferred(), once.absence(), once.since()));
        prop_assert_eq!((twice.version(), twice.revision()), (once.version() + VERSION_GAP, once.revision() + VERSION_GAP));
    }
}

#[test]
fn a5_a_lamp_shows_no_news_until_an_application_speaks() {
    let bytes = saved(&busy_user(IDS), NOON);
    let mut user: User<u8, 4> = snapshot::restore(&bytes, Instant::ZERO, None).unwrap();
    assert_eq!(user.explain(&Policy::DESK).layer, Layer::Nothing(Absence::Lost));
    assert_eq!(user.explain(&Policy::DESK).since, Some(Instant::ZERO));

    let set = set_presence(user.at(secs(20)).unwrap(), 2, Presence::InAMeeting, None, &Policy::DESK).unwrap();
    user.apply(&set).unwrap();
    assert_eq!(user.presence(), Presence::BeRightBack, "still preferred");
    let clear = decide(user.at(secs(30)).unwrap(), Command::ClearPreferredPresence, &Policy::DESK).unwrap().unwrap();
    user.apply(&clear).unwrap();
    assert_eq!(user.presence(), Presence::InAMeeting);
}

#[test]
fn a5_a_user_who_signed_out_stays_signed_out() {
    let mut user: User<u8, 4> = User::new();
    let set = set_presence(user.at(secs(0)).unwrap(), 1, Presence::Away, None, &Policy::GRAPH).unwrap();
    user.apply(&set).unwrap();
    let clear = decide(user.at(secs(1)).unwrap(), Command::ClearPresence { session: 1 }, &Policy::GRAPH).unwrap();
    user.apply(&clear.unwrap()).unwrap();
    let restored: User<u8, 4> = snapshot::restore(&saved(&user, secs(2)), secs(0), None).unwrap();
    assert_eq!(restored.absence(), Some(Absence::Cleared));
}

/// No instant lies before the clock's beginning, however early the clock and however long the distances.
#[test]
fn c2_a_gap_of_unknown_length_always_fits_the_clock() {
    let bytes = saved(&busy_user(IDS), NOON);
    for now in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX].map(Instant::from_millis) {
        assert!(snapshot::restore::<u8, 4>(&bytes, now, None).is_ok());
    }
    assert_eq!(
        snapshot::restore::<u8, 3>(&bytes, secs(0), None),
        Err(RestoreError::Full),
        "the content is checked the same"
    );
}

#[test]
fn v1_the_greatest_numbers_stay() {
    let user: User<u8, 4> = User::with_version(u64::MAX - 1);
    let restored: User<u8, 4> = snapshot::restore(&saved(&user, secs(0)), secs(0), None).unwrap();
    assert_eq!((restored.version(), restored.revision()), (u64::MAX, u64::MAX));
}

/// A user that was restored, with whatever numbers, continues and is restored again.
#[test]
fn v1_v2_a_user_with_the_greatest_numbers_is_restored_again() {
    for number in [u64::MAX - 1, u64::MAX] {
        let user: User<u8, 4> = User::with_version(number);
        let mut user: User<u8, 4> = snapshot::restore(&saved(&user, secs(0)), secs(0), Some(Duration::ZERO)).unwrap();
        for session in [1, 2] {
            let set = set_presence(user.at(secs(1)).unwrap(), session, Presence::Away, None, &Policy::GRAPH).unwrap();
            user.apply(&set).unwrap();
            assert_eq!((user.version(), user.revision()), (u64::MAX, u64::MAX));
            assert_eq!(snapshot::restore(&saved(&user, secs(1)), secs(1), Some(Duration::ZERO)).as_ref(), Ok(&user));
        }
        user.rebase(secs(2), secs(1)).unwrap();
        assert_eq!(snapshot::restore(&saved(&user, secs(1)), secs(1), Some(Duration::ZERO)), Ok(user));
    }
}
