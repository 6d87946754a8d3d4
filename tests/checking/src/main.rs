//! Explores every model, at one of two sizes and fails if a property does not hold.

use presence_core::Command;
use presence_core_checking::few_users::{self, ALL_COMMANDS, COMING_AND_GOING, FEW_COMMANDS, FewUsers};
use presence_core_checking::one_user::{self, OneUser};
use presence_core_checking::policies::{
    BRIEF, BRIEF_NUMBERS, DESK, DESK_NUMBERS, GRAPH, GRAPH_NUMBERS, MIRROR, MIRROR_NUMBERS,
};
use presence_core_checking::report::{Report, check};
use presence_core_checking::two_servers::{Budget, TwoServers};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let began = Instant::now();
    let is_full = match std::env::args().nth(1).as_deref() {
        None | Some("quick") => false,
        Some("full") => true,
        Some(other) => {
            eprintln!("{other}: neither quick nor full");
            return ExitCode::from(2);
        }
    };
    let mut wrong: Vec<String> = Vec::new();
    // A model that has lost states proves nothing of them. One that gains some has a new number.
    let mut hold = |name: &'static str, least: usize, report: Report| {
        if !report.violated.is_empty() {
            wrong.push(format!("{name}: a rule is broken"));
        }
        if report.states < least {
            wrong.push(format!("{name}: {} states, at least {least} were expected", report.states));
        }
    };
    one_user(is_full, &mut hold);
    few_users(is_full, &mut hold);
    two_servers(is_full, &mut hold);
    println!("{:.1} s in all", began.elapsed().as_secs_f64());
    if wrong.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("{}", wrong.join("\n"));
    ExitCode::FAILURE
}

fn one_user(is_full: bool, hold: &mut impl FnMut(&'static str, usize, Report)) {
    let graph = (GRAPH, GRAPH_NUMBERS);
    let name = "one user, three sessions, Graph's presences";
    hold(name, 255_905, check(name, of_one_user::<3>(graph.clone(), None)));
    let name = "one user, three sessions where two fit";
    hold(name, 27_417, check(name, of_one_user::<2>(graph.clone(), None)));
    let name = "one user, three sessions where two fit, one of them a mirror's";
    let mirror = Some((MIRROR, MIRROR_NUMBERS));
    hold(name, 15_015, check(name, OneUser { own: mirror, ..of_one_user::<2>(graph.clone(), None) }));
    let name = "one user, a few commands and then silence";
    hold(
        name,
        if is_full { 48_155 } else { 3_162 },
        check(name, of_one_user::<3>(graph, Some(if is_full { 3 } else { 2 }))),
    );
    if is_full {
        let name = "one user, three sessions, every presence from Away up";
        hold(name, 2_162_901, check(name, of_one_user::<3>((DESK, DESK_NUMBERS), None)));
    }
}

fn of_one_user<const SESSIONS: usize>(
    (policy, numbers): (presence_core::Policy, presence_core_checking::rules::Numbers),
    commands: Option<u8>,
) -> OneUser<SESSIONS> {
    OneUser { policy, numbers, own: None, functions: const { &one_user::Functions::LIBRARY }, commands }
}

fn few_users(is_full: bool, hold: &mut impl FnMut(&'static str, usize, Report)) {
    fn of<const USERS: usize, const SLOTS: usize>(
        apart: bool,
        commands: &'static [Command<u8>],
    ) -> FewUsers<USERS, SLOTS> {
        let functions = const { &few_users::Functions::LIBRARY };
        FewUsers { policy: BRIEF, numbers: BRIEF_NUMBERS, functions, apart, commands }
    }
    let name = "two users in one slot";
    hold(name, 1_533, check(name, of::<2, 1>(false, ALL_COMMANDS)));
    let name = "two users in one slot, decided and applied apart";
    hold(
        name,
        if is_full { 58_531 } else { 6_171 },
        check(name, of::<2, 1>(true, if is_full { ALL_COMMANDS } else { FEW_COMMANDS })),
    );
    let name = "two users in two slots, few commands";
    hold(name, 13_697, check(name, of::<2, 2>(false, FEW_COMMANDS)));
    let name = "three users in two slots, coming and going";
    hold(name, 2_010, check(name, of::<3, 2>(false, COMING_AND_GOING)));
    if is_full {
        let name = "two users in two slots";
        hold(name, 531_627, check(name, of::<2, 2>(false, ALL_COMMANDS)));
        let name = "two users in two slots, few commands, decided and applied apart";
        hold(name, 512_849, check(name, of::<2, 2>(true, FEW_COMMANDS)));
        let name = "three users in two slots, few commands";
        hold(name, 119_883, check(name, of::<3, 2>(false, FEW_COMMANDS)));
    }
}

fn servers(commands: u8, [losses, duplicates, timeouts, ticks]: [u8; 4]) -> TwoServers {
    let budget = Budget { losses, duplicates, timeouts, ticks };
    TwoServers { policy: BRIEF, numbers: BRIEF_NUMBERS, commands, budget, fault: None }
}

fn two_servers(is_full: bool, hold: &mut impl FnMut(&'static str, usize, Report)) {
    let name = "two servers, a command each, a loss, a duplicate, a timeout";
    hold(name, 269_477, check(name, servers(1, [1, 1, 1, 0])));
    let name = "two servers, a command each, a loss, a timeout, two ticks";
    hold(name, 380_680, check(name, servers(1, [1, 0, 1, 2])));
    if is_full {
        let name = "two servers, a command each, everything once";
        hold(name, 989_283, check(name, servers(1, [1, 1, 1, 1])));
        let name = "two servers, two commands each, a loss, a duplicate";
        hold(name, 6_619_402, check(name, servers(2, [1, 1, 0, 0])));
        let name = "two servers, two commands each, two timeouts";
        hold(name, 5_686_598, check(name, servers(2, [0, 0, 2, 0])));
    }
}
