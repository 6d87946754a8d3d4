//! Thirty days of ten thousand users, with everything that goes wrong: storms, crashes, power that comes back after nobody
//! knows how long, clocks that are set. Every transition is held against an independent record of what was said, and the
//! whole is the same, byte for byte, when it is played again.

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
    let (once, twice) = std::thread::scope(|scope| {
        let again = scope.spawn(play);
        (play(), again.join().expect("the second month is as the first"))
    });
    let Ending { digest, counts, snapshots } = &once;
    println!("{digest:016x}, {} bytes of snapshots, {counts:?}", snapshots.len());
    assert!(once == twice, "another month: {:016x} and {:016x}", digest, twice.digest);
    // All of it happened, and often.
    assert!(counts.commands > 1_000_000 && counts.by_time > 1_000_000 && counts.visible > 500_000, "{counts:?}");
    assert!(counts.refused > 1000 && counts.reused > 1000 && counts.read > 100_000, "{counts:?}");
    assert!(counts.restarts > 10 && counts.lost > 1 && counts.start_over > 10, "{counts:?}");
}
