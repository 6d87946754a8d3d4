//! The drivers of `boards/shared` against models of their peripherals.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

#[path = "../../boards/shared/cmsdk_uart.rs"]
mod cmsdk_uart;
#[path = "../../boards/shared/cmsdk_watchdog.rs"]
mod cmsdk_watchdog;
mod losses;
mod models;
#[path = "../../boards/shared/nrf_uart.rs"]
mod nrf_uart;
#[path = "../../boards/shared/nrf_watchdog.rs"]
mod nrf_watchdog;
#[path = "../../boards/shared/ns16550.rs"]
mod ns16550;
#[path = "../../boards/shared/pl011.rs"]
mod pl011;
#[path = "../../boards/shared/range.rs"]
mod range;
#[path = "../../boards/shared/registers.rs"]
mod registers;
mod senders;
mod watchdogs;

use embedded_storage_async::nor_flash::NorFlashErrorKind::{NotAligned, OutOfBounds};
use registers::{Mapped, Registers};

#[test]
fn registers_are_at_their_offsets() {
    let memory = [0x11_u8, 0x22, 0x33, 0x44].map(std::cell::Cell::new);
    // SAFETY: four registers of one byte, which nothing else uses meanwhile.
    let registers = unsafe { Mapped::<u8>::at(memory.as_ptr().expose_provenance()) };
    assert_eq!([0, 1, 3].map(|offset| registers.get(offset)), [0x11, 0x22, 0x44]);
    registers.set(2, 0x55);
    assert_eq!(memory.map(|byte| byte.get()), [0x11, 0x22, 0x55, 0x44]);
}

#[test]
fn flash_is_touched_within_its_area_and_in_whole_words() {
    let addresses = |offset, length, align| range::addresses(0x1000..0x1400, offset, length, align);
    assert_eq!(addresses(0, 0x400, 0x100), Ok(0x1000..0x1400));
    assert_eq!(addresses(0x300, 0x100, 0x100), Ok(0x1300..0x1400));
    assert_eq!(addresses(0x3FF, 1, 1), Ok(0x13FF..0x1400));
    assert_eq!(addresses(0x400, 0, 4), Ok(0x1400..0x1400));
    for (offset, length) in [(0, 0x404), (0x3FC, 8), (0x400, 4), (0x404, 0), (u32::MAX - 3, 4), (0, usize::MAX - 3)] {
        assert_eq!(addresses(offset, length, 4), Err(OutOfBounds), "{offset:#x}, {length:#x}");
    }
    for (offset, length) in [(2, 4), (4, 2), (1, 1), (0x402, 4)] {
        assert_eq!(addresses(offset, length, 4), Err(NotAligned), "{offset:#x}, {length:#x}");
    }
}
