//! Senders: their settings, and bytes that wait until there is room.

use super::losses::Shared;
use super::models::{Cmsdk, Kind, Nrf, Ns16550, Pl011, Uart};
use super::{cmsdk_uart, nrf_uart, ns16550, pl011};
use embedded_io::Write;
use firmware::Inbox;

static INBOX: Inbox = Inbox::new();

/// Sends every byte, to a UART that is ready at once or after a while, and checks what was set before.
fn sends<'a, K: Kind + 'a, W: Write>(uart: &'a Uart<K>, mut serial: W, settings: &[(usize, u32)]) {
    assert_eq!(*uart.settings.borrow(), settings);
    let all: Vec<u8> = (0..=u8::MAX).collect();
    serial.write_all(&all).unwrap();
    serial.flush().unwrap();
    serial.write_all(b"").unwrap();
    assert_eq!(*uart.sent.borrow(), all);
    assert_eq!(uart.settings.borrow().len(), settings.len(), "nothing else is set");
}

#[test]
fn pl011_sends_at_its_rate() {
    // 12.5 MHz by 16 by 115,200 is 6 and 50 64ths; 8 bits with queues; both receive interrupts; sender, receiver, on.
    let settings = [(0x30, 0), (0x24, 6), (0x28, 50), (0x2C, 0x70), (0x38, 0x50), (0x30, 0x301)];
    for is_slow in [false, true] {
        let uart = Uart::<Pl011>::new(is_slow);
        sends(&uart, pl011::Serial::open(Shared(&uart), 12_500_000, 115_200), &settings);
    }
}

#[test]
fn ns16550_sends() {
    for is_slow in [false, true] {
        let uart = Uart::<Ns16550>::new(is_slow);
        // 8 bits, queues that are emptied, the receive interrupt.
        sends(&uart, ns16550::Serial::open(Shared(&uart), &INBOX), &[(3, 3), (2, 7), (1, 1)]);
    }
}

#[test]
fn cmsdk_uart_sends_at_its_rate() {
    for is_slow in [false, true] {
        let uart = Uart::<Cmsdk>::new(is_slow);
        // 25 MHz by 115,200; sender, receiver, the receive interrupt.
        let serial = cmsdk_uart::Serial::open(Shared(&uart), 25_000_000, 115_200);
        sends(&uart, serial, &[(0x10, 217), (0x08, 0b1011)]);
    }
}

#[test]
fn nrf_uart_sends_at_its_rate() {
    // Both pins, 115,200 baud, on; the receive interrupt; sender and receiver.
    let settings =
        [(0x50C, 24), (0x514, 25), (0x524, 0x01D7_E000), (0x500, 4), (0x304, 1 << 2), (0x008, 1), (0x000, 1)];
    for is_slow in [false, true] {
        let uart = Uart::<Nrf>::new(is_slow);
        sends(&uart, nrf_uart::Serial::open(Shared(&uart), 24, 25), &settings);
    }
}
