//! A driver for ARM's PrimeCell UART, PL011.

use crate::registers::Registers;
use core::convert::Infallible;
use firmware::Inbox;

// Offsets of registers.
const DATA: usize = 0x00;
const FLAGS: usize = 0x18;
const DIVISOR: usize = 0x24;
const FRACTION: usize = 0x28;
const LINE: usize = 0x2C;
const CONTROL: usize = 0x30;
const MASK: usize = 0x38;
const CLEAR: usize = 0x44;

const RECEIVE_QUEUE_EMPTY: u32 = 1 << 4;
const TRANSMIT_QUEUE_FULL: u32 = 1 << 5;
/// The interrupts for a filled queue and for bytes that have waited for a while.
const RECEIVED: u32 = 1 << 6 | 1 << 4;
/// Stands beside the first byte that was received after a loss.
const OVERRUN: u32 = 1 << 11;

/// The sender of a UART.
pub(crate) struct Serial<R>(R);

impl<R: Registers<u32>> Serial<R> {
    /// Configures and enables a UART.
    pub(crate) fn open(uart: R, clock: u32, baud: u32) -> Self {
        // In 64ths.
        let divisor = clock * 4 / baud;
        uart.set(CONTROL, 0);
        uart.set(DIVISOR, divisor / 64);
        uart.set(FRACTION, divisor % 64);
        // Eight bits, with queues.
        uart.set(LINE, 0b111 << 4);
        uart.set(MASK, RECEIVED);
        uart.set(CONTROL, 1 << 9 | 1 << 8 | 1);
        Self(uart)
    }
}

impl<R> embedded_io::ErrorType for Serial<R> {
    type Error = Infallible;
}

impl<R: Registers<u32>> embedded_io::Write for Serial<R> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            while self.0.get(FLAGS) & TRANSMIT_QUEUE_FULL != 0 {}
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
    while uart.get(FLAGS) & RECEIVE_QUEUE_EMPTY == 0 {
        let data = uart.get(DATA);
        inbox.push(data as u8, data & OVERRUN != 0);
    }
}
