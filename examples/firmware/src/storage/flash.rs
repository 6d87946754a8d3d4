//! Storage in flash.

use super::flash_half::FlashHalf;
use super::{MAX_SETTINGS, MAX_SNAPSHOT, Storage, WriteBudget, is_newer, is_snapshot};
use core::ops::Range;
use embedded_storage_async::nor_flash::{NorFlash, ReadNorFlash};
use presence_core::Duration;
use sequential_storage::Error;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapConfigError, MapStorage, SerializationError, Value};

// The keys of the map.
const SNAPSHOT: u8 = 1;
const SETTINGS: u8 = 2;

/// The length of a sequence number in bytes.
const NUMBER_LEN: usize = size_of::<u32>();

/// The length of a key, a sequence number and the longest snapshot, rounded up to whole words of any size.
const BUFFER_LEN: usize = (1 + NUMBER_LEN + MAX_SNAPSHOT).next_multiple_of(32);
const _: () = assert!(MAX_SETTINGS <= MAX_SNAPSHOT, "settings fit into the same buffer");

/// A byte of an erased page.
const BLANK: u8 = 0xFF;

type Map<F> = MapStorage<u8, FlashHalf<F>, Cache<Uncached, Uncached, Uncached, u8>>;

/// A range of flash that holds the newest snapshot and the settings, in two halves that are written alternately.
///
/// Each half is a log of snapshots in a ring of pages that are erased in turn, so that its pages wear equally. A page of a
/// kilobyte holds three of 240 bytes, which eight sessions do not reach, and bears 20,000 erasures: eight pages bear 480,000
/// writes. With a write every half hour they last 27 years, and 13 with all writes of the [budget](Storage::BUDGET), which a host
/// that never stops takes. Shorter snapshots wear less, in one half more than in the other if long and short ones alternate. A loss
/// of power during a write costs up to one erasure more.
///
/// The half with the newest snapshot stays untouched until the next snapshot was read back from the other half. If the other
/// half is damaged, it is repaired or erased meanwhile. So after any number of power cuts, whatever they leave behind and
/// whatever the flash held before, the latest complete snapshot or a newer one is loaded. A half that holds no snapshot, but
/// something else of the same form, counts as empty.
///
/// Settings are an item of their own in each half, which is written before a snapshot if it differs. So they cost nothing while
/// they stay the same, and the settings that count are those beside the newest snapshot.
///
/// On a board without an executor the driver's futures are ready at once. `embassy-embedded-hal` makes such a driver of a
/// blocking one.
pub struct Flash<F: NorFlash> {
    map: Map<F>,
    buffer: Buffer,
}

/// A buffer aligned to words, as some flash controllers need it.
#[repr(align(4))]
struct Buffer([u8; BUFFER_LEN]);

/// A snapshot with its sequence number, or settings with none: one type for both, because another one takes kilobytes.
#[derive(PartialEq)]
struct Item<'a> {
    number: u32,
    bytes: &'a [u8],
}

impl<'a> Value<'a> for Item<'a> {
    fn serialize_into(&self, buffer: &mut [u8]) -> Result<usize, SerializationError> {
        let (number, rest) = buffer.split_first_chunk_mut().ok_or(SerializationError::BufferTooSmall)?;
        *number = self.number.to_le_bytes();
        Ok(NUMBER_LEN + self.bytes.serialize_into(rest)?)
    }

    fn deserialize_from(buffer: &'a [u8]) -> Result<(Self, usize), SerializationError> {
        let (number, bytes) = buffer.split_first_chunk().ok_or(SerializationError::InvalidFormat)?;
        Ok((Self { number: u32::from_le_bytes(*number), bytes }, buffer.len()))
    }
}

