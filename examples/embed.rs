//! The library inside another server, without `graph`, with the server's own ids, policy and clock:
//! `cargo run --example embed --features alloc`.

use presence_core::directory::{BoxedDirectory, BoxedMemory, Directory, Progress};
use presence_core::{Duration, DurationRange, Fade, Fades, Instant, Policy, Presence, Transition};

/// The policy of a chat server: leases of half a minute by default, and Away after five minutes without a keep-alive.
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
    // Users have the numbers of database rows, and sessions those of sockets: up to 16,000 users with four sockets each.
    let mut directory: BoxedDirectory<u64, u16, 4> = Directory::new(BoxedMemory::new(16_000), CHAT);

    // A socket sets user 7 to Available for ten minutes, another one to InACall. Then both send nothing more.
    let lease = Some(Duration::from_mins(10));
    directory.set_presence(Instant::ZERO, 7, 1, Presence::Available, lease, notify)?;
    directory.set_presence(Instant::from_secs(9), 7, 2, Presence::InACall, None, notify)?;

    // The server's timer waits for the next deadline, and then applies one bounded step after another.
    while let Some(deadline) = directory.next_deadline() {
        if let Progress::Changed { user, transition } = directory.advance(deadline) {
            notify(user, &transition);
        }
    }
    println!("{:?}", directory.explain(Instant::from_secs(9999), 7));
    Ok(())
}
