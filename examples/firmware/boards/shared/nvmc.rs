//! A driver for the last eight kilobytes of the nRF51's flash: pages of a kilobyte, words of four bytes.
//!
//! The support crate's driver assumes the larger pages of later chips, and would erase a quarter of each range only.
//!
//! The processor stops during a write, 46 µs per word, and during an erasure, 22 ms per page. About one write in four erases
//! a page; a line that arrives meanwhile loses bytes and is rejected.

use crate::range;
use core::ops::Range;
use core::ptr;
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use microbit::pac::NVMC;

const PAGE: usize = 1024;
const WORD: usize = 4;
const END: usize = 256 * PAGE;
const BEGIN: usize = END - Nvmc::LENGTH as usize;

pub(crate) struct Nvmc(NVMC);

impl Nvmc {
    pub(crate) const LENGTH: u32 = 8 * PAGE as u32;

    /// Takes the end of the flash. Returns `None` if the program reaches into it.
    pub(crate) fn new(controller: NVMC) -> Option<Self> {
        unsafe extern "C" {
            static __sidata: u8;
            static __sdata: u8;
            static __edata: u8;
        }
        // The initial values of variables are the last section in flash.
        let program_ends = (&raw const __sidata).addr() + (&raw const __edata).addr() - (&raw const __sdata).addr();
        (program_ends <= BEGIN).then_some(Self(controller))
    }

    fn wait(&self) {
        while !self.0.ready.read().ready().bit_is_set() {}
    }

    fn addresses(offset: u32, length: usize, align: usize) -> Result<Range<usize>, NorFlashErrorKind> {
        range::addresses(BEGIN..END, offset, length, align)
    }
}

impl ErrorType for Nvmc {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Nvmc {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let addresses = Self::addresses(offset, bytes.len(), Self::READ_SIZE)?;
        for (byte, address) in bytes.iter_mut().zip(addresses) {
            // SAFETY: within the reserved end of the flash.
            *byte = unsafe { ptr::with_exposed_provenance::<u8>(address).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        Self::LENGTH as usize
    }
}

impl NorFlash for Nvmc {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        let length = to.checked_sub(from).ok_or(NorFlashErrorKind::OutOfBounds)?;
        let addresses = Self::addresses(from, length as usize, PAGE)?;
        self.0.config.write(|w| w.wen().een());
        for page in addresses.step_by(PAGE) {
            // SAFETY: a page of the reserved end of the flash.
            self.0.erasepage().write(|w| unsafe { w.bits(page as u32) });
            self.wait();
        }
        self.0.config.write(|w| w.wen().ren());
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let addresses = Self::addresses(offset, bytes.len(), WORD)?;
        self.0.config.write(|w| w.wen().wen());
        for (word, address) in bytes.as_chunks().0.iter().zip(addresses.step_by(WORD)) {
            let target = ptr::with_exposed_provenance_mut::<u32>(address);
            // SAFETY: a word of the reserved end of the flash.
            unsafe { target.write_volatile(u32::from_le_bytes(*word)) };
            self.wait();
        }
        self.0.config.write(|w| w.wen().ren());
        Ok(())
    }
}
