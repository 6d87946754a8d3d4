//! Rule V2: which users changed visibly since a cursor, oldest first; each once; never a silent gap. And handles.

use presence_core::directory::{Cursor, Directory, InlineMemory, Progress, StartOver};
use presence_core::{Command, Instant, Policy, Presence};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Small = Directory<u8, u8, 2, InlineMemory<u8, u8, 2, 3>>;

/// What a reader would write down: for each user, the number of its latest visible change.
#[derive(Default)]
struct Log {
    count: u64,
    latest: BTreeMap<u8, u64>,
    forgotten: u64,
}

impl Log {
    fn note(&mut self, user: u8) {
        self.count += 1;
        self.latest.insert(user, self.count);
    }

    /// Users whose place went to another are forgotten, and what they changed with them.
    fn forget(&mut self, directory: &Small) {
        let gone: Vec<_> = self.latest.iter().filter(|(user, _)| directory.get(**user).is_none()).collect();
        self.forgotten = gone.iter().map(|(_, at)| **at).max().unwrap_or(0).max(self.forgotten);
        self.latest.retain(|user, _| directory.get(*user).is_some());
    }

    fn since(&self, cursor: u64) -> Result<Vec<(u8, u64)>, StartOver> {
        if cursor < self.forgotten {
            return Err(StartOver);
        }
        let mut changed: Vec<_> =
            self.latest.iter().map(|(user, at)| (*user, *at)).filter(|(_, at)| *at > cursor).collect();
        changed.sort_by_key(|(_, at)| *at);
        Ok(changed)
    }
}

fn command() -> impl Strategy<Value = Command<u8>> {
    let presence = prop::sample::select(vec![Presence::Available, Presence::Away, Presence::InACall]);
    let preferred = prop::sample::select(vec![Presence::Busy, Presence::Away]);
    prop_oneof![
        4 => (0..2u8, presence).prop_map(|(session, presence)| Command::SetPresence { session, presence, lease: None }),
        4 => (0..2u8).prop_map(|session| Command::ClearPresence { session }),
        1 => preferred.prop_map(|presence| Command::SetPreferredPresence { presence, duration: None }),
        1 => Just(Command::ClearPreferredPresence),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn v2_changes_since_any_cursor(steps in prop::collection::vec((0..400u64, 0..6u8, command()), 0..80)) {
        let mut directory: Small = Directory::new(InlineMemory::new(), Policy::GRAPH);
        let mut log = Log::default();
        let mut now = Instant::ZERO;
        for (wait, user, command) in steps {
            now = Instant::from_secs(now.as_millis() / 1000 + wait);
            loop {
                match directory.advance(now) {
                    Progress::Changed { user, transition } if transition.is_visible() => log.note(user),
                    Progress::Changed { .. } | Progress::Working => {}
                    Progress::Idle { .. } => break,
                }
            }
            let _ = directory.execute(now, user, command, |user, transition| {
                if transition.is_visible() {
                    log.note(user);
                }
            });
            log.forget(&directory);
            prop_assert_eq!(directory.cursor().to_number(), log.count);
            for cursor in 0..=log.count {
                let seen = directory.changes_since(Cursor::from_number(cursor)).map(|changes| {
                    changes.map(|changed| {
                        assert_eq!(directory.get(changed.id), Some(changed.user));
                        (changed.id, changed.cursor.to_number())
                    }).collect::<Vec<_>>()
                });
                prop_assert_eq!(seen, log.since(cursor));
            }
            let ahead = Cursor::from_number(log.count + 1);
            prop_assert!(directory.changes_since(ahead).is_err(), "a cursor of another directory");
        }
    }

    /// A handle names its user as long as that user has the place, and never another.
    #[test]
    fn m5_handles_outlive_no_reuse(steps in prop::collection::vec((0..6u8, command()), 0..80)) {
        let mut directory: Small = Directory::new(InlineMemory::new(), Policy::GRAPH);
        let mut handles = Vec::new();
        for (place, (user, command)) in steps.into_iter().enumerate() {
            let _ = directory.execute(Instant::from_secs(place as u64), user, command, |_, _| {});
            if let Some(handle) = directory.handle(user) {
                prop_assert!(handle.index() < directory.capacity());
                handles.push((user, handle));
            }
            for (user, handle) in &handles {
                match directory.by_handle(*handle) {
                    Some((id, found)) => {
                        prop_assert_eq!(id, *user);
                        prop_assert_eq!(Some(found), directory.get(id));
                    }
                    None => prop_assert!(directory.handle(*user) != Some(*handle)),
                }
            }
        }
    }
}

#[test]
fn v2_a_reader_may_stop_in_between_and_go_on() {
    let mut directory: Small = Directory::new(InlineMemory::new(), Policy::GRAPH);
    for user in 0..3 {
        directory.set_presence(Instant::ZERO, user, 0, Presence::Away, None, |_, _| {}).unwrap();
    }
    let first = directory.changes_since(Cursor::START).unwrap().next().unwrap();
    let rest: Vec<_> = directory.changes_since(first.cursor).unwrap().map(|changed| changed.id).collect();
    assert_eq!((first.id, rest), (0, vec![1, 2]));
}
