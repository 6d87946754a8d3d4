//! Runs a model to its end and says what was found.

use stateright::{Checker, HasDiscoveries, Model};
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    /// How many states there were.
    pub states: usize,
    /// The properties that do not hold, each with the actions that lead to where.
    pub violated: Vec<(&'static str, String)>,
}

impl Report {
    /// Whether a property whose name begins so does not hold.
    pub fn violates(&self, property: &str) -> bool {
        self.violated.iter().any(|(violated, _)| violated.starts_with(property))
    }
}

/// More steps than any model has: one that never ends goes no further.
const MOST_STEPS: usize = 1_000_000_000;

/// Explores every state of a model, or until something is wrong, and prints how many there were.
pub fn check<M>(name: &str, model: M) -> Report
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq,
{
    check_until(name, model, HasDiscoveries::AnyFailures)
}

/// The same until something that is looked for is found, whatever else may be wrong.
pub fn check_until<M>(name: &str, model: M, found: HasDiscoveries) -> Report
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq,
{
    let began = Instant::now();
    let properties = model.properties().len();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = model.checker().threads(threads).finish_when(found).target_state_count(MOST_STEPS).spawn_bfs().join();
    let (unique, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    let seconds = began.elapsed().as_secs_f64();
    println!("{name}: {properties} properties, {unique} states, {steps} steps, depth {depth}, {seconds:.1} s");
    assert!(steps < MOST_STEPS, "{name}: there is no end of states");
    let mut violated: Vec<_> = checker
        .discoveries()
        .into_iter()
        .map(|(property, path)| {
            let actions = path.into_actions();
            let path: Vec<_> = actions.iter().map(|action| format!("    {action:?}\n")).collect();
            (property, path.concat())
        })
        .collect();
    violated.sort();
    for (property, path) in &violated {
        println!("  does not hold: {property}\n{path}");
    }
    Report { states: unique, violated }
}
