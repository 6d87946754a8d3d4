//! Rule C2: after a clock step or a restart, all stored instants are shifted at once.

use support::{advance_until_idle, model};

use model::life::{Life, left, life};
use model::random::{Clock, actions, forwards, history};
use presence_core::directory::InlineDirectory;
use presence_core::{
    ApplyError, Command, Duration, Instant, OverdueError, Policy, Presence, User, next_due, set_presence,
};
use proptest::prelude::*;

/// Everything a user waits for, as time left.
fn remaining(user: &User<u8, 3>, now: Instant) -> Vec<(u8, i128, Option<i128>)> {
    let sessions = user.sessions().iter().map(|session| {
        let fades = session.fades_at().map(|fade| left(fade, now));
        (session.id(), left(session.expires_at(), now), fades)
    });
    sessions.chain(user.preferred().map(|preferred| (u8::MAX, left(preferred.expires_at(), now), None))).collect()
}

/// Reports whether a shift from one moment to another leaves every instant of the user within the range of instants.
fn is_exact(life: &Life<3>, to: Instant) -> bool {
    let by = left(to, life.now);
    let sessions = life.user.sessions().iter().map(|session| session.expires_at());
    let preferred = life.user.preferred().map(|preferred| preferred.expires_at());
    let mut instants = sessions.chain(preferred).chain(life.user.since()).chain([life.now]);
    instants.all(|at| at != Instant::NEVER && (0..model::NEVER).contains(&(model::millis(at) + by)))
}

proptest! {
    #![proptest_config(model::cases(512))]

    #[test]
    fn c2_what_is_left_is_kept_to_the_millisecond(life in life(), to in 0u64..1_000_000_000_000) {
        let to = Instant::from_millis(to);
        prop_assume!(is_exact(&life, to));
        let mut rebased = life.user.clone();
        prop_assert_eq!(rebased.rebase(life.now, to), Ok(()));
        prop_assert_eq!(remaining(&rebased, to), remaining(&life.user, life.now));
        prop_assert_eq!(rebased.since().map(|at| left(at, to)), life.user.since().map(|at| left(at, life.now)));
        prop_assert_eq!(rebased.presence(), life.user.presence());
        prop_assert_eq!(rebased.version(), life.user.version());
        prop_assert_eq!(rebased.explain(&life.policy).layer, life.user.explain(&life.policy).layer);
    }

    /// Time passes the same on either side of the step of the clock.
    #[test]
    fn c2_rebasing_and_advancing_commute(life in life(), to in 0u64..1_000_000_000_000, clocks in proptest::collection::vec(forwards(), 0..6)) {
        let to = Instant::from_millis(to);
        prop_assume!(is_exact(&life, to));
        let (mut stays, mut moved) = (life.clone(), life.clone());
        moved.user.rebase(life.now, to).unwrap();
        moved.now = to;
        for clock in clocks {
            let deadline = stays.user.next_deadline().map(Instant::as_millis);
            let now = Instant::from_millis(clock.read_forwards(stays.now.as_millis(), deadline));
            let passed = now.saturating_duration_since(stays.now);
            stays.turn(Clock::Ahead(passed.as_millis()));
            moved.turn(Clock::Ahead(passed.as_millis()));
            let happened = |life: &Life<3>| -> Vec<_> {
                let since = life.transitions.iter();
                since.map(|one| (left(one.at(), life.now), one.before(), one.after(), one.cause())).collect()
            };
            let new = life.transitions.len()..;
            prop_assert_eq!(&happened(&stays)[new.clone()], &happened(&moved)[new]);
            prop_assert_eq!(remaining(&stays.user, stays.now), remaining(&moved.user, moved.now));
        }
    }

    #[test]
    fn c2_something_overdue_must_be_applied_first(life in life()) {
        if let Some(deadline) = life.user.next_deadline() {
            let mut user = life.user.clone();
            prop_assert_eq!(user.rebase(deadline, Instant::ZERO), Err(OverdueError::new(deadline)));
            prop_assert_eq!(&user, &life.user);
        }
    }

    /// A directory shifts everyone or no one, and goes on in the same order as if nothing had been.
    #[test]
    fn c2_a_directory_shifts_everyone(
        steps in history(15, forwards(), actions(4, 3)),
        to in 0u64..1_000_000_000_000,
    ) {
        let mut stays = InlineDirectory::<u8, u8, 2, 4>::with_policy(model::WEARY);
        let mut now = 1_000_000_000;
        for step in &steps {
            now = step.clock.read_forwards(now, stays.next_deadline().map(Instant::as_millis));
            if let model::random::Action::Command(user, command) = step.action {
                let _ = stays.execute(Instant::from_millis(now), user, command, |_, _| {});
            }
        }
        let now = Instant::from_millis(now);
        let to = Instant::from_millis(to.max(now.as_millis()));
        let mut moved = stays.clone();
        if moved.rebase(now, to).is_err() {
            for (id, user) in moved.users() {
                prop_assert_eq!(Some(user), stays.get(id), "rejected, and nothing has changed");
            }
            advance_until_idle(&mut stays, now, |_, _| {});
            moved = stays.clone();
            prop_assert_eq!(moved.rebase(now, to), Ok(()));
        }
        let by = to.saturating_duration_since(now);
        let rest = |mut directory: InlineDirectory<u8, u8, 2, 4>| {
            let mut rest = Vec::new();
            let until = advance_until_idle(&mut directory, Instant::NEVER, |user, transition| {
                rest.push((user, transition.at(), transition.cause()));
            });
            (rest, until)
        };
        let (mut stays, moved) = (rest(stays), rest(moved));
        for (_, at, _) in &mut stays.0 {
            *at = at.saturating_add(by);
        }
        prop_assert_eq!(moved.1, None);
        prop_assert_eq!(stays, moved);
    }
}

