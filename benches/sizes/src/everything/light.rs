//! Presence as light.

use super::{defaults, hashes, keep, orders, values};
use presence_core::indicator::{Appearance, Palette, Pattern, Period, Rgb};

#[inline(always)]
pub fn keep() {
    keep!(Appearance => frame_at, next_frame_in, solid);
    keep!(Palette => appearance, of, with);
    keep!(Pattern => level_at, next_frame_in, other_at);
    keep!(Period => as_millis, from_millis);
    keep!(Rgb => from_hex, gamma_corrected, luminance, new, scale, to_bytes);
    values!(Appearance, Palette, Pattern, Period, Rgb);
    orders!(Period);
    hashes!(Appearance, Palette, Pattern, Period, Rgb);
    defaults!(Palette, Rgb);
}
