//! What a user tells beside its presence: the naive model of the rules goes through the same, and whatever is stored of it is
//! found again.

mod form;
mod inputs;
mod model;
mod stored;
mod told;

use crate::life::clock;
use crate::snapshot::form::sealed;
use arbitrary::{Result, Unstructured};
use inputs::command;
use presence_core::Instant;
use presence_core::details::{DetailsCommand, DetailsTransition};
use stored::{damage, judge, restored_on_the_same_clock};
use told::Told;

const STEPS: usize = 200;

/// Room for messages, in bytes, of one user and of the other: what one of them has room for may be a forgery of the other's.
const LITTLE: usize = 12;
const MUCH: usize = 40;

/// The first byte says what the rest is: a life, stored bytes as they are, or bytes that lack their checksum.
///
/// After every step of a life: the same answers and the same transitions as the model's, which are the only ones that are
/// applied, once (rules T1, O1, W1, S7, S8, V2); the same records, what can be shown of them, and numbers (rule V1).
pub fn details(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    // An error is the end of the bytes.
    let _ = match bytes.int_in_range(0..=3).unwrap_or(0) {
        0 => live(bytes),
        kind => look(kind, bytes),
    };
}

/// Stored bytes, on any clock.
fn look(kind: u8, mut bytes: Unstructured<'_>) -> Result<()> {
    let (now, elapsed) = (bytes.arbitrary()?, bytes.arbitrary()?);
    match kind {
        1 => judge::<LITTLE>(bytes.take_rest(), now, elapsed),
        2 => judge::<LITTLE>(&sealed(bytes.take_rest()), now, elapsed),
        _ => judge::<LITTLE>(&sealed(&[&[1, 0], bytes.take_rest()].concat()), now, elapsed),
    }
    Ok(())
}

/// Two users who live side by side, and all that was ever decided about either.
struct World<'a> {
    now: Instant,
    little: Told<'a, LITTLE>,
    much: Told<'a, MUCH>,
    decided: Vec<DetailsTransition<'a>>,
}

/// The same of whichever of the two.
macro_rules! of {
    ($world:ident, $is_much:expr, $told:ident => $expression:expr) => {
        if $is_much {
            let $told = &mut $world.much;
            $expression
        } else {
            let $told = &mut $world.little;
            $expression
        }
    };
}

fn live(mut bytes: Unstructured<'_>) -> Result<()> {
    let now = Instant::from_secs(1_000_000);
    let mut world = World { now, little: Told::with_version(0), much: Told::with_version(0), decided: Vec::new() };
    for _ in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        let is_much = bytes.arbitrary()?;
        let deadline = of!(world, is_much, told => told.real.next_deadline()).map(Instant::as_millis);
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
                // At the revision of the other, so that what is decided about one is a forgery of the other's.
                let revision = of!(world, !is_much, told => told.real.revision());
                of!(world, is_much, told => *told = Told::with_version(revision));
            }
            9 => {
                let to = bytes.arbitrary()?;
                if of!(world, is_much, told => told.rebase(world.now, to)) {
                    world.now = to;
                }
            }
            10 if !world.decided.is_empty() => {
                let which = bytes.choose_index(world.decided.len())?;
                world.try_again(is_much, which);
            }
            _ => {
                let (now, elapsed) = (bytes.arbitrary()?, bytes.arbitrary()?);
                let stored = of!(world, is_much, told => restored_on_the_same_clock(&told.real, world.now));
                if let Some(stored) = stored {
                    if is_much {
                        judge::<MUCH>(&stored, now, elapsed)
                    } else {
                        judge::<LITTLE>(&stored, now, elapsed)
                    }
                    damage(&stored, &mut bytes)?;
                }
            }
        }
        // Whatever was decided last may be a forgery of the other's.
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
        let decided = of!(self, is_much, told => told.decide(now, command));
        if let Some(transition) = decided {
            self.apply(is_much, transition);
        }
    }

    /// Whether something was due.
    fn advance(&mut self, is_much: bool) -> bool {
        let now = self.now;
        let due = of!(self, is_much, told => told.advance(now));
        if let Some(transition) = due {
            self.apply(is_much, transition);
        }
        due.is_some()
    }

    fn apply(&mut self, is_much: bool, transition: DetailsTransition<'a>) {
        of!(self, is_much, told => told.apply(&transition));
        self.decided.push(transition);
    }

    /// Something that was decided before, about one of the two, is applied exactly if it might be this one's own.
    fn try_again(&mut self, is_much: bool, which: usize) {
        let transition = self.decided[which];
        of!(self, is_much, told => told.try_again(&transition));
    }
}
