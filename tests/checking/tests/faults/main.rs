//! What is made wrong on purpose is found, by the property whose rule it breaks: each property of each model is seen to fail at
//! least once. A fault is another policy than the rules have, another function than the library's, or, of two servers, what
//! people get wrong; what else is wrong with it is of no account.

mod few_users;
mod one_user;
mod two_servers;

use presence_core_checking::report::check_until;
use stateright::{HasDiscoveries, Model};
use std::fmt::Debug;
use std::hash::Hash;

/// The property whose name begins so.
fn property<M: Model>(model: &M, begins: &str) -> &'static str {
    let names: Vec<_> = model.properties().iter().map(|property| property.name).collect();
    let found: Vec<_> = names.iter().filter(|name| name.starts_with(begins)).collect();
    assert_eq!(found.len(), 1, "not one property begins with {begins:?}: {names:?}");
    found[0]
}

/// A model in which something is wrong is explored until the property that must notice does not hold.
fn notices<M>(wrong: &str, model: M, begins: &str)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq,
{
    let property = property(&model, begins);
    let report = check_until(wrong, model, HasDiscoveries::AllOf([property].into()));
    assert!(report.violates(property), "{wrong}: not noticed by {property:?}, but by {:?}", report.violated);
}

/// No property is left out.
fn each_has_a_fault<M: Model>(model: &M, faults: impl Iterator<Item = &'static str>) {
    let noticed: Vec<_> = faults.map(|begins| property(model, begins)).collect();
    for property in model.properties() {
        assert!(noticed.contains(&property.name), "no fault shows that this can fail: {}", property.name);
    }
}
