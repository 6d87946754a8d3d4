//! Applications under policies of their own, on one user (rules P2, P4, S3, S7). `tests/properties/histories.rs` compares whole
//! histories of a directory with the model.

use support::model;

use model::random::{Action, Step, actions_under, clock, history};
use presence_core::directory::InlineDirectory;
use presence_core::{
    Command, CommandError, Duration, Instant, Policy, Presence, SingleUser, Transition, User, snapshot,
};
use proptest::prelude::*;

const GRAPH_APPLICATION: u8 = 1;
const MIRROR: u8 = 2;

const fn set(session: u8, presence: Presence) -> Command<u8> {
    Command::SetPresence { session, presence, lease: Some(Duration::from_hours(2)) }
}

/// Two applications that make a user Available, one of them under the policy of a mirror.
fn two_applications() -> InlineDirectory<u8, u8, 4, 2> {
    let mut directory = InlineDirectory::with_policy(Policy::GRAPH);
    directory.execute(Instant::ZERO, 7, set(GRAPH_APPLICATION, Presence::Available), |_, _| {}).unwrap();
    let available = set(MIRROR, Presence::Available);
    directory.execute_under(Instant::ZERO, 7, available, &Policy::MIRROR, |_, _| {}).unwrap();
    directory
}

fn presences<const N: usize>(user: &User<u8, N>) -> Vec<Presence> {
    user.sessions().iter().map(|session| session.presence()).collect()
}

#[test]
fn p4_s3_a_mirrors_session_does_not_fade_beside_one_that_does() {
    let directory = two_applications();
    let at = |secs| directory.read(Instant::from_secs(secs), 7, presences);
    assert_eq!(at(299), [Presence::Available, Presence::Available]);
    assert_eq!(at(300), [Presence::AvailableInactive, Presence::Available]);
    assert_eq!(at(600), [Presence::Away, Presence::Available]);
    assert_eq!(at(7199), [Presence::Away, Presence::Available]);
    assert_eq!(at(7200), []);
}

/// Policies are not stored: what a session is, it stays.
#[test]
fn p4_s3_the_same_after_a_restart_under_any_policy() {
    let directory = two_applications();
    let mut bytes = [0; 256];
    let stored = directory.get(7).unwrap();
    let bytes = snapshot::save(stored.at(Instant::from_secs(60)).unwrap(), &mut bytes).unwrap();
    for policy in [Policy::GRAPH, Policy::DESK] {
        let restored: User<u8, 4> = snapshot::restore(bytes, Instant::from_secs(60), Some(Duration::ZERO)).unwrap();
        let mut directory: InlineDirectory<u8, u8, 4, 2> = InlineDirectory::with_policy(policy);
        directory.insert(7, restored).unwrap();
        let at = |secs| directory.read(Instant::from_secs(secs), 7, presences);
        assert_eq!(at(300), [Presence::AvailableInactive, Presence::Available]);
        assert_eq!(at(7199), [Presence::Away, Presence::Available]);
    }
}

/// Renewed under Graph's policy, the session fades again; each command counts by itself.
#[test]
fn s1_s3_a_session_fades_as_it_was_set_last() {
    let mut directory = two_applications();
    directory.execute(Instant::from_secs(60), 7, set(MIRROR, Presence::Available), |_, _| {}).unwrap();
    assert_eq!(directory.presence(Instant::from_secs(660), 7), Presence::Away);
    let available = set(GRAPH_APPLICATION, Presence::Available);
    directory.execute_under(Instant::from_secs(700), 7, available, &Policy::MIRROR, |_, _| {}).unwrap();
    assert_eq!(directory.presence(Instant::from_secs(7000), 7), Presence::Available);
}