impl<F: NorFlash> Flash<F> {
    /// Uses a range of at least four pages. Of an odd number the last stays unused.
    ///
    /// A page must hold the longest snapshot and some forty bytes more.
    ///
    /// # Errors
    ///
    /// [`MapConfigError`] if the range does not begin and end at a page, or is too short.
    pub fn new(flash: F, range: Range<u32>) -> Result<Self, MapConfigError> {
        let (start, pages) = (range.start, range.len() / F::ERASE_SIZE);
        // The configuration of the whole range serves as a check of its bounds only.
        MapConfig::<F>::try_new(range)?;
        let half = FlashHalf::new(flash, start, pages as u32 / 2);
        let config = MapConfig::try_new(half.range())?;
        Ok(Self { map: MapStorage::new(half, config, Cache::new_uncached()), buffer: Buffer([0; BUFFER_LEN]) })
    }

    /// Returns the newest snapshot, as [`Storage::load`] does. `None`, too, if the flash holds something else.
    ///
    /// # Errors
    ///
    /// The flash's own.
    pub async fn load_async(&mut self) -> Result<Option<&[u8]>, Error<F::Error>> {
        let Some((_, is_second)) = self.newest().await? else { return Ok(None) };
        Ok(self.read(is_second, SNAPSHOT).await?.map(|found| found.bytes))
    }

    /// Returns the settings beside the newest snapshot, as [`Storage::load_settings`] does.
    ///
    /// # Errors
    ///
    /// The flash's own.
    pub async fn load_settings_async(&mut self) -> Result<Option<&[u8]>, Error<F::Error>> {
        let Some((_, is_second)) = self.newest().await? else { return Ok(None) };
        Ok(self.read(is_second, SETTINGS).await?.map(|found| found.bytes))
    }

    /// Writes a snapshot and settings, as [`Storage::store`] does.
    ///
    /// A half is erased first if it holds something else, such as the data of another program, or if the snapshot cannot be
    /// read back from it.
    ///
    /// # Errors
    ///
    /// The flash's own. The snapshot before is still there.
    pub async fn store_async(&mut self, snapshot: &[u8], settings: &[u8]) -> Result<(), Error<F::Error>> {
        let (number, is_second) = match self.newest().await? {
            Some((number, is_second)) => (number.wrapping_add(1), !is_second),
            None => (0, false),
        };
        let snapshot = Item { number, bytes: snapshot };
        match self.write(is_second, &snapshot, settings).await {
            Ok(()) => return Ok(()),
            Err(error @ (Error::Storage { .. } | Error::ItemTooBig)) => return Err(error),
            Err(_) => {}
        }
        self.map.erase_all().await?;
        self.write(is_second, &snapshot, settings).await
    }

    /// Erases every page that is not blank, as [`Storage::erase`] does: first the half without the newest snapshot.
    ///
    /// # Errors
    ///
    /// The flash's own; [`Error::Corrupted`] if a page is not blank afterwards.
    pub async fn erase_async(&mut self) -> Result<bool, Error<F::Error>> {
        let newest_is_second = self.newest().await?.is_some_and(|(_, is_second)| is_second);
        let mut has_erased = false;
        for is_second in [!newest_is_second, newest_is_second] {
            self.map.flash().select(is_second);
            for start in self.map.flash_range().step_by(F::ERASE_SIZE) {
                if self.is_blank(start).await? {
                    continue;
                }
                has_erased = true;
                self.map.flash().erase(start, start + F::ERASE_SIZE as u32).await.map_err(storage_error)?;
                if !self.is_blank(start).await? {
                    return Err(Error::Corrupted {});
                }
            }
        }
        Ok(has_erased)
    }

    /// Reports whether a page of the selected half is blank.
    async fn is_blank(&mut self, start: u32) -> Result<bool, Error<F::Error>> {
        let mut rest = start..start + F::ERASE_SIZE as u32;
        while !rest.is_empty() {
            let length = rest.len().min(BUFFER_LEN);
            let Some(bytes) = self.buffer.0.get_mut(..length) else { return Err(Error::BufferTooSmall(length)) };
            self.map.flash().read(rest.start, bytes).await.map_err(storage_error)?;
            if bytes.iter().any(|byte| *byte != BLANK) {
                return Ok(false);
            }
            rest.start += length as u32;
        }
        Ok(true)
    }

