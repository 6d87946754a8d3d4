//! What happens does not depend on how many users fit: a small directory keeps every deadline in a heap, a large one most of them in
//! a calendar.

use support::{advance_until_idle, model};

use model::life::policy;
use model::random::{Action, Step, actions, clock, history};
use presence_core::directory::{BoxedDirectory, BoxedMemory, Cursor, Directory, InlineDirectory};
use presence_core::{Duration, Instant, Presence};
use proptest::prelude::*;

const USERS: u8 = 60;
const SESSIONS: usize = 2;

type Small = InlineDirectory<u8, u8, SESSIONS, { USERS as usize }>;
type Large = BoxedDirectory<u8, u8, SESSIONS>;

/// Plays a history to a directory that is brought up to date before each step, and returns what is seen of it.
macro_rules! play {
    ($directory:expr, $steps:expr) => {{
        let (mut directory, mut seen, mut now) = ($directory, Vec::new(), 1_000_000_000);
        // More users than the heap of a large directory takes, in windows that follow each other.
        for user in 0..USERS {
            let lease = Some(Duration::from_millis(3_600_000 - u64::from(user) * 60_000 / 4));
            let set = directory.set_presence(Instant::from_millis(now), user, 0, Presence::Available, lease, |_, _| {});
            set.expect("room, and a lease that every policy of the models has");
        }
        let mut until =
            advance_until_idle(&mut directory, Instant::from_millis(now), |user, change| seen.push((user, change)));
        for Step { clock, action } in $steps {
            now = clock.read(now, until.map(Instant::as_millis));
            let moment = Instant::from_millis(now);
            advance_until_idle(&mut directory, moment, |user, change| seen.push((user, change)));
            match action {
                Action::Command(user, command) => {
                    let _ = directory.execute(moment, *user, *command, |user, change| seen.push((user, *change)));
                }
                Action::Rebase(to) => {
                    directory.rebase(moment, Instant::from_millis(*to)).expect("nothing is due");
                    now = *to;
                }
                _ => {}
            }
            until =
                advance_until_idle(&mut directory, Instant::from_millis(now), |user, change| seen.push((user, change)));
        }
        let changed: Vec<_> = directory.changes_since(Cursor::START).expect("the start").map(|user| user.id).collect();
        (seen, until, changed)
    }};
}

proptest! {
    #![proptest_config(model::cases(256))]

    #[test]
    fn s8_what_happens_does_not_depend_on_the_capacity(
        policy in policy(),
        steps in history(60, clock(), actions(USERS, SESSIONS as u8 + 1)),
    ) {
        let small = play!(Small::with_policy(policy), &steps);
        let large: Large = Directory::new(BoxedMemory::new(1100), policy);
        prop_assert_eq!(small, play!(large, &steps));
    }
}
