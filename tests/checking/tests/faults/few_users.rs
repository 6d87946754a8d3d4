//! Faults of a directory, with two users in one slot.

use super::{each_has_a_fault, notices};
use presence_core::Presence::Away;
use presence_core::directory::InlineDirectory;
use presence_core::{ApplyError, Command, CommandError, Fades, Instant, Policy, PresenceSet};
use presence_core_checking::few_users::{ALL_COMMANDS, FewUsers, Functions, OnChange, Small};
use presence_core_checking::policies::{BRIEF, BRIEF_NUMBERS};

struct Fault {
    /// The beginning of the name of the property that must notice.
    noticed_by: &'static str,
    wrong: &'static str,
    policy: Policy,
    functions: Functions<1>,
    /// True if decisions are made and applied apart.
    apart: bool,
}

const fn policy(noticed_by: &'static str, wrong: &'static str, policy: Policy) -> Fault {
    Fault { noticed_by, wrong, policy, functions: LIBRARY, apart: false }
}

const fn library(noticed_by: &'static str, wrong: &'static str, functions: Functions<1>) -> Fault {
    Fault { noticed_by, wrong, policy: BRIEF, functions, apart: false }
}

const LIBRARY: Functions<1> = Functions::LIBRARY;

/// Returns the user who has the only slot, if it is another user.
fn other(directory: &Small<1>, user: u8) -> Option<u8> {
    directory.users().map(|(id, _)| id).find(|id| *id != user)
}

/// Reports whether another user is about to be evicted.
fn is_new_user(directory: &Small<1>, now: Instant, user: u8, command: Command<u8>) -> bool {
    other(directory, user).is_some() && directory.decide(now, user, command).is_ok_and(|decided| decided.is_some())
}

static FAULTS: &[Fault] = &[
    library(
        "M2, A1, A3 ",
        "a command reaches the user who has the slot",
        Functions {
            execute: |directory, now, user, command, on_change| {
                let user = other(directory, user).unwrap_or(user);
                directory.execute(now, user, command, on_change)
            },
            ..LIBRARY
        },
    ),
    policy("M4, A4 ", "sessions do not fade", Policy { fades: Fades::NONE, ..BRIEF }),
    library(
        "M5 ",
        "a new user evicts a user with a session",
        Functions {
            execute: |directory, now, user, command, on_change| {
                if let Some(other) = other(directory, user) {
                    directory.clear_presence(now, other, 0, |_, _| {}).ok();
                }
                directory.execute(now, user, command, on_change)
            },
            ..LIBRARY
        },
    ),
    library("S4 ", "no deadline is promised", Functions { next_deadline: |_| None, ..LIBRARY }),
    policy("S7 ", "a presence that must be rejected is not", Policy { sessions: PresenceSet::from_up(Away), ..BRIEF }),
    library(
        "S7 ",
        "a rejected command clears the preferred presence",
        Functions {
            execute: |directory, now, user, command, on_change| {
                directory.execute(now, user, command, on_change).inspect_err(|_| {
                    directory.clear_preferred_presence(now, user, |_, _| {});
                })
            },
            ..LIBRARY
        },
    ),
    library(
        "S8 ",
        "due transitions are observed after the command",
        Functions {
            execute: |directory, now, user, command, on_change| {
                let mut observed = Vec::new();
                let result = directory.execute(now, user, command, |id, transition| observed.push((id, *transition)));
                observed.iter().rev().for_each(|(id, transition)| on_change(*id, transition));
                result
            },
            ..LIBRARY
        },
    ),
    library(
        "S9 ",
        "no user is evicted",
        Functions {
            execute: |directory, now, user, command, on_change| {
                if is_new_user(directory, now, user, command) {
                    return Err(CommandError::UsersFull);
                }
                directory.execute(now, user, command, on_change)
            },
            ..LIBRARY
        },
    ),
    library(
        "V1 ",
        "a user who gets another's slot starts from nothing",
        Functions { execute: from_nothing, ..LIBRARY },
    ),
    library(
        "V2 ",
        "a reader who must start over sees no change",
        Functions {
            changes_since: |directory, cursor| (LIBRARY.changes_since)(directory, cursor).or(Some(Vec::new())),
            ..LIBRARY
        },
    ),
    Fault {
        apart: true,
        ..library(
            "V2 ",
            "an outdated transition seems to be applied",
            Functions {
                apply: |directory, user, transition| match directory.apply(user, transition) {
                    Err(ApplyError::Stale) => Ok(()),
                    applied => applied,
                },
                ..LIBRARY
            },
        )
    },
    library(
        "V2 ",
        "only the command's own transition is observed",
        Functions {
            execute: |directory, now, user, command, on_change| {
                let mut own = None;
                let result = directory.execute(now, user, command, |id, transition| own = Some((id, *transition)));
                own.iter().for_each(|(id, transition)| on_change(*id, transition));
                result
            },
            ..LIBRARY
        },
    ),
];

/// Evicts a user so that nothing is left behind, no version either.
fn from_nothing(
    directory: &mut Small<1>,
    now: Instant,
    user: u8,
    command: Command<u8>,
    on_change: OnChange<'_>,
) -> Result<(), CommandError> {
    if is_new_user(directory, now, user, command) {
        *directory = InlineDirectory::with_policy(BRIEF);
    }
    directory.execute(now, user, command, on_change)
}

fn model(fault: &'static Fault) -> FewUsers<2, 1> {
    let Fault { policy, functions, apart, .. } = fault;
    FewUsers { policy: *policy, numbers: BRIEF_NUMBERS, functions, apart: *apart, commands: ALL_COMMANDS }
}

#[test]
fn every_fault_is_noticed() {
    for fault in FAULTS {
        notices(fault.wrong, model(fault), fault.noticed_by);
    }
}

#[test]
fn every_property_has_a_fault() {
    each_has_a_fault(&model(&FAULTS[0]), FAULTS.iter().map(|fault| fault.noticed_by));
}
