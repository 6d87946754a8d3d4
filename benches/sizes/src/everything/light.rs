//! Presence as light.

use super::{defaults, hashes, keep, orders, values};
use presence_core::indicator::{Animation, Appearance, Palette, Pattern, Period, Rgb};

#[inline(always)]
pub fn keep() {
    keep!(Animation => acknowledge, frame, new, next_frame, set_dwell, show, shown, with_dwell);
    keep!(Appearance => frame_at, next_frame_in, solid);
    keep!(Palette => appearance, appearance_out_of_office, of, with);
    keep!(Pattern => level_at, next_frame_in, other_at);
    keep!(Period => as_millis, from_millis);
    keep!(Rgb => from_hex, gamma_corrected, luminance, new, pulses, scale, to_bytes);
    values!(Animation, Appearance, Palette, Pattern, Period, Rgb);
    orders!(Period);
    hashes!(Appearance, Palette, Pattern, Period, Rgb);
    defaults!(Animation, Palette, Rgb);
}
