//! The library inside somebody else's server: no `graph`, its own ids, its own policy, its own clock.

use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory, Progress};
use presence_core::{Duration, DurationRange, Fade, Fades, Instant, Policy, Presence, Transition};

/// A chat server's rule: leases of half a minute, and straight to Away after five minutes without a sign of life.
const CHAT: Policy = Policy {
    leases: DurationRange { shortest: Duration::from_secs(1), longest: Duration::from_mins(10) },
    default_lease: Duration::from_secs(30),
    fades: Fades::new(&[Fade { after: Duration::from_mins(5), becomes: Presence::Away }]).unwrap(),
    ..Policy::DESK
};

fn notify(user: u64, change: &Transition<u16>) {
    println!("{:>5} s: the friends of {user} see {}", change.at().as_millis() / 1000, change.after());
}

fn main() -> Result<(), presence_core::CommandError> {
    // Rows of a database are users here and sockets are sessions: room for 16,000, with four sockets each.
    let mut directory: BoxedDirectory<u64, u16, 4> = Directory::new(BoxedMemory::new(16_000), CHAT);

    // A socket says that user 7 is there for ten minutes, another that they are in a call. Then both fall silent.
    let lease = Some(Duration::from_mins(10));
    directory.set_presence(Instant::ZERO, 7, 1, Presence::Available, lease, notify)?;
    directory.set_presence(Instant::from_secs(9), 7, 2, Presence::InACall, None, notify)?;

    // The server's timer asks when to come back, and then for one bounded piece of work at a time.
    while let Some(deadline) = directory.next_deadline() {
        if let Progress::Changed { user, transition } = directory.advance(deadline) {
            notify(user, &transition);
        }
    }
    println!("{:?}", directory.explain(Instant::from_secs(9999), 7));
    Ok(())
}
