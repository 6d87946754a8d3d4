//! Conversions from and to the clocks of `embassy-time` and `fugit`.

use super::keep;
use presence_core::{Duration, Instant};

/// Conversions of a rate whose tick lasts `$nom / $denom` seconds.
macro_rules! rate {
    ($nom:literal, $denom:literal) => {
        keep!(Instant as From<fugit::Instant<u64, $nom, $denom>> => from);
        keep!(fugit::Instant<u64, $nom, $denom> as From<Instant> => from);
        keep!(Duration as From<fugit::Duration<u64, $nom, $denom>> => from);
        keep!(fugit::Duration<u64, $nom, $denom> as From<Duration> => from);
        keep!(Duration as From<fugit::Duration<u32, $nom, $denom>> => from);
        keep!(fugit::Duration<u32, $nom, $denom> as From<Duration> => from);
    };
}

#[inline(always)]
pub fn keep() {
    keep!(Instant as From<embassy_time::Instant> => from);
    keep!(embassy_time::Instant as From<Instant> => from);
    keep!(Duration as From<embassy_time::Duration> => from);
    keep!(embassy_time::Duration as From<Duration> => from);
    rate!(1, 1_000_000);
    // 64 bits are not enough for these.
    rate!(4_294_967_291, 4_294_967_279);
}
