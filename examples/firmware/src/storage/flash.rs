//! Storage in flash.

use super::flash_half::FlashHalf;
use super::{MAX_SNAPSHOT, Storage, WriteBudget, is_newer, is_snapshot};
use core::ops::Range;
use embedded_storage_async::nor_flash::NorFlash;
use presence_core::Duration;
use sequential_storage::Error;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapConfigError, MapStorage, SerializationError, Value};

/// The only key of the map.
const KEY: u8 = 1;

/// The length of a sequence number in bytes.
const NUMBER_LEN: usize = size_of::<u32>();

/// The length of a key, a sequence number and the longest snapshot, rounded up to whole words of any size.
const BUFFER_LEN: usize = (1 + NUMBER_LEN + MAX_SNAPSHOT).next_multiple_of(32);

type Map<F> = MapStorage<u8, FlashHalf<F>, Cache<Uncached, Uncached, Uncached, u8>>;

/// A range of flash that holds the newest snapshot, in two halves that are written alternately.
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
/// On a board without an executor the driver's futures are ready at once. `embassy-embedded-hal` makes such a driver of a
/// blocking one.
pub struct Flash<F: NorFlash> {
    map: Map<F>,
    buffer: Buffer,
}

/// A buffer aligned to words, as some flash controllers need it.
#[repr(align(4))]
struct Buffer([u8; BUFFER_LEN]);

/// A snapshot with its sequence number.
#[derive(PartialEq)]
struct NumberedSnapshot<'a> {
    number: u32,
    snapshot: &'a [u8],
}

impl<'a> Value<'a> for NumberedSnapshot<'a> {
    fn serialize_into(&self, buffer: &mut [u8]) -> Result<usize, SerializationError> {
        let (number, rest) = buffer.split_first_chunk_mut().ok_or(SerializationError::BufferTooSmall)?;
        *number = self.number.to_le_bytes();
        Ok(NUMBER_LEN + self.snapshot.serialize_into(rest)?)
    }

    fn deserialize_from(buffer: &'a [u8]) -> Result<(Self, usize), SerializationError> {
        let (number, snapshot) = buffer.split_first_chunk().ok_or(SerializationError::InvalidFormat)?;
        Ok((Self { number: u32::from_le_bytes(*number), snapshot }, buffer.len()))
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
        Ok(self.read(is_second).await?.map(|found| found.snapshot))
    }

    /// Writes a snapshot, as [`Storage::store`] does.
    ///
    /// A half is erased first if it holds something else, such as the data of another program, or if the snapshot cannot be
    /// read back from it.
    ///
    /// # Errors
    ///
    /// The flash's own. The snapshot before is still there.
    pub async fn store_async(&mut self, snapshot: &[u8]) -> Result<(), Error<F::Error>> {
        let (number, is_second) = match self.newest().await? {
            Some((number, is_second)) => (number.wrapping_add(1), !is_second),
            None => (0, false),
        };
        let item = NumberedSnapshot { number, snapshot };
        match self.write(is_second, &item).await {
            Ok(()) => return Ok(()),
            Err(error @ (Error::Storage { .. } | Error::ItemTooBig)) => return Err(error),
            Err(_) => {}
        }
        self.map.erase_all().await?;
        self.write(is_second, &item).await
    }

    /// Returns the sequence number of the newest snapshot, and whether it is in the second half.
    async fn newest(&mut self) -> Result<Option<(u32, bool)>, Error<F::Error>> {
        let first = self.read(false).await?.map(|found| found.number);
        let second = self.read(true).await?.map(|found| found.number);
        Ok(match (first, second) {
            (Some(first), Some(second)) if is_newer(second, first) => Some((second, true)),
            (Some(first), _) => Some((first, false)),
            (None, second) => second.map(|second| (second, true)),
        })
    }

    /// Returns the snapshot in a half; `None` if the half holds something else.
    async fn read(&mut self, is_second: bool) -> Result<Option<NumberedSnapshot<'_>>, Error<F::Error>> {
        self.map.flash().select(is_second);
        match self.map.fetch_item(&mut self.buffer.0, &KEY).await {
            Err(error @ Error::Storage { .. }) => Err(error),
            found => Ok(found.unwrap_or_default().filter(|found: &NumberedSnapshot<'_>| is_snapshot(found.snapshot))),
        }
    }

    /// Appends to a half and reads the item back, because data of another program may look like an empty page.
    async fn write(&mut self, is_second: bool, item: &NumberedSnapshot<'_>) -> Result<(), Error<F::Error>> {
        self.map.flash().select(is_second);
        self.map.store_item(&mut self.buffer.0, &KEY, item).await?;
        if self.read(is_second).await?.as_ref() == Some(item) { Ok(()) } else { Err(Error::Corrupted {}) }
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
    const BUDGET: WriteBudget = WriteBudget { burst: 32, interval: Duration::from_mins(15) };

    fn load(&mut self) -> Result<Option<&[u8]>, Self::Error> {
        embassy_futures::block_on(self.load_async())
    }

    fn store(&mut self, snapshot: &[u8]) -> Result<(), Self::Error> {
        embassy_futures::block_on(self.store_async(snapshot))
    }
}

impl<F: NorFlash> core::fmt::Debug for Flash<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Flash").field("half", &self.map.flash_range()).finish_non_exhaustive()
    }
}
