//! A driver for the UART of Nordic's nRF51.

use crate::registers::Registers;
use core::convert::Infallible;
use firmware::Inbox;

// Offsets of registers: tasks, which a one starts; events, which a zero resets; and the others.
const START_RECEIVER: usize = 0x000;
const START_SENDER: usize = 0x008;
const HAS_RECEIVED: usize = 0x108;
const HAS_SENT: usize = 0x11C;
const ENABLE_INTERRUPTS: usize = 0x304;
const ERRORS: usize = 0x480;
const ENABLE: usize = 0x500;
const SENDER_PIN: usize = 0x50C;
const RECEIVER_PIN: usize = 0x514;
const RECEIVED: usize = 0x518;
const SEND: usize = 0x51C;
const BAUD: usize = 0x524;

const BAUD_115200: u32 = 0x01D7_E000;
const ENABLED: u32 = 4;
/// The interrupt of [`HAS_RECEIVED`].
const ON_RECEIVED: u32 = 1 << 2;
/// A byte was lost because the queue was full. A one clears it.
const OVERRAN: u32 = 1;

/// The sender of the UART.
pub(crate) struct Serial<R>(R);

impl<R: Registers<u32>> Serial<R> {
    /// Configures and enables the UART at these pins, with 115,200 baud.
    pub(crate) fn open(uart: R, sender_pin: u32, receiver_pin: u32) -> Self {
        // Pins and speed before it is enabled, as the manual requires; everything else after, as the emulator requires.
        uart.set(SENDER_PIN, sender_pin);
        uart.set(RECEIVER_PIN, receiver_pin);
        uart.set(BAUD, BAUD_115200);
        uart.set(ENABLE, ENABLED);
        uart.set(ENABLE_INTERRUPTS, ON_RECEIVED);
        uart.set(START_SENDER, 1);
        uart.set(START_RECEIVER, 1);
        Self(uart)
    }
}

impl<R> embedded_io::ErrorType for Serial<R> {
    type Error = Infallible;
}

impl<R: Registers<u32>> embedded_io::Write for Serial<R> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            self.0.set(HAS_SENT, 0);
            self.0.set(SEND, (*byte).into());
            while self.0.get(HAS_SENT) == 0 {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Moves every received byte to the inbox, in the interrupt handler.
pub(crate) fn receive(uart: &impl Registers<u32>, inbox: &Inbox) {
    inbox.push_all(false, || {
        if uart.get(HAS_RECEIVED) == 0 {
            return None;
        }
        // The event first: the next byte sets it again as soon as this one is read.
        uart.set(HAS_RECEIVED, 0);
        let overran = uart.get(ERRORS) & OVERRAN != 0;
        if overran {
            uart.set(ERRORS, OVERRAN);
        }
        Some((uart.get(RECEIVED) as u8, overran))
    });
}
