//! Thirty days of ten thousand users, with everything that can go wrong: load peaks, crashes, power failures of unknown
//! length, clocks that are set. Every transition is compared with an independent model, and a second run gives the same bytes.

mod digest;
mod month;
mod person;
mod random;
mod reader;
mod restart;
mod world;

use month::{Ending, Month};

#[test]
fn thirty_days_of_ten_thousand_users_twice_the_same() {
    let play = || Month::new(0x5EED).play();
    let [once, twice] = std::thread::scope(|scope| {
        let months = [scope.spawn(play), scope.spawn(play)];
        months.map(|month| {
            month.join().expect("if a rule has changed, the model in tests/long_run/person.rs must follow")
        })
    });
    let Ending { digest, counts, snapshots } = &once;
    println!("{digest:016x}, {} bytes of snapshots, {counts:?}", snapshots.len());
    assert!(once == twice, "another month: {:016x} and {:016x}", digest, twice.digest);
    // Everything happened, and often.
    assert!(counts.commands > 1_000_000 && counts.due > 1_000_000 && counts.visible > 500_000, "{counts:?}");
    assert!(counts.rejected > 1000 && counts.reused > 1000 && counts.read > 100_000, "{counts:?}");
    assert!(counts.restarts > 10 && counts.lost > 1 && counts.start_over > 10, "{counts:?}");
}
