//! Histories of a directory, compared with the naive model of the rules after every step.

use crate::life::{clock, command};
use arbitrary::{Result, Unstructured};
use core::hash::{BuildHasher, BuildHasherDefault};
use presence_core::directory::DefaultHasher;
use support::model::both::{Both, SameHash};
use support::model::policies;
use support::model::random::{Action, Step};

/// The longest history: the model is slow.
const STEPS: usize = 200;

/// Checks a history of a directory. The first bytes are its size and policy; the remaining ones are steps.
///
/// After every step, these are equal: results and transitions, of which those of a user are an unbroken chain (rules M4, V2);
/// records, versions, reads and explanations (rules V1, A4), also of pinned and erased users (rule M5); changes since five cursors, from
/// the first to the latest, and around evicted changes (rule V2). No deadline is late, and it is exact once idle.
pub fn history(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    // An error is the end of the bytes.
    let _ = match bytes.int_in_range(0..=7).unwrap_or(0) {
        0 => play::<1, 1, _>(bytes, BuildHasherDefault::<DefaultHasher>::new()),
        1 => play::<1, 4, _>(bytes, BuildHasherDefault::<DefaultHasher>::new()),
        2 => play::<2, 2, _>(bytes, BuildHasherDefault::<DefaultHasher>::new()),
        3 => play::<3, 3, _>(bytes, BuildHasherDefault::<DefaultHasher>::new()),
        4 => play::<20, 1, _>(bytes, BuildHasherDefault::<DefaultHasher>::new()),
        5 => play::<5, 2, _>(bytes, SameHash),
        6 => play::<0, 1, _>(bytes, BuildHasherDefault::<DefaultHasher>::new()),
        _ => play::<2, 0, _>(bytes, BuildHasherDefault::<DefaultHasher>::new()),
    };
}

/// Plays a history with one user more than slots, and one session more than fits.
fn play<const USERS: usize, const SESSIONS: usize, H: BuildHasher>(
    mut bytes: Unstructured<'_>,
    hasher: H,
) -> Result<()> {
    let (policy, rules) = bytes.choose(&policies())?.clone();
    let mut both: Both<USERS, SESSIONS, H> = Both::new(policy, rules, hasher);
    for _ in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        let step = Step { clock: clock(&mut bytes)?, action: action(&mut bytes, USERS as u8 + 1, SESSIONS as u8 + 1)? };
        both.step(&step);
        both.assert_same();
    }
    Ok(())
}

fn action(bytes: &mut Unstructured<'_>, users: u8, sessions: u8) -> Result<Action> {
    let user = |bytes: &mut Unstructured<'_>| bytes.int_in_range(0..=users - 1);
    Ok(match bytes.int_in_range(0..=16)? {
        0..=6 => Action::Command(user(bytes)?, command(bytes, sessions)?),
        7 => Action::CommandUnder(user(bytes)?, command(bytes, sessions)?, bytes.arbitrary()?),
        8 | 9 => Action::Advance,
        10 => Action::AdvanceSome(bytes.int_in_range(1..=3)?),
        11 => Action::Rebase(bytes.arbitrary::<presence_core::Instant>()?.as_millis()),
        12 | 13 => Action::Hold(user(bytes)?),
        14 => Action::Release(user(bytes)?, bytes.int_in_range(0..=3)?),
        15 => Action::NoteChange(user(bytes)?),
        _ => Action::Erase(user(bytes)?),
    })
}
