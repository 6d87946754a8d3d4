//! The choice between speed and flash, made once for all.

/// Reports whether code that is quicker, and more, does what the code that is always there could do as well.
///
/// Where words are shorter than 64 bits, flash is scarce, and a directory small.
pub(super) const IS_FAST: bool = cfg!(target_pointer_width = "64");
