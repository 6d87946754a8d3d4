//! Access to the registers of a peripheral, so that drivers run against a model of it as well.

use core::marker::PhantomData;
use core::ptr;

/// The registers of a peripheral, by their offsets in bytes. A write may have effects, and so may a read.
pub(crate) trait Registers<T> {
    /// Reads a register.
    fn get(&self, offset: usize) -> T;
    /// Writes a register.
    fn set(&self, offset: usize, value: T);
}

/// Registers at an address.
#[derive(Clone, Copy)]
pub(crate) struct Mapped<T> {
    address: usize,
    width: PhantomData<T>,
}

impl<T> Mapped<T> {
    /// Uses the registers at an address.
    ///
    /// # Safety
    ///
    /// They must be there, as far as the driver reaches, and nothing else may use those that it uses.
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self { address, width: PhantomData }
    }

    fn register(&self, offset: usize) -> *mut T {
        ptr::with_exposed_provenance_mut(self.address + offset)
    }
}

impl<T> Registers<T> for Mapped<T> {
    fn get(&self, offset: usize) -> T {
        // SAFETY: the promise of who created it.
        unsafe { self.register(offset).read_volatile() }
    }

    fn set(&self, offset: usize, value: T) {
        // SAFETY: the same.
        unsafe { self.register(offset).write_volatile(value) }
    }
}
