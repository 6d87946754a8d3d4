//! Restoring after a gap of known length: the user continues as if there had been none.

use super::{HOUR, IDS, NOON, busy_user, is_ordinary, saved, saved_at_the_end, secs};
use presence_core::snapshot::{self, RestoreError};
use presence_core::{ApplyError, Command, Duration, Instant, Presence, User, set_presence};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use support::model::life::{Life, left, life};
use support::model::random::{Clock, command as any_command, forwards};
use support::model::{ANYTHING, cases};

/// Everything that will ever matter of a user, as distances from a moment, as they are on a clock on which that moment is
/// `there`: what lies at its end or beyond never comes (rule C3).
fn as_seen_at(user: &User<u8, 3>, now: Instant, there: Instant) -> impl PartialEq + std::fmt::Debug + use<> {
    let sessions = user.sessions().iter();
    let until =
        |at: Instant| (at != Instant::NEVER && left(at, now) < left(Instant::NEVER, there)).then(|| left(at, now));
    let sessions: Vec<_> =
        sessions.map(|one| (one.id(), one.presence(), until(one.expires_at()), one.fades_at().map(until))).collect();
    let preferred = user.preferred().map(|preferred| (preferred.presence(), until(preferred.expires_at())));
    let since = user.since().map(|since| left(since, now));
    (sessions, preferred, since, user.absence(), user.revision(), user.version())
}

/// What happened to a life from a transition on, as distances from a moment.
fn happened(life: &Life<3>, from: usize, now: Instant) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
    let transitions = life.transitions[from..].iter();
    transitions.map(|one| (left(one.at(), now), one.before(), one.after(), one.cause(), one.revision())).collect()
}

/// A life that continues, and the same life after a restart and a gap, on a clock that then reads `now`: the same happens to
/// both, whatever the commands afterwards. Rejected if the life does not fit that clock.
fn both_go_on(
    life: &Life<3>,
    elapsed: Duration,
    now: Instant,
    rest: &[(Clock, Command<u8>)],
) -> Result<(), TestCaseError> {
    let came_back = life.now.saturating_add(elapsed);
    prop_assume!(is_ordinary(life, now) && came_back < Instant::from_millis(u64::MAX / 2));
    let restored = snapshot::restore(&saved_at_the_end(life), now, Some(elapsed)).unwrap();
    let mut stays = Life { now: came_back, ..life.clone() };
    let mut restored = Life { user: restored, now, ..life.clone() };
    let first = life.transitions.len();
    stays.advance();
    restored.advance();
    prop_assert_eq!(happened(&stays, first, stays.now), happened(&restored, first, restored.now));
    for &(clock, command) in rest {
        let deadline = stays.user.next_deadline().map(Instant::as_millis);
        let passed = clock.read_forwards(stays.now.as_millis(), deadline) - stays.now.as_millis();
        if passed > u64::MAX / 16 {
            break;
        }
        for life in [&mut stays, &mut restored] {
            life.turn(Clock::Ahead(passed));
        }
        prop_assert_eq!(stays.command(command), restored.command(command));
        prop_assert_eq!(happened(&stays, first, stays.now), happened(&restored, first, restored.now));
    }
    prop_assert_eq!(
        as_seen_at(&stays.user, stays.now, restored.now),
        as_seen_at(&restored.user, restored.now, restored.now)
    );
    Ok(())
}

proptest! {
    #![proptest_config(cases(1024))]

    /// Rules S8, M4: the same transitions at the same moments, with the same revisions and versions, however much fell due
    /// during the gap; and every later command has the same effect.
    #[test]
    fn s8_m4_a_restored_user_goes_on_as_if_nothing_had_been(
        life in life(),
        gap in forwards(),
        to in 1_000_000_000_000_u64..2_000_000_000_000,
        rest in proptest::collection::vec((forwards(), any_command(4)), 0..8),
    ) {
        let came_back = gap.read_forwards(life.now.as_millis(), life.user.next_deadline().map(Instant::as_millis));
        let elapsed = Duration::from_millis(came_back - life.now.as_millis());
        both_go_on(&life, elapsed, Instant::from_millis(to), &rest)?;
    }

    /// On the same clock it is the same user, and transitions of a journal apply to it.
    #[test]
    fn v2_on_the_same_clock_it_is_the_same_user(life in life(), gap in 0_u64..1_000_000_000, said in any_command(4)) {
        let now = life.now.saturating_add(Duration::from_millis(gap));
        let restored: User<u8, 3> = snapshot::restore(&saved_at_the_end(&life), now, Some(now.saturating_duration_since(life.now))).unwrap();
        prop_assert_eq!(&restored, &life.user);
        let mut journal = life.clone();
        if journal.command(said).is_ok() {
            let mut replayed = restored;
            for transition in &journal.transitions[life.transitions.len()..] {
                prop_assert_eq!(replayed.apply(transition), Ok(()));
            }
            prop_assert_eq!(replayed, journal.user);
        }
    }

    /// A clock that started again at zero cannot express earlier deadlines. The documented way around that leads to the same
    /// user as an uninterrupted life.
    #[test]
    fn c2_a_deadline_before_the_epoch_is_applied_on_another_clock(life in life(), gap in forwards(), now in 0_u64..1000) {
        let bytes = saved_at_the_end(&life);
        let came_back = gap.read_forwards(life.now.as_millis(), life.user.next_deadline().map(Instant::as_millis));
        let elapsed = Duration::from_millis(came_back - life.now.as_millis());
        prop_assume!(is_ordinary(&life, life.now) && came_back < u64::MAX / 2);
        let now = Instant::from_millis(now);
        let before_epoch = elapsed.saturating_sub(now.saturating_duration_since(Instant::ZERO));
        let too_early = life.user.next_deadline().is_some_and(|at| at.saturating_duration_since(life.now) < before_epoch);
        let restored = snapshot::restore::<u8, 3>(&bytes, now, Some(elapsed));
        prop_assert_eq!(restored == Err(RestoreError::BeforeEpoch), too_early);
        if restored == Err(RestoreError::BeforeEpoch) {
            let at = Instant::ZERO.saturating_add(elapsed);
            let user = snapshot::restore(&bytes, at, Some(elapsed)).unwrap();
            let mut restored = Life { user, now: at, ..life.clone() };
            let mut stays = Life { now: Instant::from_millis(came_back), ..life.clone() };
            restored.advance();
            stays.advance();
            let first = life.transitions.len();
            prop_assert_eq!(happened(&stays, first, stays.now), happened(&restored, first, restored.now));
            prop_assert_eq!(restored.user.rebase(at, now), Ok(()));
            prop_assert_eq!(restored.user.presence(), stays.user.presence());
            prop_assert_eq!(restored.user.version(), stays.user.version());
        }
    }
}

