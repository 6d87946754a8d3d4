//! Simulated flash and retained memory whose power can be cut, and snapshots to store in them.

use core::cell::Cell;
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use firmware::storage::RetainedByte;
use sequential_storage::cache::Cache;
use sequential_storage::map::{MapConfig, MapStorage};
use std::rc::Rc;

/// A supply of power for a number of bytes, or for ever; and a source of pseudo-random numbers.
#[derive(Clone, Default)]
pub(crate) struct Power {
    left: Rc<Cell<Option<usize>>>,
    pub(crate) used: Rc<Cell<usize>>,
    pub(crate) seed: Rc<Cell<u64>>,
    ran_out: Rc<Cell<bool>>,
    /// The number of reads, writes and erasures that succeed before all fail although there is power; `None` for all of them.
    pub(crate) works_for: Rc<Cell<Option<usize>>>,
    /// The number of writes before one that is reported, but not made; `None` if there is none, or none any more.
    pub(crate) loses: Rc<Cell<Option<usize>>>,
}

impl Power {
    pub(crate) fn cut_after(&self, bytes: Option<usize>) {
        self.left.set(bytes);
        self.used.set(0);
        self.ran_out.set(false);
    }

    /// Reports whether there was too little since [`cut_after`](Self::cut_after): nothing else excuses an error.
    pub(crate) fn ran_out(&self) -> bool {
        self.ran_out.get()
    }

    /// Counts an access to the medium, and fails if it does not work any more.
    fn access(&self) -> Result<(), PowerLoss> {
        match self.works_for.get() {
            None => Ok(()),
            Some(0) => Err(PowerLoss),
            Some(left) => {
                self.works_for.set(Some(left - 1));
                Ok(())
            }
        }
    }

    /// Counts a write, and reports whether it is the one that is not made.
    fn loses(&self) -> bool {
        let before = self.loses.get();
        self.loses.set(before.and_then(|before| before.checked_sub(1)));
        before == Some(0)
    }

    /// Uses power for one byte, and reports whether there was some left.
    fn consume(&self) -> bool {
        self.used.set(self.used.get() + 1);
        match self.left.get() {
            None => true,
            Some(0) => {
                self.ran_out.set(true);
                false
            }
            Some(left) => {
                self.left.set(Some(left - 1));
                true
            }
        }
    }

    /// Returns the next number of a xorshift generator.
    pub(crate) fn random(&self) -> u8 {
        let mut seed = self.seed.get() | 1;
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        self.seed.set(seed);
        (seed >> 32) as u8
    }
}

/// The contents of a word or page whose write or erasure the power cut interrupted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Torn {
    /// Some of the bits to be cleared are cleared, as in real flash.
    SomeBits,
    /// Anything, as the trait allows.
    Anything,
}

/// Flash that clears bits by words and sets them by pages.
#[derive(Clone)]
pub(crate) struct Nor<const WORD: usize, const PAGE: usize> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) power: Power,
    torn: Torn,
    /// How often each page was erased.
    pub(crate) erasures: Vec<u32>,
}

/// The error of a medium without power, or that does not work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PowerLoss;

impl NorFlashError for PowerLoss {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const WORD: usize, const PAGE: usize> Nor<WORD, PAGE> {
    pub(crate) fn new(pages: usize, torn: Torn) -> Self {
        Self { bytes: vec![0xFF; pages * PAGE], power: Power::default(), torn, erasures: vec![0; pages] }
    }

    /// Stores an item in one of two halves, as the firmware's storage does, but of any content.
    pub(crate) fn store_item(&mut self, is_second: bool, number: u32, content: &[u8]) {
        let half = (self.bytes.len() / PAGE / 2 * PAGE) as u32;
        let range = if is_second { half..2 * half } else { 0..half };
        let config = MapConfig::<Self>::try_new(range).expect("whole pages");
        let mut map = MapStorage::<u8, _, _>::new(self.clone(), config, Cache::new_uncached());
        let item = [&number.to_le_bytes(), content].concat();
        let mut buffer = [0; 1024];
        embassy_futures::block_on(map.store_item(&mut buffer, &1, &item.as_slice())).expect("there is power");
        self.bytes.clone_from(&map.flash().bytes);
    }

    /// Writes byte by byte while there is power, and tears the word in which it ends.
    fn change(&mut self, from: usize, new: impl Iterator<Item = u8>) -> Result<(), PowerLoss> {
        for (offset, new) in new.enumerate() {
            let at = from + offset;
            if self.power.consume() {
                self.bytes[at] = new;
                continue;
            }
            let old = self.bytes[at];
            for byte in &mut self.bytes[at..at / WORD * WORD + WORD] {
                *byte = match self.torn {
                    Torn::SomeBits => old & (new | self.power.random()),
                    Torn::Anything => self.power.random(),
                };
            }
            return Err(PowerLoss);
        }
        Ok(())
    }
}

impl<const WORD: usize, const PAGE: usize> ErrorType for Nor<WORD, PAGE> {
    type Error = PowerLoss;
}

impl<const WORD: usize, const PAGE: usize> ReadNorFlash for Nor<WORD, PAGE> {
    const READ_SIZE: usize = WORD;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), PowerLoss> {
        assert_eq!((offset as usize % WORD, bytes.len() % WORD), (0, 0), "whole words");
        self.power.access()?;
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const WORD: usize, const PAGE: usize> NorFlash for Nor<WORD, PAGE> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), PowerLoss> {
        assert_eq!((from as usize % PAGE, to as usize % PAGE), (0, 0), "whole pages");
        self.power.access()?;
        self.erasures[from as usize / PAGE..to as usize / PAGE].iter_mut().for_each(|count| *count += 1);
        let erased = self.change(from as usize, (from..to).map(|_| 0xFF));
        if erased.is_err() && self.torn == Torn::Anything {
            let power = self.power.clone();
            self.bytes[from as usize..to as usize].iter_mut().for_each(|byte| *byte = power.random());
        }
        erased
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), PowerLoss> {
        assert_eq!((offset as usize % WORD, bytes.len() % WORD), (0, 0), "whole words");
        self.power.access()?;
        if self.power.loses() {
            return Ok(());
        }
        let old = self.bytes[offset as usize..][..bytes.len()].to_vec();
        self.change(offset as usize, old.iter().zip(bytes).map(|(old, new)| old & new))
    }
}

/// A byte of retained memory that is written only while there is power.
pub(crate) struct Byte {
    pub(crate) value: Cell<u8>,
    power: Power,
}

impl RetainedByte for Byte {
    fn get(&self) -> u8 {
        self.value.get()
    }

    fn set(&self, byte: u8) {
        if self.power.consume() {
            self.value.set(byte);
        }
    }
}

pub(crate) fn memory(contents: impl Iterator<Item = u8>, power: &Power) -> Vec<Byte> {
    contents.map(|byte| Byte { value: Cell::new(byte), power: power.clone() }).collect()
}

/// The shortest snapshot that [`seal`] makes.
pub(crate) const MIN_SNAPSHOT: usize = 1 + size_of::<u32>();

/// Makes a snapshot of newer firmware of these bytes, of which the firmware can read nothing but that it is one: the first byte
/// becomes one of its format versions, and the last four the checksum.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().max(MIN_SNAPSHOT), 0);
    bytes[0] = 2 + bytes[0] % 250;
    let content = bytes.len() - size_of::<u32>();
    let checksum = checksum(&bytes[..content]);
    bytes[content..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// Returns the CRC-32C that ends a snapshot of any format version.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (0x82F6_3B78 * (crc & 1))))
}
