//! A driver for the UART of ARM's Cortex-M System Design Kit, which holds one byte each way.

use crate::registers::Registers;
use core::convert::Infallible;
use firmware::Inbox;

// Offsets of registers.
const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
const CLEAR: usize = 0x0C;
const DIVISOR: usize = 0x10;

const TRANSMITS: u32 = 1;
const HAS_RECEIVED: u32 = 1 << 1;
/// A byte was lost because another one was not read in time. A one clears it.
const OVERRAN: u32 = 1 << 3;
/// The receive interrupt.
const RECEIVED: u32 = 1 << 1;

/// The sender of a UART.
pub(crate) struct Serial<R>(R);

impl<R: Registers<u32>> Serial<R> {
    /// Configures and enables a UART.
    pub(crate) fn open(uart: R, clock: u32, baud: u32) -> Self {
        uart.set(DIVISOR, clock / baud);
        // Enables the sender, the receiver and the receive interrupt.
        uart.set(CONTROL, 1 << 3 | 1 << 1 | 1);
        Self(uart)
    }
}

impl<R> embedded_io::ErrorType for Serial<R> {
    type Error = Infallible;
}

impl<R: Registers<u32>> embedded_io::Write for Serial<R> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            while self.0.get(STATE) & TRANSMITS != 0 {}
            self.0.set(DATA, (*byte).into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Moves every received byte to the inbox, in the interrupt handler.
pub(crate) fn receive(uart: &impl Registers<u32>, inbox: &Inbox) {
    uart.set(CLEAR, RECEIVED);
    inbox.push_all(false, || {
        if uart.get(STATE) & HAS_RECEIVED == 0 {
            return None;
        }
        // The byte first: until it is read, the next one may take its place.
        let byte = uart.get(DATA) as u8;
        let overran = uart.get(STATE) & OVERRAN != 0;
        if overran {
            uart.set(STATE, OVERRAN);
        }
        Some((byte, overran))
    });
}