#[test]
fn s2_s3_four_hours_without_power_take_everything_that_was_due() {
    let bytes = saved(&busy_user(IDS), NOON);
    let back = secs(16 * HOUR);
    let mut life: Life<4> = Life::new(presence_core::Policy::DESK);
    life.user = snapshot::restore(&bytes, back, Some(Duration::from_hours(4))).unwrap();
    assert!(life.user.at(back).is_err(), "overdue, so that no outdated user is read");
    life.now = back;
    life.advance();
    let at: Vec<_> = life.transitions.iter().map(|one| (one.at(), one.cause().name())).collect();
    let noon = |minutes: u64| secs(12 * HOUR + minutes * 60);
    assert_eq!(
        at,
        [
            (noon(1), "faded"),
            (noon(6), "faded"),
            (noon(230), "expired"),
            (noon(232), "expired"),
            (noon(234), "expired"),
            (noon(236), "expired"),
        ]
    );
    assert_eq!(life.user.presence(), Presence::Offline);
}

#[test]
fn v2_an_outdated_transition_is_still_stale() {
    let mut user: User<u8, 4> = busy_user(IDS);
    let decide = |user: &User<u8, 4>| {
        set_presence(user.at(NOON).unwrap(), 1, Presence::InACall, None, &presence_core::Policy::DESK).unwrap()
    };
    let outdated = decide(&user);
    user.apply(&outdated).unwrap();
    let mut restored: User<u8, 4> = snapshot::restore(&saved(&user, NOON), NOON, Some(Duration::ZERO)).unwrap();
    assert_eq!(restored.apply(&outdated), Err(ApplyError::Stale));
    assert_eq!(restored.apply(&decide(&user)), Ok(()));
}

/// Found by the property above: on a clock at 0 such a duration ends just before the last instant, on any later clock never.
#[test]
fn c3_a_command_after_a_restart_saturates_at_the_end_of_the_new_clock() {
    let mut life: Life<3> = Life { now: Instant::ZERO, ..Life::new(ANYTHING) };
    life.command(Command::SetPresence { session: 0, presence: Presence::Available, lease: None }).unwrap();
    for duration in [u64::MAX, u64::MAX - 1, u64::MAX - 2].map(Duration::from_millis) {
        for command in [
            Command::SetPreferredPresence { presence: Presence::Available, duration: Some(duration) },
            Command::SetPresence { session: 1, presence: Presence::Busy, lease: Some(duration) },
        ] {
            for now in [1, 2, 1_000_000_000_000].map(Instant::from_millis) {
                both_go_on(&life, Duration::ZERO, now, &[(Clock::Stays, command)]).unwrap();
            }
        }
    }
    let duration = Some(Duration::from_millis(u64::MAX - 1));
    life.command(Command::SetPreferredPresence { presence: Presence::Available, duration }).unwrap();
    assert_eq!(life.user.preferred().unwrap().expires_at(), Instant::from_millis(u64::MAX - 1));
    let restored: User<u8, 3> = snapshot::restore(&saved_at_the_end(&life), secs(1), Some(Duration::ZERO)).unwrap();
    assert_eq!(restored.preferred().unwrap().expires_at(), Instant::NEVER);
}

#[test]
fn c3_deadlines_saturate_on_a_clock_near_its_end() {
    let bytes = saved(&busy_user(IDS), NOON);
    let end = Instant::from_millis(u64::MAX - 1);
    let restored: User<u8, 4> = snapshot::restore(&bytes, end, Some(Duration::ZERO)).unwrap();
    assert_eq!(restored.next_deadline(), None);
    assert_eq!(restored.presence(), Presence::BeRightBack);
    let bytes = saved(&restored, end);
    let again: User<u8, 4> = snapshot::restore(&bytes, Instant::ZERO, Some(Duration::MAX)).unwrap();
    assert_eq!(again.next_deadline(), None, "a deadline that never comes stays so");
}
