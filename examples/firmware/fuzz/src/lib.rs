//! The firmware's storage, with the power cut after any byte: what is found then is the old snapshot or the new one.

#[path = "../../examples/firmware/tests/storage/medium.rs"]
mod medium;

use crate::storage::{Flash, Retained, RetainedByte, SNAPSHOT, Storage};
use arbitrary::{Result, Unstructured};
use medium::{Byte, Nor, Power, Torn, memory};

const STEPS: usize = 60;

/// In bytes: more than it takes to erase half of the largest flash and to store the longest snapshot.
const MOST_POWER: usize = 2600;

/// The first bytes say what is written to, what a torn word holds and what the medium held before; then come snapshots, each
/// with power for so many bytes or for ever, until the bytes end. After each of them the device starts again.
pub fn cut(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    // An error is the end of the bytes.
    let _ = match bytes.int_in_range(0..=4).unwrap_or(0) {
        0 => flash::<4, 1024>(bytes, 4),
        1 => flash::<4, 512>(bytes, 6),
        2 => flash::<1, 512>(bytes, 4),
        3 => flash::<8, 512>(bytes, 5),
        _ => retained(bytes),
    };
}

/// A snapshot to be stored, and how many bytes there is power for.
struct Step {
    snapshot: Vec<u8>,
    power: Option<usize>,
    /// Power while the device looks for what is stored, and repairs it.
    power_of_repair: Option<usize>,
}

impl Step {
    /// Of any length up to the longest, and no two the same.
    fn arbitrary(bytes: &mut Unstructured<'_>, number: usize) -> Result<Self> {
        let length = bytes.int_in_range(1..=SNAPSHOT)?;
        let mut snapshot = vec![bytes.arbitrary()?; length];
        snapshot[0] = number as u8;
        let power = bytes.arbitrary::<Option<u16>>()?.map(|power| usize::from(power) % MOST_POWER);
        let power_of_repair = if bytes.ratio(1, 8)? { Some(bytes.int_in_range(0..=MOST_POWER)?) } else { None };
        Ok(Self { snapshot, power, power_of_repair })
    }
}

/// What may be found: the latest snapshot that was stored whole, and one that was not.
#[derive(Default)]
struct Allowed {
    whole: Option<Vec<u8>>,
    torn: Option<Vec<u8>>,
}

impl Allowed {
    /// After a cut, either may be there; but once one was found it stays. Never is it anything else.
    fn found(&mut self, found: Option<Vec<u8>>) {
        let is_torn = found.is_some() && found == self.torn;
        assert!(found == self.whole || is_torn, "{found:?} instead of {:?}", self.whole);
        (self.whole, self.torn) = (found, None);
    }

    fn stored(&mut self, snapshot: Vec<u8>, is_whole: bool) {
        if is_whole {
            (self.whole, self.torn) = (Some(snapshot), None);
        } else {
            self.torn = Some(snapshot);
        }
    }
}

fn flash<const WORD: usize, const PAGE: usize>(mut bytes: Unstructured<'_>, pages: usize) -> Result<()> {
    let is_anything = bytes.arbitrary::<bool>()?;
    let mut flash = Nor::<WORD, PAGE>::new(pages, if is_anything { Torn::Anything } else { Torn::SomeBits });
    flash.power.seed.set(bytes.arbitrary()?);
    if bytes.ratio(1, 4)? {
        // A device that ran another program before.
        let power = flash.power.clone();
        flash.bytes.iter_mut().for_each(|byte| *byte = power.random());
    }
    let start = |flash: &Nor<WORD, PAGE>| Flash::new(flash.clone(), 0..flash.bytes.len() as u32).expect("whole pages");
    let mut allowed = Allowed::default();
    for number in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        let step = Step::arbitrary(&mut bytes, number)?;
        flash.power.cut_after(step.power);
        let mut board = start(&flash);
        let is_whole = board.store(&step.snapshot).is_ok();
        assert!(is_whole || step.power.is_some(), "with power, everything is stored");
        allowed.stored(step.snapshot, is_whole);
        flash = board.flash().clone();
        if step.power_of_repair.is_some() {
            flash.power.cut_after(step.power_of_repair);
            let mut board = start(&flash);
            let found = board.load();
            if let Ok(found) = found {
                allowed.found(found.map(<[u8]>::to_vec));
            }
            flash = board.flash().clone();
        }
        flash.power.cut_after(None);
        let mut board = start(&flash);
        let found = board.load().expect("there is power").map(<[u8]>::to_vec);
        allowed.found(found);
        flash = board.flash().clone();
    }
    Ok(())
}

fn retained(mut bytes: Unstructured<'_>) -> Result<()> {
    let power = Power::default();
    power.seed.set(bytes.arbitrary()?);
    let cells = memory((0..Retained::BYTES).map(|_| power.random()), &power);
    let mut allowed = Allowed::default();
    for number in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        let step = Step::arbitrary(&mut bytes, number)?;
        let before: Vec<u8> = cells.iter().map(Byte::get).collect();
        power.cut_after(step.power);
        Retained::new(&cells).store(&step.snapshot).expect("it fits");
        let is_whole = step.power.is_none_or(|power_for| power.used.get() <= power_for);
        power.cut_after(None);
        if !is_whole && step.power_of_repair.is_some() {
            // The byte that was being written holds anything.
            let written = cells.iter().zip(&before).rposition(|(cell, before)| cell.get() != *before);
            if let Some(torn) = written {
                cells[torn].set(power.random());
            }
        }
        allowed.stored(step.snapshot, is_whole);
        let found = Retained::new(&cells).load().expect("it fits").map(<[u8]>::to_vec);
        allowed.found(found);
    }
    Ok(())
}
