//! The storage: power cuts, and the saving and restoring of users.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod contents;
mod corpus;
#[path = "../../fuzz/src/cut.rs"]
mod cut;
mod cuts;
mod device;
mod failures;
mod many_cuts;
mod medium;
mod outdated;
mod settings;
mod snapshot_store;
mod wear;

use firmware::CAPACITY;
use presence_core::{Command, Duration, Instant, Policy, Presence, SessionId, User, decide, next_due};

type DeviceUser = User<SessionId, CAPACITY>;

fn secs(secs: u64) -> Instant {
    Instant::from_secs(secs)
}

fn application(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

fn execute(user: &mut DeviceUser, now: Instant, command: Option<Command<SessionId>>) {
    while let Some(due) = next_due(user, now, &Policy::DESK) {
        user.apply(&due).unwrap();
    }
    let decided = command.and_then(|command| decide(user.at(now).unwrap(), command, &Policy::DESK).unwrap());
    if let Some(transition) = decided {
        user.apply(&transition).unwrap();
    }
}

fn set(number: u8, presence: Presence, mins: u64) -> Option<Command<SessionId>> {
    let lease = Some(Duration::from_mins(mins));
    Some(Command::SetPresence { session: application(number), presence, lease })
}
