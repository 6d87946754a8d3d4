//! Histories of users' details, compared with a naive model of the rules, and their snapshots.

mod format;
mod inputs;
mod model;
mod pair;
mod stored;

use crate::life::clock;
use crate::snapshot::format::with_checksum;
use arbitrary::{Result, Unstructured};
use inputs::command;
use pair::Pair;
use presence_core::Instant;
use presence_core::details::{DetailsCommand, DetailsTransition};
use stored::{check, damage, restored_on_the_same_clock};

const STEPS: usize = 200;

/// The longest messages, in bytes, of either user: what fits one may be a forgery for the other.
const LITTLE: usize = 12;
const MUCH: usize = 40;

/// Checks the details of two users. The first byte says what the others are: a life, or a snapshot with or without checksum.
///
/// After every step of a life, results and transitions equal the model's, and only those are applied, once (rules T1, O1, W1,
/// S7, S8, V2); records, views and numbers are equal, too (rule V1).
pub fn details(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    // An error is the end of the bytes.
    let _ = match bytes.int_in_range(0..=3).unwrap_or(0) {
        0 => live(bytes),
        kind => restore(kind, bytes),
    };
}

/// Checks the bytes of a snapshot, on any clock.
fn restore(kind: u8, mut bytes: Unstructured<'_>) -> Result<()> {
    let (now, elapsed) = (bytes.arbitrary()?, bytes.arbitrary()?);
    match kind {
        1 => check::<LITTLE>(bytes.take_rest(), now, elapsed),
        2 => check::<LITTLE>(&with_checksum(bytes.take_rest()), now, elapsed),
        _ => check::<LITTLE>(&with_checksum(&[&[1, 0], bytes.take_rest()].concat()), now, elapsed),
    }
    Ok(())
}

/// The details of two users, and every transition decided about them.
struct World<'a> {
    now: Instant,
    little: Pair<'a, LITTLE>,
    much: Pair<'a, MUCH>,
    decided: Vec<DetailsTransition<'a>>,
}

/// Evaluates an expression for one of the two.
macro_rules! of {
    ($world:ident, $is_much:expr, $pair:ident => $expression:expr) => {
        if $is_much {
            let $pair = &mut $world.much;
            $expression
        } else {
            let $pair = &mut $world.little;
            $expression
        }
    };
}

fn live(mut bytes: Unstructured<'_>) -> Result<()> {
    let now = Instant::from_secs(1_000_000);
    let mut world = World { now, little: Pair::with_version(0), much: Pair::with_version(0), decided: Vec::new() };
    for _ in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        let is_much = bytes.arbitrary()?;
        let deadline = of!(world, is_much, pair => pair.real.next_deadline()).map(Instant::as_millis);
        let now = clock(&mut bytes)?.read(world.now.as_millis(), deadline);
        world.now = Instant::from_millis(now);
        match bytes.int_in_range(0..=12)? {
            0..=5 => {
                let command = command(&mut bytes, world.now)?;
                world.command(is_much, command);
            }
            6 => while world.advance(is_much) {},
            7 => drop(world.advance(is_much)),
            8 => {
                // At the other's revision, so that transitions of one are forgeries for the other.
                let revision = of!(world, !is_much, pair => pair.real.revision());
                of!(world, is_much, pair => *pair = Pair::with_version(revision));
            }
            9 => {
                let to = bytes.arbitrary()?;
                if of!(world, is_much, pair => pair.rebase(world.now, to)) {
                    world.now = to;
                }
            }
            10 if !world.decided.is_empty() => {
                let which = bytes.choose_index(world.decided.len())?;
                world.try_again(is_much, which);
            }
            _ => {
                let (now, elapsed) = (bytes.arbitrary()?, bytes.arbitrary()?);
                let stored = of!(world, is_much, pair => restored_on_the_same_clock(&pair.real, world.now));
                if let Some(stored) = stored {
                    if is_much {
                        check::<MUCH>(&stored, now, elapsed)
                    } else {
                        check::<LITTLE>(&stored, now, elapsed)
                    }
                    damage(&stored, &mut bytes)?;
                }
            }
        }
        // The latest transition may be a forgery for the other user.
        if let Some(newest) = world.decided.len().checked_sub(1) {
            world.try_again(!is_much, newest);
        }
        world.little.assert_same();
        world.much.assert_same();
    }
    Ok(())
}

impl<'a> World<'a> {
    fn command(&mut self, is_much: bool, command: DetailsCommand<'a>) {
        let now = self.now;
        let decided = of!(self, is_much, pair => pair.decide(now, command));
        if let Some(transition) = decided {
            self.apply(is_much, transition);
        }
    }

    /// Applies what is due first, and reports whether there was anything.
    fn advance(&mut self, is_much: bool) -> bool {
        let now = self.now;
        let due = of!(self, is_much, pair => pair.advance(now));
        if let Some(transition) = due {
            self.apply(is_much, transition);
        }
        due.is_some()
    }

    fn apply(&mut self, is_much: bool, transition: DetailsTransition<'a>) {
        of!(self, is_much, pair => pair.apply(&transition));
        self.decided.push(transition);
    }

    /// Applies an earlier transition of either user, which succeeds exactly if it could be one of this user's.
    fn try_again(&mut self, is_much: bool, which: usize) {
        let transition = self.decided[which];
        of!(self, is_much, pair => pair.try_again(&transition));
    }
}
