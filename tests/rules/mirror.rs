//! Mirroring what another system publishes (rule P4).

use super::presences::LISTED;
use presence_core::{Absence, Cause, Command, CommandError, Duration, Instant, Policy, Presence, SingleUser};

const LEASE: Duration = Duration::from_hours(24);

/// Everything that a mirror may show.
fn shown() -> impl Iterator<Item = Presence> {
    Presence::ALL.into_iter().filter(|presence| !matches!(presence, Presence::Unknown | Presence::Offline))
}

fn mirrored(presence: Presence) -> SingleUser<u8, 1> {
    let mut user = SingleUser::new(Policy::MIRROR);
    if let Some(command) = Command::mirror(7, presence, Some(LEASE)) {
        let _ = user.execute(Instant::ZERO, command, |_| {});
    }
    user
}

#[test]
fn p4_what_is_read_is_published_until_its_lease_ends_and_nothing_fades() {
    for presence in shown() {
        let mut user = mirrored(presence);
        assert_eq!(user.presence(Instant::ZERO), presence);
        assert_eq!(user.next_deadline(), Some(Instant::ZERO + LEASE), "{presence}");
        for secs in [299, 300, 600, 86_399] {
            assert_eq!(user.presence(Instant::from_secs(secs)), presence, "after {secs} s");
        }
        let mut causes = Vec::new();
        user.advance(Instant::NEVER, |change| causes.push(change.cause()));
        assert_eq!(causes, [Cause::Expired], "{presence}");
        assert_eq!(user.user().absence(), Some(Absence::Expired), "no news");
    }
}

#[test]
fn p4_offline_is_gone_and_unknown_is_no_news() {
    assert_eq!(Command::<u8>::mirror(7, Presence::Offline, None), Some(Command::ClearPresence { session: 7 }));
    assert_eq!(Command::<u8>::mirror(7, Presence::Unknown, Some(LEASE)), None);
    for presence in shown() {
        let mut user = mirrored(presence);
        let gone = Command::mirror(7, Presence::Offline, Some(LEASE)).unwrap();
        user.execute(Instant::from_secs(1), gone, |_| {}).unwrap();
        assert_eq!(user.user().absence(), Some(Absence::Cleared), "gone");
        // Read again, it is gone already.
        assert_eq!(user.execute(Instant::from_secs(2), gone, |_| {}), Err(CommandError::NotFound));
    }
}

/// The lease that is not given is the policy's, also for what is listed among the availabilities.
#[test]
fn p4_the_lease_is_the_given_one_or_the_default() {
    for (availability, _) in LISTED {
        let command = Command::mirror(7, Presence::read(availability, ""), None).unwrap();
        let mut user: SingleUser<u8, 1> = SingleUser::new(Policy::MIRROR);
        user.execute(Instant::ZERO, command, |_| {}).unwrap();
        assert_eq!(user.next_deadline(), Some(Instant::from_secs(300)));
    }
}
