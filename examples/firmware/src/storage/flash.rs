//! Flash that an application may write to.

use super::{SNAPSHOT, Storage};
use core::ops::Range;
use embedded_storage_async::nor_flash::NorFlash;
use presence_core::Duration;
use sequential_storage::Error;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapConfigError, MapStorage};

/// The only key.
const NEWEST: u8 = 1;

/// A key and the longest snapshot, in whole words of whatever length there is.
const BUFFER: usize = (1 + SNAPSHOT).next_multiple_of(32);

type Map<F> = MapStorage<u8, F, Cache<Uncached, Uncached, Uncached, u8>>;

/// A range of flash that holds the newest snapshot. Snapshots are appended, page after page in a circle, so that all pages
/// wear alike: with half-hourly writes of 240 bytes, eight pages of a kilobyte that bear 20,000 erasures last 38 years.
///
/// On a board without an executor the driver's futures are ready at once; `embassy-embedded-hal` makes such a driver of a
/// blocking one.
pub struct Flash<F: NorFlash> {
    map: Map<F>,
    buffer: Buffer,
}

/// Some flash controllers read whole words of memory.
#[repr(align(4))]
struct Buffer([u8; BUFFER]);

impl<F: NorFlash> Flash<F> {
    /// These pages of this flash, two at least.
    ///
    /// # Errors
    ///
    /// [`MapConfigError`] when the range does not begin and end at a page, or is too short.
    pub fn new(flash: F, range: Range<u32>) -> Result<Self, MapConfigError> {
        let map = MapStorage::new(flash, MapConfig::try_new(range)?, Cache::new_uncached());
        Ok(Self { map, buffer: Buffer([0; BUFFER]) })
    }

    /// [`Storage::load`] in an executor. Nothing, too, in flash that holds something else.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn fetch(&mut self) -> Result<Option<&[u8]>, Error<F::Error>> {
        match self.map.fetch_item(&mut self.buffer.0, &NEWEST).await {
            Err(Error::Corrupted { .. }) => Ok(None),
            fetched => fetched,
        }
    }

    /// [`Storage::store`] in an executor. Flash that holds something else, as it does when the device was another one before,
    /// is erased first. What a cut leaves behind is none of that: it can be repaired. Only if a page that was being erased at
    /// a first cut comes out as nonsense, and a second cut falls into the erasure that follows, is nothing left; and while
    /// flash that held something else is taken over, a cut may cost what was stored until then. Nothing is ever misread.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn put(&mut self, snapshot: &[u8]) -> Result<(), Error<F::Error>> {
        let stored = self.map.store_item(&mut self.buffer.0, &NEWEST, &snapshot).await;
        if !matches!(stored, Err(Error::Corrupted { .. } | Error::FullStorage)) {
            return stored;
        }
        self.map.erase_all().await?;
        self.map.store_item(&mut self.buffer.0, &NEWEST, &snapshot).await
    }

    /// The flash.
    pub const fn flash(&mut self) -> &mut F {
        self.map.flash()
    }
}

impl<F: NorFlash> Storage for Flash<F> {
    type Error = Error<F::Error>;

    const SLACK: Duration = Duration::from_mins(30);
    const REST: Duration = Duration::from_secs(10);

    fn load(&mut self) -> Result<Option<&[u8]>, Self::Error> {
        embassy_futures::block_on(self.fetch())
    }

    fn store(&mut self, snapshot: &[u8]) -> Result<(), Self::Error> {
        embassy_futures::block_on(self.put(snapshot))
    }
}

impl<F: NorFlash> core::fmt::Debug for Flash<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Flash").field("range", &self.map.flash_range()).finish_non_exhaustive()
    }
}
