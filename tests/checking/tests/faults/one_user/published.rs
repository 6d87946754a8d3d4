//! What is wrong with what is published, preferred and counted.

use super::{Fault, LIBRARY, NOT_BUSY, OTHERWISE, due_without_sessions, is_end_of_preference, library, policy};
use presence_core::Presence::InACall;
use presence_core::{Absence, ApplyError, Command, CommandError, Explanation, Layer, Policy, decide, next_due};
use presence_core_checking::one_user::Functions;
use presence_core_checking::policies::GRAPH;

pub static FAULTS: &[Fault] = &[
    library(
        "A1 ",
        "a preferred presence is published without a session",
        Functions {
            presence: |user| user.preferred().map_or(user.presence(), |preferred| preferred.presence()),
            ..LIBRARY
        },
    ),
    library(
        "A2 ",
        "a call is published over a preferred presence",
        Functions {
            presence: |user| {
                let is_called = user.sessions().iter().any(|session| session.presence() == InACall);
                if is_called { InACall } else { user.presence() }
            },
            ..LIBRARY
        },
    ),
    library(
        "A3 ",
        "the weakest session is published",
        Functions {
            presence: |user| {
                let weakest = user.sessions().iter().map(|session| session.presence()).min();
                weakest.filter(|_| user.preferred().is_none()).unwrap_or(user.presence())
            },
            ..LIBRARY
        },
    ),
    policy(
        "A1, A2, A3 ",
        "a session is published with another presence than was set",
        Policy { fades: OTHERWISE, ..GRAPH },
    ),
    library(
        "A4 ",
        "of equal sessions the first decides",
        Functions {
            explain: |user, policy| {
                let why = user.explain(policy);
                let first = user.sessions().iter().find(|session| session.presence() == why.presence);
                let layer = match (why.layer, first) {
                    (Layer::Session(_), Some(first)) => Layer::Session(first.id()),
                    (layer, _) => layer,
                };
                Explanation { layer, ..why }
            },
            ..LIBRARY
        },
    ),
    library(
        "A4 ",
        "an invisible change is announced to come next",
        Functions {
            explain: |user, policy| {
                let next = user.next_deadline().map(|at| (at, user.read_at(at, policy).0));
                Explanation { next, ..user.explain(policy) }
            },
            ..LIBRARY
        },
    ),
    library(
        "A5 ",
        "an expired session is said to have been cleared",
        Functions {
            absence: |user| match user.absence() {
                Some(Absence::Expired) => Some(Absence::Cleared),
                absence => absence,
            },
            ..LIBRARY
        },
    ),
    library(
        "U1 ",
        "the first preference wins",
        Functions {
            decide: |user, command, policy| match command {
                Command::SetPreferredPresence { .. } if user.user().preferred().is_some() => Ok(None),
                _ => decide(user, command, policy),
            },
            ..LIBRARY
        },
    ),
    policy("U2 ", "Busy is preferred for too long", Policy { preferred_default: NOT_BUSY, ..GRAPH }),
    library(
        "U3 ",
        "what is preferred without a session is not stored",
        Functions {
            decide: |user, command, policy| match command {
                Command::SetPreferredPresence { .. } if user.user().sessions().is_empty() => Ok(None),
                _ => decide(user, command, policy),
            },
            ..LIBRARY
        },
    ),
    library(
        "U4 ",
        "clearing without a preferred presence is rejected",
        Functions {
            decide: |user, command, policy| match command {
                Command::ClearPreferredPresence if user.user().preferred().is_none() => Err(CommandError::NotFound),
                _ => decide(user, command, policy),
            },
            ..LIBRARY
        },
    ),
    library(
        "U5 ",
        "when a preferred presence ends, no session decides",
        Functions {
            advance: |user, now, policy| match next_due(user, now, policy) {
                Some(due) if is_end_of_preference(&due) => due_without_sessions(user, now),
                due => due,
            },
            ..LIBRARY
        },
    ),
    library("V1 ", "the version grows unseen", Functions { version: |user| user.revision(), ..LIBRARY }),
    library(
        "V2 ",
        "what is outdated is said to be applied",
        Functions {
            apply: |user, transition| match user.apply(transition) {
                Err(ApplyError::Stale) => Ok(()),
                applied => applied,
            },
            ..LIBRARY
        },
    ),
    library(
        "C2 ",
        "rebasing leaves the deadlines where they were",
        Functions { rebase: |user, from, _| user.rebase(from, from), ..LIBRARY },
    ),
    Fault {
        commands: Some(1),
        ..library(
            "S2, S6, U3 ",
            "a user who was there is never evicted",
            Functions { is_empty: |user| user.absence() == Some(Absence::NeverSeen), ..LIBRARY },
        )
    },
];
