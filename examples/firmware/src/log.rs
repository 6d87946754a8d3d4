//! Logging through defmt, or not at all without the feature.

#[cfg(feature = "defmt")]
macro_rules! info {
    ($($arg:tt)*) => { ::defmt::info!($($arg)*) };
}
#[cfg(feature = "defmt")]
macro_rules! warning {
    ($($arg:tt)*) => { ::defmt::warn!($($arg)*) };
}

#[cfg(not(feature = "defmt"))]
macro_rules! info {
    ($text:literal $(, $arg:expr)* $(,)?) => {{ $( let _ = &$arg; )* }};
}
#[cfg(not(feature = "defmt"))]
macro_rules! warning {
    ($text:literal $(, $arg:expr)* $(,)?) => {{ $( let _ = &$arg; )* }};
}

pub(crate) use {info, warning};

/// The tick of the latest iteration of the main loop, for the log's timestamps.
#[cfg(feature = "defmt")]
static TICK: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(crate::clock::FIRST_TICK);

// Milliseconds since the device was switched on.
#[cfg(feature = "defmt")]
defmt::timestamp!(
    "{=u32:tms}",
    TICK.load(core::sync::atomic::Ordering::Relaxed).wrapping_sub(crate::clock::FIRST_TICK)
);

/// Sets the time of the log. [`run`](crate::run) calls it by itself.
pub fn log_tick(tick: u32) {
    #[cfg(feature = "defmt")]
    TICK.store(tick, core::sync::atomic::Ordering::Relaxed);
    #[cfg(not(feature = "defmt"))]
    let _ = tick;
}
