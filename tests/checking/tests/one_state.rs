//! States with one identity have one future: the states that they lead to have one identity, too. So it does not
//! matter which of them is met first.

use presence_core_checking::few_users::{self, COMING_AND_GOING, FEW_COMMANDS, FewUsers};
use presence_core_checking::one_user::{self, OneUser};
use presence_core_checking::policies::{BRIEF, BRIEF_NUMBERS, GRAPH, GRAPH_NUMBERS, MIRROR, MIRROR_NUMBERS};
use presence_core_checking::two_servers::{Budget, TwoServers};
use stateright::Model;
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Returns the identity of a state.
fn identity(state: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

fn one_state_has_one_future<M: Model<State: Clone + Debug + Hash>>(model: &M) {
    let mut futures: HashMap<u64, Vec<u64>> = HashMap::new();
    let mut waiting = model.init_states();
    while let Some(state) = waiting.pop() {
        let next = model.next_steps(&state).into_iter().map(|(_, next)| next);
        let next: Vec<_> = next.map(|next| (identity(&next), next)).collect();
        let future: Vec<u64> = next.iter().map(|(identity, _)| *identity).collect();
        match futures.get(&identity(&state)) {
            Some(known) => assert_eq!(*known, future, "equal to another that leads elsewhere: {state:#?}"),
            None => {
                futures.insert(identity(&state), future);
                waiting.extend(next.into_iter().map(|(_, next)| next));
            }
        }
    }
    assert!(futures.len() > 1000, "hardly any states: {}", futures.len());
}

fn few_users<const USERS: usize, const SLOTS: usize>(
    apart: bool,
    commands: &'static [presence_core::Command<u8>],
) -> FewUsers<USERS, SLOTS> {
    let functions = const { &few_users::Functions::LIBRARY };
    FewUsers { policy: BRIEF, numbers: BRIEF_NUMBERS, functions, apart, commands }
}

#[test]
fn of_one_user() {
    let functions = const { &one_user::Functions::LIBRARY };
    let model: OneUser<3> = OneUser { policy: GRAPH, numbers: GRAPH_NUMBERS, own: None, functions, commands: Some(2) };
    one_state_has_one_future(&model);
    one_state_has_one_future(&OneUser { own: Some((MIRROR, MIRROR_NUMBERS)), ..model });
}

#[test]
fn of_few_users() {
    one_state_has_one_future(&few_users::<3, 2>(false, COMING_AND_GOING));
}

#[test]
fn of_few_users_decided_and_applied_apart() {
    one_state_has_one_future(&few_users::<2, 1>(true, FEW_COMMANDS));
}

#[test]
fn of_two_servers() {
    let budget = Budget { losses: 1, duplicates: 0, timeouts: 0, ticks: 0 };
    one_state_has_one_future(&TwoServers { policy: BRIEF, numbers: BRIEF_NUMBERS, commands: 1, budget, fault: None });
}
