//! Memory that a reset leaves alone, as long as there is power.

use super::{SNAPSHOT, Storage};
use core::sync::atomic::{AtomicU8, Ordering};
use crc::{CRC_32_ISCSI, Crc, NoTable};
use presence_core::Duration;

/// The first byte of a slot that is whole. It is written last, and overwritten first.
const WHOLE: u8 = 0xA5;
const TORN: u8 = 0;

// A slot: mark, checksum, sequence number, length, snapshot. The checksum is of all that follows it.
const CHECKSUM: usize = 1;
const SEQUENCE: usize = CHECKSUM + 4;
const LENGTH: usize = SEQUENCE + 4;
const BYTES: usize = LENGTH + 2;

/// The snapshot does not fit into half of the memory. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Two slots that are written in turn, each with a sequence number and a checksum, in memory that the start-up code leaves
/// as it is.
///
/// The memory holds anything at all when the power comes on: the checksum tells. It is made of atomic bytes so that they are
/// written in the order in which they are told: a slot is marked as torn before and as whole after everything else. A board
/// names it so:
///
/// ```
/// use core::sync::atomic::AtomicU8;
/// use firmware::storage::Retained;
///
/// #[unsafe(link_section = ".uninit")]
/// static RETAINED: [AtomicU8; Retained::BYTES] = [const { AtomicU8::new(0) }; Retained::BYTES];
///
/// let storage = Retained::new(&RETAINED);
/// ```
#[derive(Debug)]
pub struct Retained<'a, C = AtomicU8> {
    slots: [&'a [C]; 2],
    buffer: [u8; SNAPSHOT],
}

/// A byte of memory that is written when it is told to be, in order.
pub trait RetainedByte {
    /// Reads it.
    fn get(&self) -> u8;
    /// Writes it.
    fn set(&self, byte: u8);
}

impl RetainedByte for AtomicU8 {
    fn get(&self) -> u8 {
        self.load(Ordering::SeqCst)
    }

    fn set(&self, byte: u8) {
        self.store(byte, Ordering::SeqCst);
    }
}

impl Retained<'_> {
    /// Memory for two of the longest snapshots.
    pub const BYTES: usize = 2 * (BYTES + SNAPSHOT);
}

impl<'a, C: RetainedByte> Retained<'a, C> {
    /// What is in this memory, half of it for each slot. O(1).
    #[must_use]
    pub fn new(memory: &'a [C]) -> Self {
        // The compiler must not think that it holds what its declaration says.
        let (one, other) = core::hint::black_box(memory).split_at(memory.len() / 2);
        Self { slots: [one, other], buffer: [0; SNAPSHOT] }
    }

    /// The newest whole slot, by number, and its sequence number. Sequence numbers wrap.
    fn newest(&self) -> Option<(usize, u32)> {
        let [one, other] = self.slots.map(|slot| sequence_of(slot));
        match (one, other) {
            (Some(one), Some(other)) if (other.wrapping_sub(one) as i32) > 0 => Some((1, other)),
            (Some(one), _) => Some((0, one)),
            (None, Some(other)) => Some((1, other)),
            (None, None) => None,
        }
    }
}

impl<C: RetainedByte> Storage for Retained<'_, C> {
    type Error = TooLong;

    const SLACK: Duration = Duration::from_mins(1);
    const REST: Duration = Duration::ZERO;

    fn load(&mut self) -> Result<Option<&[u8]>, TooLong> {
        let slot = self.newest().and_then(|(newest, _)| self.slots.get(newest));
        let Some(bytes) = slot.and_then(|slot| snapshot_in(slot)) else { return Ok(None) };
        let copy = self.buffer.get_mut(..bytes.len()).ok_or(TooLong)?;
        copy.iter_mut().zip(bytes).for_each(|(copy, byte)| *copy = byte.get());
        Ok(Some(copy))
    }

    fn store(&mut self, snapshot: &[u8]) -> Result<(), TooLong> {
        let (older, sequence) = match self.newest() {
            Some((newest, sequence)) => (1 - newest, sequence.wrapping_add(1)),
            None => (0, 0),
        };
        let slot = self.slots.get(older).ok_or(TooLong)?;
        let (Some(mark), Some(cells)) = (slot.first(), slot.get(CHECKSUM..BYTES + snapshot.len())) else {
            return Err(TooLong);
        };
        let length = u16::try_from(snapshot.len()).map_err(|_| TooLong)?;
        let (sequence, length) = (sequence.to_le_bytes(), length.to_le_bytes());
        let content = || sequence.into_iter().chain(length).chain(snapshot.iter().copied());
        let checksum = checksum(content()).to_le_bytes();
        mark.set(TORN);
        for (cell, byte) in cells.iter().zip(checksum.into_iter().chain(content())) {
            cell.set(byte);
        }
        mark.set(WHOLE);
        Ok(())
    }
}

/// The sequence number of a slot that is whole.
fn sequence_of<C: RetainedByte>(slot: &[C]) -> Option<u32> {
    let bytes = snapshot_in(slot)?.len();
    let content = slot.get(SEQUENCE..BYTES + bytes)?.iter().map(|byte| byte.get());
    let is_whole = slot.first()?.get() == WHOLE && checksum(content) == u32::from_le_bytes(read(slot, CHECKSUM)?);
    is_whole.then_some(u32::from_le_bytes(read(slot, SEQUENCE)?))
}

/// The snapshot in a slot, if its length is to be believed.
fn snapshot_in<C: RetainedByte>(slot: &[C]) -> Option<&[C]> {
    let length = u16::from_le_bytes(read(slot, LENGTH)?).into();
    slot.get(BYTES..)?.get(..length)
}

fn read<C: RetainedByte, const LEN: usize>(slot: &[C], at: usize) -> Option<[u8; LEN]> {
    let mut bytes = [0; LEN];
    let cells = slot.get(at..)?.get(..LEN)?;
    bytes.iter_mut().zip(cells).for_each(|(byte, cell)| *byte = cell.get());
    Some(bytes)
}

fn checksum(bytes: impl Iterator<Item = u8>) -> u32 {
    const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);
    let mut digest = CRC.digest();
    bytes.for_each(|byte| digest.update(&[byte]));
    digest.finalize()
}