#[test]
fn s7_p1_what_one_may_the_others_may_not() {
    let mut directory = two_applications();
    let at = Instant::from_secs(1);
    for (policy, command, error) in [
        (Policy::GRAPH, set(GRAPH_APPLICATION, Presence::InAMeeting), CommandError::Presence),
        (Policy::DESK, set(GRAPH_APPLICATION, Presence::OffWork), CommandError::Presence),
        (Policy::MIRROR, set(MIRROR, Presence::Offline), CommandError::Presence),
        (
            Policy::GRAPH,
            Command::SetPresence { session: 1, presence: Presence::Away, lease: Some(Duration::from_secs(1)) },
            CommandError::Lease,
        ),
    ] {
        let before = directory.get(7).cloned();
        assert_eq!(directory.execute_under(at, 7, command, &policy, |_, _| panic!("applied")), Err(error));
        assert_eq!(directory.get(7).cloned(), before);
    }
    directory.execute_under(at, 7, set(MIRROR, Presence::InAMeeting), &Policy::MIRROR, |_, _| {}).unwrap();
    assert_eq!(directory.presence(at, 7), Presence::InAMeeting);
    assert_eq!(
        directory.execute(at, 7, set(GRAPH_APPLICATION, Presence::InAMeeting), |_, _| {}),
        Err(CommandError::Presence)
    );
}

/// The default of the command's policy counts, not the directory's.
#[test]
fn s2_u2_defaults_are_those_of_the_commands_policy() {
    let own = Policy { default_lease: Duration::from_secs(30), ..Policy::MIRROR };
    let mut directory: InlineDirectory<u8, u8, 4, 2> = InlineDirectory::with_policy(Policy::GRAPH);
    let away = Command::SetPresence { session: MIRROR, presence: Presence::Away, lease: None };
    directory.execute_under(Instant::ZERO, 7, away, &own, |_, _| {}).unwrap();
    assert_eq!(directory.next_deadline(), Some(Instant::from_secs(30)));
}

type Outcome = (Result<(), CommandError>, Vec<Transition<u8>>);

fn single(user: &mut SingleUser<u8, 2>, now: Instant, command: Command<u8>, own: Option<&Policy>) -> Outcome {
    let mut changes = Vec::new();
    let on_change = |change: &Transition<u8>| changes.push(*change);
    let result = match own {
        Some(policy) => user.execute_under(now, command, policy, on_change),
        None => user.execute(now, command, on_change),
    };
    (result, changes)
}

proptest! {
    #[test]
    fn s8_m4_a_single_user_is_as_one_in_a_directory(
        steps in history(40, clock(), actions_under(1, 3)),
        policy in 0usize..model::policies().len(),
    ) {
        let (policy, rules) = model::policies()[policy].clone();
        let mut one = SingleUser::<u8, 2>::new(policy);
        let mut many = InlineDirectory::<u8, u8, 2, 1>::with_policy(policy);
        let mut now = Instant::ZERO;
        for Step { clock, action } in steps {
            now = Instant::from_millis(clock.read(now.as_millis(), one.next_deadline().map(Instant::as_millis)));
            let mut changes = Vec::new();
            let on_change = |_, change: &Transition<u8>| changes.push(*change);
            match action {
                Action::Command(_, command) => {
                    let result = many.execute(now, 0, command, on_change);
                    prop_assert_eq!((result, changes), single(&mut one, now, command, None));
                }
                Action::CommandUnder(_, command, number) => {
                    let own = model::beside(&policy, &rules, number).0;
                    let result = many.execute_under(now, 0, command, &own, on_change);
                    prop_assert_eq!((result, changes), single(&mut one, now, command, Some(&own)));
                }
                _ => {}
            }
            prop_assert_eq!(one.user(), &many.get(0).cloned().unwrap_or_default());
            prop_assert_eq!(one.presence(now), many.presence(now, 0));
        }
    }
}

#[cfg(feature = "graph")]
mod stores {
    use super::model;
    use super::model::random::{Action, Step, clock, command, history};
    use crate::single_user_store::{OWNER, Outcome, execute, session, with_guid};
    use presence_core::directory::InlineDirectory;
    use presence_core::graph::{SingleUserStore, Store};
    use presence_core::{Command, CommandError, Duration, Instant, Policy, Presence, SessionId, Transition, UserId};
    use proptest::prelude::*;

