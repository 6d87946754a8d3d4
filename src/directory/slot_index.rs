//! The index of a slot, as a type of its own.

/// The index of a slot in a directory's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct SlotIndex(u32);

impl SlotIndex {
    /// The index of no slot. A directory has 2³¹ slots at the most.
    pub(super) const NONE: Self = Self(u32::MAX);

    /// The most slots that a directory has.
    #[cfg(feature = "alloc")]
    pub(super) const MAX_SLOTS: u32 = 1 << 31;

    #[inline]
    pub(super) const fn new(index: u32) -> Self {
        Self(index)
    }

    #[inline]
    pub(super) const fn get(self) -> u32 {
        self.0
    }

    /// Returns the index into an array that has one element a slot.
    #[inline]
    pub(super) const fn as_usize(self) -> usize {
        self.0 as usize
    }
}
