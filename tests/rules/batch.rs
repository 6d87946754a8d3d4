//! Batches of commands and of reads: the same results as one by one, in order.

use presence_core::directory::InlineDirectory;
use presence_core::{Command, Instant, Policy, Presence};
use proptest::prelude::*;
use support::model::cases;

/// Fewer slots than users, so that commands of one batch evict users and take their slots.
type Small = InlineDirectory<u8, u8, 2, 9>;

fn command() -> impl Strategy<Value = Command<u8>> {
    let presence = prop::sample::select(Presence::ALL.to_vec());
    prop_oneof![
        4 => (0..3u8, presence.clone()).prop_map(|(session, presence)| Command::SetPresence { session, presence, lease: None }),
        4 => (0..3u8).prop_map(|session| Command::ClearPresence { session }),
        1 => presence.prop_map(|presence| Command::SetPreferredPresence { presence, duration: None }),
        1 => Just(Command::ClearPreferredPresence),
    ]
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_batch_is_its_commands_one_by_one(
        batches in prop::collection::vec((0..200u64, prop::collection::vec((0..14u8, command()), 0..150)), 0..6),
    ) {
        let mut batched: Small = InlineDirectory::with_policy(Policy::GRAPH);
        let mut single = batched.clone();
        let mut now = Instant::ZERO;
        for (wait, commands) in batches {
            now = Instant::from_secs(now.as_millis() / 1000 + wait);
            let (mut happened, mut outcomes) = (Vec::new(), Vec::new());
            batched.execute_batch(now, &commands, |user, transition| happened.push((user, *transition)), |index, outcome| {
                outcomes.push((index, outcome));
            });
            let mut expected = Vec::new();
            for (index, (user, command)) in commands.iter().enumerate() {
                let outcome = single.execute(now, *user, *command, |user, transition| expected.push((user, *transition)));
                prop_assert_eq!(outcomes.get(index), Some(&(index, outcome)));
            }
            prop_assert_eq!(outcomes.len(), commands.len());
            prop_assert_eq!(happened, expected);
            let users: Vec<u8> = (0..14).chain(0..14).collect();
            let mut read = Vec::new();
            batched.read_batch(now, &users, |id, user| read.push((id, user.clone())));
            let one_by_one: Vec<_> = users.iter().map(|id| (*id, single.read(now, *id, Clone::clone))).collect();
            prop_assert_eq!(read, one_by_one);
        }
    }
}
