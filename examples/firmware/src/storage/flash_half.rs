//! One half of a range of flash, presented as a flash of its own.

use core::ops::Range;
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

/// A flash that consists of the selected half of a range.
pub(super) struct FlashHalf<F> {
    pub(super) flash: F,
    start: u32,
    length: u32,
    is_second: bool,
}

impl<F: NorFlash> FlashHalf<F> {
    /// Creates two halves of `pages` pages each from `start` on, and selects the first.
    pub(super) const fn new(flash: F, start: u32, pages: u32) -> Self {
        Self { flash, start, length: pages * F::ERASE_SIZE as u32, is_second: false }
    }

    /// Returns the addresses of a half, as its user sees them.
    pub(super) const fn range(&self) -> Range<u32> {
        0..self.length
    }

    pub(super) const fn select(&mut self, is_second: bool) {
        self.is_second = is_second;
    }

    const fn start(&self) -> u32 {
        if self.is_second { self.start + self.length } else { self.start }
    }
}

// The flash's own futures are returned: wrapping each in another takes 750 bytes of the micro:bit's flash.
impl<F: NorFlash> ErrorType for FlashHalf<F> {
    type Error = F::Error;
}

impl<F: NorFlash> ReadNorFlash for FlashHalf<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> impl Future<Output = Result<(), F::Error>> {
        self.flash.read(self.start() + offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.length as usize
    }
}

impl<F: NorFlash> NorFlash for FlashHalf<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> impl Future<Output = Result<(), F::Error>> {
        self.flash.erase(self.start() + from, self.start() + to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> impl Future<Output = Result<(), F::Error>> {
        self.flash.write(self.start() + offset, bytes)
    }
}
