//! What is wrong with the sessions of a user, and with what is true of a user at all.

use super::{
    Fault, LATER, LIBRARY, OTHERWISE, TOO_LONG, also, due_without_sessions, is_end_of_preference, library, policy,
    ticks,
};
use presence_core::Presence::{Available, Away, Busy, InACall, Offline};
use presence_core::{Absence, Change, Command, CommandError, Instant, Policy, PresenceSet, User, decide, next_due};
use presence_core_checking::one_user::Functions;
use presence_core_checking::policies::GRAPH;

pub static FAULTS: &[Fault] = &[
    library(
        "M1 ",
        "what another application says replaces what the first has said",
        Functions {
            apply: |user, transition| {
                user.apply(transition)?;
                if let Change::Set(set) = transition.change()
                    && let Some(other) = user.sessions().iter().map(|one| one.id()).find(|id| *id != set.id())
                {
                    also(user, transition.at(), Command::ClearPresence { session: other });
                }
                Ok(())
            },
            ..LIBRARY
        },
    ),
    library(
        "M2 ",
        "every session that is set is taken for the first",
        Functions {
            decide: |user, command, policy| match command {
                Command::SetPresence { presence, lease, .. } => {
                    decide(user, Command::SetPresence { session: 0, presence, lease }, policy)
                }
                _ => decide(user, command, policy),
            },
            ..LIBRARY
        },
    ),
    library(
        "M3 ",
        "a call is written as Busy/Busy",
        Functions { names: |presence| (LIBRARY.names)(if presence == InACall { Busy } else { presence }), ..LIBRARY },
    ),
    library(
        "M4 ",
        "a read does not see what is overdue",
        Functions { read_at: |user, _, _| (user.presence(), user.version()), ..LIBRARY },
    ),
    library(
        "M5 ",
        "a user who signed out may prefer nothing",
        Functions {
            decide: |user, command, policy| match command {
                Command::SetPreferredPresence { .. } if user.user().absence() == Some(Absence::Expired) => {
                    Err(CommandError::NotFound)
                }
                _ => decide(user, command, policy),
            },
            ..LIBRARY
        },
    ),
    library(
        "S1 ",
        "a keep-alive that says the same restarts no clock",
        Functions {
            decide: |user, command, policy| match command {
                Command::SetPresence { session, presence, .. }
                    if user.user().session(session).is_some_and(|stored| stored.presence() == presence) =>
                {
                    Ok(None)
                }
                _ => decide(user, command, policy),
            },
            ..LIBRARY
        },
    ),
    policy("S2 ", "another lease when nothing is said", Policy { default_lease: ticks(3), ..GRAPH }),
    policy("S3 ", "a fade too late", Policy { fades: LATER, ..GRAPH }),
    policy("S3 ", "a fade to something else", Policy { fades: OTHERWISE, ..GRAPH }),
    library(
        "S4 ",
        "a deadline is promised a tick late",
        Functions {
            next_deadline: |user| user.next_deadline().map(|at| Instant::from_millis(at.as_millis() + 1)),
            ..LIBRARY
        },
    ),
    library(
        "S5 ",
        "clearing a session takes along what is preferred",
        Functions {
            apply: |user, transition| {
                user.apply(transition)?;
                if let Change::Cleared(_) = transition.change() {
                    also(user, transition.at(), Command::ClearPreferredPresence);
                }
                Ok(())
            },
            ..LIBRARY
        },
    ),
    library(
        "S6 ",
        "whose last session was cleared is Away",
        Functions {
            presence: |user| if user.absence() == Some(Absence::Cleared) { Away } else { user.presence() },
            ..LIBRARY
        },
    ),
    policy("S7 ", "a lease too long is accepted", Policy { leases: TOO_LONG, ..GRAPH }),
    policy("S7 ", "Offline is accepted", Policy { sessions: GRAPH.sessions.with(Offline), ..GRAPH }),
    policy("S7 ", "Away is rejected", Policy { sessions: PresenceSet::of(&[Available]), ..GRAPH }),
    library(
        "S7 ",
        "a stale transition is rejected, and everything is lost",
        Functions {
            apply: |user, transition| {
                user.apply(transition).inspect_err(|_| *user = User::with_version(user.revision()))
            },
            ..LIBRARY
        },
    ),
    library(
        "S8 ",
        "what is preferred ends before the sessions",
        Functions {
            advance: |user, now, policy| {
                due_without_sessions(user, now).filter(is_end_of_preference).or_else(|| next_due(user, now, policy))
            },
            ..LIBRARY
        },
    ),
    library(
        "S9 ",
        "replacing needs a free session",
        Functions {
            decide: |user, command, policy| match command {
                Command::SetPresence { .. } if user.user().sessions().len() == 2 => Err(CommandError::SessionsFull),
                _ => decide(user, command, policy),
            },
            ..LIBRARY
        },
    ),
];
