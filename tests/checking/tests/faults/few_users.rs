//! Faults of a directory, with two users in one place.

use super::{each_has_a_fault, notices};
use presence_core::Presence::Away;
use presence_core::directory::InlineDirectory;
use presence_core::{ApplyError, Command, CommandError, Fades, Instant, Policy, PresenceSet};
use presence_core_checking::few_users::{ALL_COMMANDS, FewUsers, Functions, Small, Writer};
use presence_core_checking::policies::{BRIEF, BRIEF_NUMBERS};

struct Fault {
    /// How the name of the property begins that must notice.
    noticed_by: &'static str,
    wrong: &'static str,
    policy: Policy,
    functions: Functions<1>,
    /// Whether decisions are made and applied apart.
    apart: bool,
}

const fn policy(noticed_by: &'static str, wrong: &'static str, policy: Policy) -> Fault {
    Fault { noticed_by, wrong, policy, functions: LIBRARY, apart: false }
}

const fn library(noticed_by: &'static str, wrong: &'static str, functions: Functions<1>) -> Fault {
    Fault { noticed_by, wrong, policy: BRIEF, functions, apart: false }
}

const LIBRARY: Functions<1> = Functions::LIBRARY;

/// Who has the only place, if it is somebody else.
fn other(directory: &Small<1>, user: u8) -> Option<u8> {
    directory.users().map(|(id, _)| id).find(|id| *id != user)
}

/// Whether somebody else's place is about to be given away.
fn is_newcomer(directory: &Small<1>, now: Instant, user: u8, command: Command<u8>) -> bool {
    other(directory, user).is_some() && directory.decide(now, user, command).is_ok_and(|decided| decided.is_some())
}

static FAULTS: &[Fault] = &[
    library(
        "M2, A1, A3 ",
        "a command reaches whoever has the place",
        Functions {
            execute: |directory, now, user, command, sink| {
                let user = other(directory, user).unwrap_or(user);
                directory.execute(now, user, command, sink)
            },
            ..LIBRARY
        },
    ),
    policy("M4, A4 ", "sessions do not fade", Policy { fades: Fades::NONE, ..BRIEF }),
    library(
        "M5 ",
        "a newcomer drives out whoever has a session",
        Functions {
            execute: |directory, now, user, command, sink| {
                if let Some(other) = other(directory, user) {
                    directory.clear_presence(now, other, 0, |_, _| {}).ok();
                }
                directory.execute(now, user, command, sink)
            },
            ..LIBRARY
        },
    ),
    library("S4 ", "no deadline is promised", Functions { next_deadline: |_| None, ..LIBRARY }),
    policy("S7 ", "what must be refused is not", Policy { sessions: PresenceSet::from_up(Away), ..BRIEF }),
    library(
        "S7 ",
        "what is refused takes along what is preferred",
        Functions {
            execute: |directory, now, user, command, sink| {
                directory.execute(now, user, command, sink).inspect_err(|_| {
                    directory.clear_preferred_presence(now, user, |_, _| {});
                })
            },
            ..LIBRARY
        },
    ),
    library(
        "S8 ",
        "what is due is told after the command",
        Functions {
            execute: |directory, now, user, command, sink| {
                let mut told = Vec::new();
                let answer = directory.execute(now, user, command, |id, transition| told.push((id, *transition)));
                told.iter().rev().for_each(|(id, transition)| sink(*id, transition));
                answer
            },
            ..LIBRARY
        },
    ),
    library(
        "S9 ",
        "nobody's place is given away",
        Functions {
            execute: |directory, now, user, command, sink| {
                if is_newcomer(directory, now, user, command) {
                    return Err(CommandError::UsersFull);
                }
                directory.execute(now, user, command, sink)
            },
            ..LIBRARY
        },
    ),
    library("V1 ", "who gets another's place starts from nothing", Functions { execute: from_nothing, ..LIBRARY }),
    library(
        "V2 ",
        "who must start over is told that nothing has changed",
        Functions {
            changes_since: |directory, cursor| (LIBRARY.changes_since)(directory, cursor).or(Some(Vec::new())),
            ..LIBRARY
        },
    ),
    Fault {
        apart: true,
        ..library(
            "V2 ",
            "what is outdated is said to be applied",
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
        "only the command's own transition is told",
        Functions {
            execute: |directory, now, user, command, sink| {
                let mut own = None;
                let answer = directory.execute(now, user, command, |id, transition| own = Some((id, *transition)));
                own.iter().for_each(|(id, transition)| sink(*id, transition));
                answer
            },
            ..LIBRARY
        },
    ),
];

/// Whose place is given away leaves nothing behind, no number either.
fn from_nothing(
    directory: &mut Small<1>,
    now: Instant,
    user: u8,
    command: Command<u8>,
    sink: Writer<'_>,
) -> Result<(), CommandError> {
    if is_newcomer(directory, now, user, command) {
        *directory = InlineDirectory::with_policy(BRIEF);
    }
    directory.execute(now, user, command, sink)
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