    /// Returns the sequence number of the newest snapshot, and whether it is in the second half.
    async fn newest(&mut self) -> Result<Option<(u32, bool)>, Error<F::Error>> {
        let first = self.read(false, SNAPSHOT).await?.map(|found| found.number);
        let second = self.read(true, SNAPSHOT).await?.map(|found| found.number);
        Ok(match (first, second) {
            (Some(first), Some(second)) if is_newer(second, first) => Some((second, true)),
            (Some(first), _) => Some((first, false)),
            (None, second) => second.map(|second| (second, true)),
        })
    }

    /// Returns the snapshot or the settings in a half; `None` if the half holds something else.
    async fn read(&mut self, is_second: bool, key: u8) -> Result<Option<Item<'_>>, Error<F::Error>> {
        self.map.flash().select(is_second);
        match self.map.fetch_item(&mut self.buffer.0, &key).await {
            Err(error @ Error::Storage { .. }) => Err(error),
            found => {
                Ok(found.unwrap_or_default().filter(|found: &Item<'_>| key == SETTINGS || is_snapshot(found.bytes)))
            }
        }
    }

    /// Writes to a half, and reads back, because data of another program may look like an empty page.
    async fn write(&mut self, is_second: bool, snapshot: &Item<'_>, settings: &[u8]) -> Result<(), Error<F::Error>> {
        if !self.holds_settings(is_second, settings).await? {
            self.map.store_item(&mut self.buffer.0, &SETTINGS, &Item { number: 0, bytes: settings }).await?;
        }
        self.map.flash().select(is_second);
        self.map.store_item(&mut self.buffer.0, &SNAPSHOT, snapshot).await?;
        let is_written = self.read(is_second, SNAPSHOT).await?.as_ref() == Some(snapshot)
            && self.holds_settings(is_second, settings).await?;
        if is_written { Ok(()) } else { Err(Error::Corrupted {}) }
    }

    /// Reports whether the settings in a half are these. None there are the same as empty ones.
    async fn holds_settings(&mut self, is_second: bool, settings: &[u8]) -> Result<bool, Error<F::Error>> {
        Ok(self.read(is_second, SETTINGS).await?.map_or(&[][..], |found| found.bytes) == settings)
    }

    /// Returns the flash driver.
    pub const fn flash(&mut self) -> &mut F {
        &mut self.map.flash().flash
    }
}

impl<F: NorFlash> Storage for Flash<F> {
    type Error = Error<F::Error>;

    const MAX_STALENESS: Duration = Duration::from_mins(30);
    const MIN_INTERVAL: Duration = Duration::from_secs(10);
    const BUDGET: WriteBudget = WriteBudget { burst: 32, erasure: 24, interval: Duration::from_mins(15) };

    fn load(&mut self) -> Result<Option<&[u8]>, Self::Error> {
        embassy_futures::block_on(self.load_async())
    }

    fn load_settings(&mut self) -> Result<Option<&[u8]>, Self::Error> {
        embassy_futures::block_on(self.load_settings_async())
    }

    fn store(&mut self, snapshot: &[u8], settings: &[u8]) -> Result<(), Self::Error> {
        embassy_futures::block_on(self.store_async(snapshot, settings))
    }

    fn erase(&mut self) -> Result<bool, Self::Error> {
        embassy_futures::block_on(self.erase_async())
    }
}

const fn storage_error<E>(value: E) -> Error<E> {
    Error::Storage { value }
}

impl<F: NorFlash> core::fmt::Debug for Flash<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Flash").field("half", &self.map.flash_range()).finish_non_exhaustive()
    }
}
