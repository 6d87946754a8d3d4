//! Faults of one user of up to two sessions.

mod published;
mod sessions;

use super::{each_has_a_fault, notices};
use presence_core::Presence::{self, AvailableInactive, Away, BeRightBack, DoNotDisturb};
use presence_core::{
    Change, Command, Duration, DurationRange, Fade, Fades, Instant, Policy, PreferredDefault, PresenceSet,
};
use presence_core::{Transition, User, decide, next_due};
use presence_core_checking::one_user::{Functions, OneUser};
use presence_core_checking::policies::{GRAPH, GRAPH_NUMBERS, MIRROR, MIRROR_NUMBERS};

struct Fault {
    /// How the name of the property begins that must notice.
    noticed_by: &'static str,
    wrong: &'static str,
    policy: Policy,
    functions: Functions<2>,
    /// The number of commands until silence.
    commands: Option<u8>,
}

const fn policy(noticed_by: &'static str, wrong: &'static str, policy: Policy) -> Fault {
    Fault { noticed_by, wrong, policy, functions: LIBRARY, commands: None }
}

const fn library(noticed_by: &'static str, wrong: &'static str, functions: Functions<2>) -> Fault {
    Fault { noticed_by, wrong, policy: GRAPH, functions, commands: None }
}

const LIBRARY: Functions<2> = Functions::LIBRARY;

const fn ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks)
}

const fn fades(first: (u64, Presence), second: (u64, Presence)) -> [Fade; 2] {
    [Fade { after: ticks(first.0), becomes: first.1 }, Fade { after: ticks(second.0), becomes: second.1 }]
}

const LATER: Fades = Fades::new(&const { fades((2, AvailableInactive), (3, Away)) }).unwrap();
const OTHERWISE: Fades = Fades::new(&const { fades((1, BeRightBack), (3, Away)) }).unwrap();
const TOO_LONG: DurationRange = DurationRange { shortest: ticks(1), longest: ticks(5) };
const NOT_BUSY: PreferredDefault =
    PreferredDefault { brief: PresenceSet::of(&[DoNotDisturb]), ..GRAPH.preferred_default };

/// Executes a command that no application gave.
fn also(user: &mut User<u8, 2>, at: Instant, command: Command<u8>) {
    let decided = user.at(at).map(|user| decide(user, command, &GRAPH));
    if let Ok(Ok(Some(transition))) = decided {
        user.apply(&transition).expect("decided about this user");
    }
}

/// What is due first if there were no sessions.
fn due_without_sessions(user: &User<u8, 2>, now: Instant) -> Option<Transition<u8>> {
    let mut alone = user.clone();
    let before = Instant::from_millis(now.as_millis() - 1);
    for session in user.sessions() {
        also(&mut alone, before, Command::ClearPresence { session: session.id() });
    }
    next_due(&alone, now, &GRAPH)
}

fn is_end_of_preference(due: &Transition<u8>) -> bool {
    due.change() == Change::PreferredExpired
}

fn faults() -> impl Iterator<Item = &'static Fault> {
    sessions::FAULTS.iter().chain(published::FAULTS)
}

fn model(fault: &'static Fault) -> OneUser<2> {
    let Fault { policy, functions, commands, .. } = fault;
    OneUser { policy: *policy, numbers: GRAPH_NUMBERS, own: None, functions, commands: *commands }
}

#[test]
fn every_fault_is_noticed() {
    for fault in faults() {
        notices(fault.wrong, model(fault), fault.noticed_by);
    }
}

/// Another policy of its own than the rules have for the application with the last id.
#[test]
fn faults_of_an_own_policy_are_noticed() {
    let beside = |own: Policy| {
        let functions = const { &LIBRARY };
        let own = Some((own, MIRROR_NUMBERS));
        OneUser { policy: GRAPH, numbers: GRAPH_NUMBERS, own, functions, commands: None }
    };
    notices("what a mirror sets fades", beside(Policy { fades: GRAPH.fades, ..MIRROR }), "S3");
    notices("a mirror may set no more than others", beside(Policy { fades: Fades::NONE, ..GRAPH }), "S7");
    notices("a mirror's lease is another", beside(Policy { default_lease: ticks(3), ..MIRROR }), "S2");
}

#[test]
fn every_property_has_a_fault() {
    let silent = OneUser { commands: Some(1), ..model(&sessions::FAULTS[0]) };
    each_has_a_fault(&silent, faults().map(|fault| fault.noticed_by));
}
