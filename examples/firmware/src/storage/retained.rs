//! Storage in memory that keeps its contents over a reset, but not without power.

use super::{MAX_SETTINGS, MAX_SNAPSHOT, Storage, WriteBudget, is_newer, is_snapshot};
use core::sync::atomic::{AtomicU8, Ordering};
use crc::{CRC_32_ISCSI, Crc, NoTable};
use presence_core::Duration;

/// The first byte of a complete slot. It is written last, and overwritten first.
const COMPLETE: u8 = 0xA5;
const TORN: u8 = 0;

// A slot: mark, checksum, sequence number, length of the snapshot, length of the settings, both of these. The checksum covers
// everything after it.
const CHECKSUM: usize = 1;
const SEQUENCE: usize = CHECKSUM + 4;
const LENGTH: usize = SEQUENCE + 4;
const SETTINGS_LENGTH: usize = LENGTH + 2;
const HEADER_LEN: usize = SETTINGS_LENGTH + 1;

/// The error of a snapshot and settings that do not fit into half of the memory. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLongError;

impl core::fmt::Display for TooLongError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("snapshot and settings are longer than half of the memory")
    }
}

impl core::error::Error for TooLongError {}

/// Retained memory with two slots that are written alternately, each with a sequence number and a checksum.
///
/// After power-on the memory holds anything, which the checksum detects. It consists of atomic bytes so that the order of
/// writes is certain: a slot is marked as torn before and as complete after everything else. A board declares it like this,
/// in a section that the start-up code leaves alone:
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
    buffer: [u8; MAX_SNAPSHOT],
}

/// A byte of memory that is written in program order.
pub trait RetainedByte {
    /// Reads the byte.
    fn get(&self) -> u8;
    /// Writes the byte.
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
    /// The size of memory for two of the longest snapshots, with settings.
    pub const BYTES: usize = 2 * (HEADER_LEN + MAX_SNAPSHOT + MAX_SETTINGS);
}

impl<'a, C: RetainedByte> Retained<'a, C> {
    /// Uses this memory with its contents, one half for each slot.
    #[must_use]
    pub fn new(memory: &'a [C]) -> Self {
        // The compiler must not assume that the memory holds its declared initial value.
        let (one, other) = core::hint::black_box(memory).split_at(memory.len() / 2);
        Self { slots: [one, other], buffer: [0; MAX_SNAPSHOT] }
    }

    /// Returns the index of the newest complete slot and its sequence number.
    fn newest(&mut self) -> Option<(usize, u32)> {
        let [one, other] = [0, 1].map(|index| self.sequence_of(index));
        match (one, other) {
            (Some(one), Some(other)) if is_newer(other, one) => Some((1, other)),
            (Some(one), _) => Some((0, one)),
            (None, Some(other)) => Some((1, other)),
            (None, None) => None,
        }
    }

    /// Returns the sequence number of a slot; `None` if the slot is torn or damaged, or holds no snapshot.
    fn sequence_of(&mut self, index: usize) -> Option<u32> {
        let slot = *self.slots.get(index)?;
        let sequence = sequence_of(slot)?;
        self.copy(contents_of(slot)?.0).is_some_and(is_snapshot).then_some(sequence)
    }

    /// Returns the contents of the newest complete slot: its snapshot and its settings.
    fn newest_contents(&mut self) -> Option<(&'a [C], &'a [C])> {
        let (newest, _) = self.newest()?;
        contents_of(self.slots.get(newest)?)
    }

    /// Copies bytes out of a slot, unchecked; `None` if they are too many.
    fn copy(&mut self, bytes: &[C]) -> Option<&[u8]> {
        let copy = self.buffer.get_mut(..bytes.len())?;
        copy.iter_mut().zip(bytes).for_each(|(copy, byte)| *copy = byte.get());
        Some(copy)
    }
}

impl<C: RetainedByte> Storage for Retained<'_, C> {
    type Error = TooLongError;

    const MAX_STALENESS: Duration = Duration::from_mins(1);
    const MIN_INTERVAL: Duration = Duration::ZERO;
    const BUDGET: WriteBudget = WriteBudget::UNLIMITED;

    fn load(&mut self) -> Result<Option<&[u8]>, TooLongError> {
        let newest = self.newest_contents();
        Ok(newest.and_then(|(snapshot, _)| self.copy(snapshot)))
    }

    fn load_settings(&mut self) -> Result<Option<&[u8]>, TooLongError> {
        let newest = self.newest_contents();
        Ok(newest.and_then(|(_, settings)| self.copy(settings)))
    }

    fn store(&mut self, snapshot: &[u8], settings: &[u8]) -> Result<(), TooLongError> {
        let (older, sequence) = match self.newest() {
            Some((newest, sequence)) => (1 - newest, sequence.wrapping_add(1)),
            None => (0, 0),
        };
        let slot = self.slots.get(older).ok_or(TooLongError)?;
        let end = HEADER_LEN + snapshot.len() + settings.len();
        let (Some(mark), Some(cells)) = (slot.first(), slot.get(CHECKSUM..end)) else { return Err(TooLongError) };
        let length = u16::try_from(snapshot.len()).map_err(|_| TooLongError)?;
        let settings_length = u8::try_from(settings.len()).map_err(|_| TooLongError)?;
        let (sequence, length) = (sequence.to_le_bytes(), length.to_le_bytes());
        let stored = || snapshot.iter().chain(settings).copied();
        let content = || sequence.into_iter().chain(length).chain([settings_length]).chain(stored());
        let checksum = checksum(content()).to_le_bytes();
        mark.set(TORN);
        for (cell, byte) in cells.iter().zip(checksum.into_iter().chain(content())) {
            cell.set(byte);
        }
        mark.set(COMPLETE);
        Ok(())
    }

    fn erase(&mut self) -> Result<bool, TooLongError> {
        let mut is_blank = true;
        for cell in self.slots.into_iter().flatten() {
            is_blank &= cell.get() == 0;
            cell.set(0);
        }
        Ok(!is_blank)
    }
}

/// Returns the sequence number of a slot; `None` if the slot is torn or damaged.
fn sequence_of<C: RetainedByte>(slot: &[C]) -> Option<u32> {
    let (snapshot, settings) = contents_of(slot)?;
    let end = HEADER_LEN + snapshot.len() + settings.len();
    let content = slot.get(SEQUENCE..end)?.iter().map(|byte| byte.get());
    let is_complete = slot.first()?.get() == COMPLETE && checksum(content) == u32::from_le_bytes(read(slot, CHECKSUM)?);
    is_complete.then_some(u32::from_le_bytes(read(slot, SEQUENCE)?))
}

/// Returns the bytes of a slot's snapshot and of its settings, unchecked; `None` if their lengths are impossible.
fn contents_of<C: RetainedByte>(slot: &[C]) -> Option<(&[C], &[C])> {
    let length = u16::from_le_bytes(read(slot, LENGTH)?);
    let [settings_length] = read(slot, SETTINGS_LENGTH)?;
    let (snapshot, rest) = slot.get(HEADER_LEN..)?.split_at_checked(length.into())?;
    Some((snapshot, rest.get(..settings_length.into())?))
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
