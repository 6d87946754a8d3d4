//! Flash that an application may write to.

use super::flash_half::FlashHalf;
use super::{MAX_SNAPSHOT, Storage};
use core::ops::Range;
use embedded_storage_async::nor_flash::NorFlash;
use presence_core::Duration;
use sequential_storage::Error;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapConfigError, MapStorage, SerializationError, Value};

/// The only key.
const KEY: u8 = 1;

/// The bytes of a sequence number.
const NUMBER_LEN: usize = size_of::<u32>();

/// A key, a sequence number and the longest snapshot, in whole words of whatever length there is.
const BUFFER_LEN: usize = (1 + NUMBER_LEN + MAX_SNAPSHOT).next_multiple_of(32);

type Map<F> = MapStorage<u8, FlashHalf<F>, Cache<Uncached, Uncached, Uncached, u8>>;

/// A range of flash that holds the newest snapshot, in two halves that are written in turn. In each of them, snapshots are
/// appended, page after page in a circle, so that all pages wear alike: with half-hourly writes of 240 bytes, eight pages of a
/// kilobyte that bear 20,000 erasures last 27 years.
///
/// The half that holds the newest snapshot is left alone until what was written to the other one has been read back from it,
/// while that is repaired or, if it turns out to hold something else, erased. So what was stored is found again, it or what came
/// after it, however often the power is cut, whatever that leaves behind and whatever the flash held before.
///
/// On a board without an executor the driver's futures are ready at once; `embassy-embedded-hal` makes such a driver of a
/// blocking one.
pub struct Flash<F: NorFlash> {
    map: Map<F>,
    buffer: Buffer,
}

/// Some flash controllers read whole words of memory.
#[repr(align(4))]
struct Buffer([u8; BUFFER_LEN]);

/// A snapshot and its place in the sequence of all that were stored.
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
    /// These pages of this flash, four at least; of an odd number the last stays unused. A page has room for the longest
    /// snapshot and some forty bytes more.
    ///
    /// # Errors
    ///
    /// [`MapConfigError`] when the range does not begin and end at a page, or is too short.
    pub fn new(flash: F, range: Range<u32>) -> Result<Self, MapConfigError> {
        let (start, pages) = (range.start, range.len() / F::ERASE_SIZE);
        // Of the whole, this only checks that it is pages.
        MapConfig::<F>::try_new(range)?;
        let half = FlashHalf::new(flash, start, pages as u32 / 2);
        let config = MapConfig::try_new(half.range())?;
        Ok(Self { map: MapStorage::new(half, config, Cache::new_uncached()), buffer: Buffer([0; BUFFER_LEN]) })
    }

    /// [`Storage::load`] in an executor. Nothing, too, in flash that holds something else.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn load_async(&mut self) -> Result<Option<&[u8]>, Error<F::Error>> {
        let Some((_, is_second)) = self.newest().await? else { return Ok(None) };
        Ok(self.read(is_second).await?.map(|found| found.snapshot))
    }

    /// [`Storage::store`] in an executor. A half that holds something else, as it does when the device was another one before,
    /// or from which what was written is not read back, is erased first.
    ///
    /// # Errors
    ///
    /// As there. Then the snapshot before is still there.
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

    /// The number of the newest snapshot, and the half that it is in.
    async fn newest(&mut self) -> Result<Option<(u32, bool)>, Error<F::Error>> {
        let mut newest = None;
        for is_second in [false, true] {
            let found = self.read(is_second).await?;
            newest = newest.max(found.map(|found| (found.number, is_second)));
        }
        Ok(newest)
    }

    /// What this half holds; nothing if it is something else.
    async fn read(&mut self, is_second: bool) -> Result<Option<NumberedSnapshot<'_>>, Error<F::Error>> {
        self.map.flash().select(is_second);
        match self.map.fetch_item(&mut self.buffer.0, &KEY).await {
            Err(error @ Error::Storage { .. }) => Err(error),
            found => Ok(found.unwrap_or_default()),
        }
    }

    /// Appends to this half, and reads it back: what another program left behind may pass for an empty page.
    async fn write(&mut self, is_second: bool, item: &NumberedSnapshot<'_>) -> Result<(), Error<F::Error>> {
        self.map.flash().select(is_second);
        self.map.store_item(&mut self.buffer.0, &KEY, item).await?;
        if self.read(is_second).await?.as_ref() == Some(item) { Ok(()) } else { Err(Error::Corrupted {}) }
    }

    /// The flash.
    pub const fn flash(&mut self) -> &mut F {
        &mut self.map.flash().flash
    }
}

impl<F: NorFlash> Storage for Flash<F> {
    type Error = Error<F::Error>;

    const MAX_STALENESS: Duration = Duration::from_mins(30);
    const MIN_INTERVAL: Duration = Duration::from_secs(10);

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
