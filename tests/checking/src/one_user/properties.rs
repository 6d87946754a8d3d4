//! The rules that concern one user, each a property under its number. Rules about states are checked here; rules about
//! steps were checked, and marked, by the step.

use super::steps::{event, same_sessions};
use super::{Decision, IDS, OneUser, State, Watched};
use crate::broken::Rule;
use crate::rules::{TABLE, strength};
use presence_core::{Absence, Command, Instant, Layer, Presence};
use stateright::Property;

type Check<const SESSIONS: usize> = fn(&OneUser<SESSIONS>, &State<SESSIONS>) -> bool;

pub fn safety<const SESSIONS: usize>() -> Vec<Property<OneUser<SESSIONS>>> {
    let checks: [(&'static str, Check<SESSIONS>); 28] = [
        ("M1 sessions one per application, at most one preferred presence", |_, state| {
            let ids = state.user.sessions().iter().map(|session| usize::from(session.id()));
            ids.eq((0..IDS).filter(|id| state.person.sessions[*id].is_some()))
                && state.user.preferred().is_some() == state.person.preferred.is_some()
        }),
        ("M2 a session is known by its id, and a command to it reaches no other", |_, state| {
            state.broken.holds(Rule::M2)
                && state.user.sessions().iter().all(|session| state.user.session(session.id()) == Some(session))
        }),
        ("M3 only the pairs of the table exist", |_, state| {
            let presences = state.user.sessions().iter().map(|session| session.presence());
            presences.chain([state.user.presence()]).all(|presence| {
                let (availability, activity) = state.user.names(presence);
                TABLE.contains(&(presence, availability, activity))
            })
        }),
        ("M4 published is a function of what is stored, however late time is advanced", |model, state| {
            state.broken.holds(Rule::M4) && lateness_makes_no_difference(model, state)
        }),
        ("M5 a user with nothing stored reads and behaves like one never heard of", nothing_is_like_new),
        ("S1 setPresence creates or replaces, and restarts both clocks", |_, state| state.broken.holds(Rule::S1)),
        ("S2 a session expires at set-time and lease, and only then", |model, state| {
            let said = state.person.sessions.iter().flatten();
            state.broken.holds(Rule::S2)
                && said.clone().all(|session| session.said.presence_at(&model.numbers, state.now).is_some())
                && said.count() == state.user.sessions().len()
        }),
        ("S3 what was set to Available fades twice, nothing else does", |model, state| {
            let presence = |id: u8| state.person.sessions[usize::from(id)]?.said.presence_at(&model.numbers, state.now);
            state.broken.holds(Rule::S3)
                && state.user.sessions().iter().all(|session| presence(session.id()) == Some(session.presence()))
        }),
        ("S4 a deadline has happened at its instant; the expiry wins over a fade", |_, state| {
            state.broken.holds(Rule::S4) && at_every_moment_to_come(state)
        }),
        ("S5 clearPresence removes that session and nothing else", |_, state| state.broken.holds(Rule::S5)),
        ("S6 without the only session the user is Offline", |_, state| state.broken.holds(Rule::S6)),
        ("S7 a rejected command changes nothing", rejected_commands_change_nothing),
        ("S8 what is due comes first, and in order; it shows at most once at an instant", |_, state| {
            state.broken.holds(Rule::S8)
        }),
        ("S9 replacing a session needs no other, and expired sessions are replaced", |_, state| {
            state.broken.holds(Rule::S9)
        }),
        ("A1 without a session Offline, whatever is preferred", |_, state| {
            !state.user.sessions().is_empty() || state.user.presence() == Presence::Offline
        }),
        ("A2 what is preferred is published as it is, over every session", |_, state| {
            let preferred = state.user.preferred().filter(|_| !state.user.sessions().is_empty());
            preferred.is_none_or(|preferred| state.user.presence() == preferred.presence())
        }),
        ("A3 otherwise the strongest session", |_, state| {
            let user = &state.user;
            let strongest = user.sessions().iter().map(|session| strength(session.presence())).max();
            user.preferred().is_some() || strongest.is_none_or(|strongest| strength(user.presence()) == strongest)
        }),
        ("A1, A2, A3 together, from what was said", |_, state| state.user.presence() == state.person.published()),
        ("A4 why, since when, and what comes next by itself", |model, state| {
            state.user.explain(&model.policy) == state.person.explanation(&model.numbers)
                && state.user.since() == state.person.since.map(Instant::from_millis)
        }),
        ("A5 how the last session ended is remembered", |_, state| {
            let absence = (!state.person.has_session()).then_some(state.person.absence);
            state.user.absence() == absence && absence != Some(Absence::Lost)
        }),
        ("U1 the last preference wins, and touches no session", |_, state| state.broken.holds(Rule::U1)),
        ("U2 durations of preferences, and those when nothing is said", |_, state| state.broken.holds(Rule::U2)),
        ("U3 without a session it is stored, and shows nothing", |_, state| {
            let stored = state.user.preferred().map(|one| (one.presence(), one.expires_at().as_millis()));
            state.broken.holds(Rule::U3) && stored == state.person.preferred
        }),
        ("U4 clearing succeeds also when nothing was set", |model, state| {
            let cleared = state.user.decide(state.now(), Command::ClearPreferredPresence, &model.policy);
            let is_set = state.user.preferred().is_some();
            state.broken.holds(Rule::U4)
                && cleared.is_ok_and(|cleared| cleared.is_ok_and(|one| one.is_some() == is_set))
        }),
        ("U5 it does not fade, and at its end the sessions decide again", |_, state| state.broken.holds(Rule::U5)),
        ("V1 the version grows exactly when the published presence changes", |_, state| {
            state.broken.holds(Rule::V1) && state.user.version() == state.person.version
        }),
        ("V2 the revision grows with every transition, an outdated one is stale", |_, state| {
            state.broken.holds(Rule::V2) && state.user.revision() == state.person.revision
        }),
        ("C2 rebasing keeps what is left of everything", rebasing_keeps_what_is_left),
    ];
    checks.map(|(name, check)| Property::always(name, check)).into()
}

/// Without keep-alives everything ends. Whether it has is seen of the state alone, and stays so: that is what stateright
/// needs to be right about paths that meet.
pub fn silence<const SESSIONS: usize>() -> Property<OneUser<SESSIONS>> {
    Property::eventually(
        "S2, S6, U3 without keep-alives everything ends Offline, and nothing is left",
        |_, state: &State<SESSIONS>| {
            let is_over =
                state.commands == Some(0) && state.user.presence() == Presence::Offline && state.user.is_empty();
            is_over || state.broken.any()
        },
    )
}

/// Everything that is still to come: as late as can be, at once, and as a read at each moment, against tick by tick.
fn lateness_makes_no_difference<const SESSIONS: usize>(model: &OneUser<SESSIONS>, state: &State<SESSIONS>) -> bool {
    let longest = model.numbers.leases.end().max(model.numbers.preferred_durations.end());
    let end = state.now + longest + 1;
    let (mut late, mut person) = (state.user.clone(), state.person.clone());
    while let Some(due) = late.advance(Instant::from_millis(end), &model.policy) {
        if person.step(&model.numbers, end) != Some(event(&due)) || late.apply(&due).is_err() {
            return false;
        }
    }
    let all_is_over = late.is_empty() && person.is_empty() && late.next_deadline().is_none();
    all_is_over
        && same_sessions(&state.user, &state.person)
        && (state.now..=end).all(|moment| {
            let person = state.person.at(&model.numbers, moment);
            // Worked out from what was said alone: the same, whatever was applied in between.
            let said = state.person.sessions.iter().flatten();
            let strongest =
                said.filter_map(|session| session.said.presence_at(&model.numbers, moment)).map(strength).max();
            let lasting = state.person.preferred.filter(|(_, until)| moment < *until).map(|(presence, _)| presence);
            let published = strongest.map_or(Presence::Offline, |one| lasting.unwrap_or(TABLE[one].0));
            person.published() == published
                && state.user.read_at(Instant::from_millis(moment), &model.policy) == (published, person.version)
        })
}

/// Checks that there is no decision from the first deadline on, and one before; that deadline is the promised one.
fn at_every_moment_to_come<const SESSIONS: usize>(state: &State<SESSIONS>) -> bool {
    let deadline = state.person.next_deadline();
    state.user.next_deadline() == deadline.map(Instant::from_millis)
        && (state.now - 1..state.now + 6).all(|moment| {
            let overdue = deadline.filter(|deadline| moment >= *deadline).map(Instant::from_millis);
            state.user.at(Instant::from_millis(moment)).err().map(|overdue| overdue.deadline) == overdue
        })
}

/// Checks that the times left are the same on a clock that is ahead, and on one that begins anew.
fn rebasing_keeps_what_is_left<const SESSIONS: usize>(_: &OneUser<SESSIONS>, state: &State<SESSIONS>) -> bool {
    use crate::stored::without_counters;
    [0, state.now + 1000].map(Instant::from_millis).into_iter().all(|to| {
        let mut user = state.user.clone();
        user.rebase(state.now(), to).is_ok()
            && without_counters(&user, to) == without_counters(&state.user, state.now())
            && (user.version(), user.revision()) == (state.user.version(), state.user.revision() + 1)
    })
}

/// Checks that every command that the rules reject is rejected, with their error, whatever else is the case.
fn rejected_commands_change_nothing<const SESSIONS: usize>(model: &OneUser<SESSIONS>, state: &State<SESSIONS>) -> bool {
    state.broken.holds(Rule::S7)
        && model.every_command().all(|command| {
            let decided = state.user.decide(state.now(), command, model.policy_of(command).0);
            decided.is_ok_and(|decided| decided.err() == model.error(state, command))
        })
}

/// Checks that nothing is published, due, rejected or accepted that would not be of a new user.
fn nothing_is_like_new<const SESSIONS: usize>(model: &OneUser<SESSIONS>, state: &State<SESSIONS>) -> bool {
    if state.user.is_empty() != state.person.is_empty() {
        return false;
    }
    if !state.user.is_empty() {
        return true;
    }
    let new = state.user.like();
    state.user.presence() == Presence::Offline
        && state.user.next_deadline().is_none()
        && matches!(state.user.explain(&model.policy).layer, Layer::Nothing(_))
        && model.every_command().all(|command| {
            let decide = |user: &Watched<SESSIONS>| user.decide(state.now(), command, model.policy_of(command).0);
            let without_revision = |decided: Decision| decided.map(|one| one.map(|one| (event(&one), one.change())));
            decide(&state.user).map(without_revision) == decide(&new).map(without_revision)
        })
}
