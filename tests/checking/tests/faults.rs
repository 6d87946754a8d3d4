//! What is made wrong on purpose is found, under the rule that it breaks. Shown is that of one user S2, S3, S7 and U2 can fail, of a
//! directory M4, and of two servers “no lost update” and “no double apply”; of the other properties nothing is shown.

use presence_core::Presence::{Available, Away, BeRightBack, DoNotDisturb, Offline};
use presence_core::{Duration, DurationRange, Fade, Fades, Policy, PreferredDefault, PresenceSet};
use presence_core_checking::few_users::{self, FEW_COMMANDS, FewUsers};
use presence_core_checking::one_user::{self, OneUser};
use presence_core_checking::policies::{BRIEF, BRIEF_NUMBERS, GRAPH, GRAPH_NUMBERS};
use presence_core_checking::report::check;
use presence_core_checking::two_servers::{Budget, Fault, TwoServers};

const fn ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks)
}

const fn fades(first: (u64, presence_core::Presence), second: (u64, presence_core::Presence)) -> [Fade; 2] {
    [Fade { after: ticks(first.0), becomes: first.1 }, Fade { after: ticks(second.0), becomes: second.1 }]
}

/// A library that follows another policy than the rules have.
fn finds(name: &str, policy: Policy, rule: &str) {
    let functions = const { &one_user::Functions::LIBRARY };
    let report = check(name, OneUser::<2> { policy, numbers: GRAPH_NUMBERS, functions, commands: None });
    assert!(report.violates(rule), "{name}: {rule} is not found, but {:?}", report.violated);
}

#[test]
fn s1_another_lease_when_nothing_is_said() {
    finds("another default lease", Policy { default_lease: ticks(3), ..GRAPH }, "S2");
}

#[test]
fn s2_leases_that_should_be_refused() {
    let leases = DurationRange { shortest: ticks(1), longest: ticks(5) };
    finds("a lease too long", Policy { leases, ..GRAPH }, "S7");
}

#[test]
fn s3_fades_at_another_time_or_to_something_else() {
    const LATER: Fades =
        Fades::new(&const { fades((2, presence_core::Presence::AvailableInactive), (3, Away)) }).unwrap();
    const OTHERWISE: Fades = Fades::new(&const { fades((1, BeRightBack), (3, Away)) }).unwrap();
    finds("a fade too late", Policy { fades: LATER, ..GRAPH }, "S3");
    finds("a fade to something else", Policy { fades: OTHERWISE, ..GRAPH }, "S3");
}

#[test]
fn p1_a_presence_that_should_be_refused_or_should_not() {
    let sessions = GRAPH.sessions.with(Offline);
    finds("a session set to Offline", Policy { sessions, ..GRAPH }, "S7");
    let sessions = PresenceSet::of(&[Available]);
    finds("a session not set to Away", Policy { sessions, ..GRAPH }, "S7");
}

#[test]
fn u2_another_duration_when_nothing_is_said() {
    let brief = PresenceSet::of(&[DoNotDisturb]);
    let preferred_default = PreferredDefault { brief, ..GRAPH.preferred_default };
    finds("a preference that lasts too long", Policy { preferred_default, ..GRAPH }, "U2");
}

#[test]
fn m4_s8_a_directory_that_lets_sessions_end_too_late() {
    let policy = Policy { fades: Fades::NONE, ..BRIEF };
    let functions = const { &few_users::Functions::LIBRARY };
    let model = FewUsers::<2, 2> { policy, numbers: BRIEF_NUMBERS, functions, apart: false, commands: FEW_COMMANDS };
    let report = check("a directory without fades", model);
    assert!(report.violates("M4"), "{:?}", report.violated);
}

fn faulty(name: &str, fault: Fault, budget: Budget, property: &str) {
    let (policy, numbers) = (BRIEF, BRIEF_NUMBERS);
    let report = check(name, TwoServers { policy, numbers, commands: 1, budget, fault: Some(fault) });
    assert!(report.violates(property), "{name}: {:?}", report.violated);
    // The same without the fault.
    let sound = check(
        "the same without it",
        TwoServers { policy: BRIEF, numbers: BRIEF_NUMBERS, commands: 1, budget, fault: None },
    );
    assert!(sound.violated.is_empty());
}

const NOTHING: Budget = Budget { losses: 0, duplicates: 0, impatience: 0, ticks: 0 };

#[test]
fn a_store_that_writes_without_comparing_loses_updates() {
    faulty("a store that writes blindly", Fault::WritesBlindly, NOTHING, "no lost update");
}

#[test]
fn a_server_that_does_not_ask_what_became_of_its_write_applies_it_twice() {
    let budget = Budget { duplicates: 1, ..NOTHING };
    faulty("a server without marks", Fault::TrustsNoMark, budget, "no double apply");
}

#[test]
fn a_server_that_refuses_while_its_write_is_on_its_way_applies_what_it_refused() {
    let budget = Budget { impatience: 1, ticks: 1, ..NOTHING };
    faulty("a server that refuses at once", Fault::RefusesAtOnce, budget, "no double apply");
}

#[test]
fn a_server_that_takes_silence_for_success_loses_updates() {
    let budget = Budget { losses: 1, ..NOTHING };
    faulty("a server that takes silence for success", Fault::TakesSilenceForSuccess, budget, "no lost update");
}
