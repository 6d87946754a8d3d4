//! Images that link the library and next to nothing else, to measure what it costs a small device.
//!
//! Each image is an entry, a `drive` and the probes it calls. A probe is one call as an application makes it, never
//! inlined, so that its instructions and its stack can be measured apart. Without the feature `scenario`, `drive` only links
//! every probe; with it, `drive` plays a scenario; with `every`, all inputs of small size.
#![no_std]
// What keeps functions and is not called keeps nothing.
#![cfg_attr(feature = "everything", deny(dead_code))]

#[cfg(all(feature = "batch", feature = "client"))]
pub mod calls;
#[cfg(feature = "details")]
pub mod details;
pub mod directory;
#[cfg(feature = "every")]
pub mod every;
#[cfg(feature = "everything")]
pub mod everything;
#[cfg(feature = "client")]
pub mod follow;
pub mod label;
#[cfg(feature = "lines")]
pub mod light;
pub mod machine;
pub mod stored;
pub mod wire;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Defines the entry of an image, which runs `drive` and ends the emulator, with success if that returned true.
#[macro_export]
macro_rules! image {
    ($drive:expr) => {
        #[cfg(target_arch = "arm")]
        use cortex_m_rt::entry;
        #[cfg(target_arch = "riscv32")]
        use riscv_rt::entry;

        #[inline(never)]
        fn drive() -> bool {
            $drive
        }

        #[entry]
        fn main() -> ! {
            let status = if drive() { 0 } else { 1 };
            semihosting::process::exit(status)
        }
    };
}
