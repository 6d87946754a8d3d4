//! The firmware's storage, with the power cut after any byte: it must then load the old snapshot or the new one.

use crate::medium::{Byte, Nor, Power, Torn, memory, seal};
use arbitrary::{Result, Unstructured};
use firmware::storage::{Flash, MAX_SNAPSHOT, Retained, RetainedByte, Storage};

const STEPS: usize = 60;

/// More bytes than erasing half of the largest flash and storing the longest snapshot take.
const MAX_POWER: usize = 2600;

/// Stores snapshots while the power fails, restarts after each, and checks what is loaded.
///
/// The first bytes choose the medium, what a torn word holds and what the medium held before: nothing, another program, or
/// items with any sequence number. The others are steps: a
/// snapshot, and how many bytes there is power for.
pub(crate) fn run(data: &[u8]) {
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

/// A snapshot to store, and the number of bytes there is power for.
struct Step {
    snapshot: Vec<u8>,
    power: Option<usize>,
    /// Power for loading, and for the repair that loading may need.
    power_for_load: Option<usize>,
}

impl Step {
    /// Makes a snapshot of any length up to the longest; its number keeps it different from the others.
    fn arbitrary(bytes: &mut Unstructured<'_>, number: usize) -> Result<Self> {
        let length = bytes.int_in_range(1..=MAX_SNAPSHOT)?;
        let mut snapshot = vec![bytes.arbitrary()?; length];
        snapshot[0] = number as u8;
        let snapshot = seal(snapshot);
        let power = bytes.arbitrary::<Option<u16>>()?.map(|power| usize::from(power) % MAX_POWER);
        let power_for_load = if bytes.ratio(1, 8)? { Some(bytes.int_in_range(0..=MAX_POWER)?) } else { None };
        Ok(Self { snapshot, power, power_for_load })
    }
}

/// The snapshots that may be loaded: the latest complete one, and one that may be torn.
#[derive(Default)]
struct Allowed {
    complete: Option<Vec<u8>>,
    torn: Option<Vec<u8>>,
}

impl Allowed {
    /// Checks what was loaded. After a cut it may be either snapshot, and from then on only that one.
    fn check(&mut self, loaded: Option<Vec<u8>>) {
        let is_torn = loaded.is_some() && loaded == self.torn;
        assert!(loaded == self.complete || is_torn, "{loaded:?} instead of {:?}", self.complete);
        (self.complete, self.torn) = (loaded, None);
    }

    fn record(&mut self, snapshot: Vec<u8>, is_complete: bool) {
        if is_complete {
            (self.complete, self.torn) = (Some(snapshot), None);
        } else {
            self.torn = Some(snapshot);
        }
    }
}

fn flash<const WORD: usize, const PAGE: usize>(mut bytes: Unstructured<'_>, pages: usize) -> Result<()> {
    let is_anything = bytes.arbitrary::<bool>()?;
    let mut flash = Nor::<WORD, PAGE>::new(pages, if is_anything { Torn::Anything } else { Torn::SomeBits });
    flash.power.seed.set(bytes.arbitrary()?);
    let mut allowed = Allowed::default();
    match bytes.int_in_range(0..=3)? {
        0 => {
            // The device ran another program before.
            let power = flash.power.clone();
            flash.bytes.iter_mut().for_each(|byte| *byte = power.random());
        }
        1 => {}
        2 => {
            // Sequence numbers wrap soon, or just did.
            let number = bytes.arbitrary::<i8>()?;
            let snapshot = seal(vec![7; 20]);
            flash.store_item(bytes.arbitrary()?, i32::from(number).cast_unsigned(), &snapshot);
            allowed.record(snapshot, true);
        }
        _ => {
            // What has the form of the firmware's items, but holds no snapshot, is absent beside one.
            let is_second = bytes.arbitrary()?;
            flash.store_item(is_second, bytes.arbitrary()?, &[bytes.arbitrary()?; 20]);
            let snapshot = seal(vec![7; 20]);
            flash.store_item(!is_second, bytes.arbitrary()?, &snapshot);
            allowed.record(snapshot, true);
        }
    }
    let start = |flash: &Nor<WORD, PAGE>| Flash::new(flash.clone(), 0..flash.bytes.len() as u32).expect("whole pages");
    for number in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        let step = Step::arbitrary(&mut bytes, number)?;
        flash.power.cut_after(step.power);
        let mut board = start(&flash);
        let is_complete = board.store(&step.snapshot, &[]).is_ok();
        assert!(is_complete || flash.power.ran_out(), "with power, everything is stored");
        allowed.record(step.snapshot, is_complete);
        flash = board.flash().clone();
        if step.power_for_load.is_some() {
            flash.power.cut_after(step.power_for_load);
            let mut board = start(&flash);
            let loaded = board.load();
            match loaded {
                Ok(loaded) => allowed.check(loaded.map(<[u8]>::to_vec)),
                Err(_) => assert!(flash.power.ran_out(), "with power, everything is loaded"),
            }
            flash = board.flash().clone();
        }
        flash.power.cut_after(None);
        let mut board = start(&flash);
        let loaded = board.load().expect("there is power").map(<[u8]>::to_vec);
        allowed.check(loaded);
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
        Retained::new(&cells).store(&step.snapshot, &[]).expect("it fits");
        let is_complete = step.power.is_none_or(|limit| power.used.get() <= limit);
        power.cut_after(None);
        if !is_complete && step.power_for_load.is_some() {
            // The byte that was being written holds anything.
            let written = cells.iter().zip(&before).rposition(|(cell, before)| cell.get() != *before);
            if let Some(torn) = written {
                cells[torn].set(power.random());
            }
        }
        allowed.record(step.snapshot, is_complete);
        let loaded = Retained::new(&cells).load().expect("it fits").map(<[u8]>::to_vec);
        allowed.check(loaded);
    }
    Ok(())
}
