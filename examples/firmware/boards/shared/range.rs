//! Bounds of the flash that a driver may touch.

use core::ops::Range;
use embedded_storage_async::nor_flash::NorFlashErrorKind;

/// Returns the addresses of `length` bytes from an offset into an area.
///
/// # Errors
///
/// [`NorFlashErrorKind`] if they do not begin and end at multiples of `align`, or reach beyond the area.
pub(crate) fn addresses(
    area: Range<usize>,
    offset: u32,
    length: usize,
    align: usize,
) -> Result<Range<usize>, NorFlashErrorKind> {
    let offset = offset as usize;
    if !offset.is_multiple_of(align) || !length.is_multiple_of(align) {
        return Err(NorFlashErrorKind::NotAligned);
    }
    match offset.checked_add(length) {
        Some(end) if end <= area.len() => Ok(area.start + offset..area.start + end),
        _ => Err(NorFlashErrorKind::OutOfBounds),
    }
}