    fn under(store: &mut impl Store, now: Instant, command: Command<SessionId>, policy: &Policy) -> Outcome {
        let mut changes = Vec::new();
        let result =
            store.execute_under(now, OWNER, command, policy, &mut |user, change| changes.push((user, *change)));
        (result, changes)
    }

    proptest! {
        /// A store under a policy, whichever it is and however it is asked, answers as a directory does.
        #[test]
        fn s8_m4_every_store_decides_under_the_policy_it_is_given(
            steps in history(40, clock(), (command(3), any::<u8>()).prop_map(|(command, number)| {
                Action::CommandUnder(0, command, number)
            })),
            policy in 0usize..model::policies().len(),
        ) {
            let (policy, rules) = model::policies()[policy].clone();
            let mut directory = InlineDirectory::<UserId, SessionId, 2, 1>::with_policy(policy);
            let mut same = directory.clone();
            let (mut one, mut other) = (SingleUserStore::<2>::new(OWNER, policy), SingleUserStore::<2>::new(OWNER, policy));
            let mut now = Instant::ZERO;
            for Step { clock, action } in steps {
                now = Instant::from_millis(clock.read(now.as_millis(), one.user.next_deadline().map(Instant::as_millis)));
                let Action::CommandUnder(_, command, number) = action else { continue };
                let (command, own) = (with_guid(command), model::beside(&policy, &rules, number).0);
                let expected = under(&mut directory, now, command, &own);
                prop_assert_eq!(&under(&mut one, now, command, &own), &expected);
                let mut under_own = (&mut other, &own);
                prop_assert_eq!(under_own.policy(), &own);
                prop_assert_eq!(&execute(&mut under_own, now, OWNER, command), &expected);
                prop_assert_eq!(under_own.read(now, OWNER), Store::read(&directory, now, OWNER));
                let mut twice = (&mut same, &policy);
                prop_assert_eq!(&execute(&mut (&mut twice, &own), now, OWNER, command), &expected, "the outer policy counts");
                prop_assert_eq!(&one, &other);
            }
        }
    }

    /// A store of an application's own that has not thought of other policies.
    struct Plain(SingleUserStore<2>);

    impl Store for Plain {
        fn policy(&self) -> &Policy {
            self.0.policy()
        }

        fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
            self.0.read(now, user)
        }

        fn execute(
            &mut self,
            now: Instant,
            user: UserId,
            command: Command<SessionId>,
            on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
        ) -> Result<(), CommandError> {
            self.0.execute(now, user, command, on_change)
        }
    }

    #[test]
    fn s7_by_default_both_policies_must_allow_a_command() {
        let own = Policy { default_lease: Duration::from_mins(7), ..Policy::MIRROR };
        let mut store = Plain(SingleUserStore::new(OWNER, Policy::DESK));
        let set = |presence, lease| Command::SetPresence { session: session(1), presence, lease };
        let prefer = |presence| Command::SetPreferredPresence { presence, duration: None };
        for (command, policy, result) in [
            (set(Presence::OffWork, None), &own, Err(CommandError::Presence)),
            (set(Presence::InAMeeting, None), &Policy::GRAPH, Err(CommandError::Presence)),
            (set(Presence::Away, Some(Duration::ZERO)), &own, Err(CommandError::Lease)),
            (prefer(Presence::Focusing), &own, Err(CommandError::PreferredPresence)),
            (Command::ClearPresence { session: session(1) }, &own, Err(CommandError::NotFound)),
            (Command::ClearPreferredPresence, &own, Ok(())),
            (set(Presence::InAMeeting, None), &own, Ok(())),
            (prefer(Presence::Busy), &own, Ok(())),
        ] {
            assert_eq!(under(&mut store, Instant::ZERO, command, policy).0, result, "{command:?}");
        }
        assert_eq!(store.0.user.next_deadline(), Some(Instant::from_secs(420)), "the default lease is the policy's");
        let preferred = store.0.user.user().preferred().unwrap();
        assert_eq!(preferred.expires_at(), Instant::ZERO + own.default_preferred_duration(Presence::Busy));
    }
}
