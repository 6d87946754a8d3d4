//! Faults of two servers before one store, or of the store, each with no more going wrong than it takes.

use super::{each_has_a_fault, notices};
use presence_core_checking::policies::{BRIEF, BRIEF_NUMBERS};
use presence_core_checking::report::check;
use presence_core_checking::two_servers::{Budget, Fault, TwoServers};

const NOTHING: Budget = Budget { losses: 0, duplicates: 0, timeouts: 0, ticks: 0 };

/// A fault, what else goes wrong, and how the name of the property begins that must notice.
const FAULTS: [(Fault, Budget, &str); 7] = [
    (Fault::WritesBlindly, NOTHING, "no lost update"),
    (Fault::TrustsNoMark, Budget { duplicates: 1, ..NOTHING }, "no double apply"),
    (Fault::RejectsAtOnce, Budget { timeouts: 1, ticks: 1, ..NOTHING }, "no double apply"),
    (Fault::TakesSilenceForSuccess, Budget { losses: 1, ..NOTHING }, "no lost update"),
    (Fault::RejectsWhenLate, NOTHING, "S5 "),
    (Fault::ExecutesTwice, NOTHING, "V1, V2 "),
    (Fault::WaitsForEver, Budget { losses: 1, ..NOTHING }, "every command has a reply"),
];

fn model(budget: Budget, fault: Option<Fault>) -> TwoServers {
    TwoServers { policy: BRIEF, numbers: BRIEF_NUMBERS, commands: 1, budget, fault }
}

#[test]
fn every_fault_is_noticed_and_nothing_without_it() {
    for (fault, budget, noticed_by) in FAULTS {
        notices(&format!("{fault:?}"), model(budget, Some(fault)), noticed_by);
        let sound = check("the same without it", model(budget, None));
        assert!(sound.violated.is_empty(), "{budget:?}: {:?}", sound.violated);
    }
}

#[test]
fn every_property_has_a_fault() {
    each_has_a_fault(&model(NOTHING, None), FAULTS.iter().map(|(.., noticed_by)| *noticed_by));
}