#[test]
fn c2_a_lease_goes_on_where_it_was() {
    let mut user: User<u8, 1> = User::new();
    let noon = Instant::from_secs(43_200);
    let set =
        set_presence(user.at(noon).unwrap(), 1, Presence::Available, Some(Duration::from_hours(1)), &Policy::GRAPH);
    user.apply(&set.unwrap()).unwrap();

    // A minute later the board restarts, and its clock with it.
    user.rebase(Instant::from_secs(43_260), Instant::ZERO).unwrap();
    assert_eq!(user.sessions()[0].fades_at(), Some(Instant::from_secs(240)));
    assert_eq!(user.sessions()[0].expires_at(), Instant::from_secs(3540));
    assert_eq!(user.since(), Some(Instant::ZERO), "before the new epoch: as early as can be said");
    assert!(next_due(&user, Instant::from_millis(239_999), &Policy::GRAPH).is_none());
    assert_eq!(next_due(&user, Instant::from_secs(240), &Policy::GRAPH).unwrap().at(), Instant::from_secs(240));
}

/// A transition that was decided on the old clock is stale, even about a new user.
#[test]
fn c2_a_new_user_is_not_set_on_the_old_clock() {
    let mut directory = InlineDirectory::<u8, u8, 2, 2>::with_policy(Policy::GRAPH);
    let noon = Instant::from_secs(43_200);
    let set = Command::SetPresence { session: 1, presence: Presence::InACall, lease: None };
    let outdated = [7, 8].map(|user| directory.decide(noon, user, set).unwrap().unwrap());
    directory.apply(7, &outdated[0]).unwrap();
    directory.rebase(noon, Instant::ZERO).unwrap();
    assert_eq!(directory.apply(8, &outdated[1]), Err(ApplyError::Stale));

    let again = directory.decide(Instant::ZERO, 8, set).unwrap().unwrap();
    assert_eq!(directory.apply(8, &again), Ok(()));
    assert_eq!(directory.get(8).unwrap().next_deadline(), Some(Instant::from_secs(300)));
}

#[test]
fn c3_what_never_comes_still_never_comes() {
    let mut user: User<u8, 1> = User::new();
    let moment = user.at(Instant::ZERO).unwrap();
    let set = set_presence(moment, 1, Presence::Busy, Some(Duration::MAX), &model::ANYTHING);
    user.apply(&set.unwrap()).unwrap();
    user.rebase(Instant::from_secs(5), Instant::ZERO).unwrap();
    assert_eq!(user.sessions()[0].expires_at(), Instant::NEVER);
    assert_eq!(user.next_deadline(), None);
    assert_eq!(next_due(&user, Instant::NEVER, &model::ANYTHING), None);
}
