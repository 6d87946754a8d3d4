//! A driver for the NS16550A UART, whose registers are bytes.

use crate::registers::Registers;
use core::convert::Infallible;
use firmware::Inbox;

// Offsets of registers.
const DATA: usize = 0;
const INTERRUPTS: usize = 1;
const QUEUES: usize = 2;
const LINE: usize = 3;
const STATUS: usize = 5;

const HAS_RECEIVED: u8 = 1;
/// A byte was lost because the queue was full. A read of the status clears it.
const OVERRAN: u8 = 1 << 1;
const CAN_SEND: u8 = 1 << 5;

/// The sender of a UART.
pub(crate) struct Serial<R> {
    uart: R,
    inbox: &'static Inbox,
}

impl<R: Registers<u8>> Serial<R> {
    /// Configures and enables a UART that receives into this inbox.
    pub(crate) fn open(uart: R, inbox: &'static Inbox) -> Self {
        // Eight bits, with queues that are emptied first, and a receive interrupt.
        uart.set(LINE, 0b11);
        uart.set(QUEUES, 0b111);
        uart.set(INTERRUPTS, 1);
        Self { uart, inbox }
    }

    /// Reports whether there is room for a byte to send.
    fn can_send(&self) -> bool {
        critical_section::with(|_| {
            let status = self.uart.get(STATUS);
            if status & OVERRAN != 0 {
                // The read has cleared it, and the interrupt would not see it any more.
                drain(&self.uart, self.inbox, true);
            }
            status & CAN_SEND != 0
        })
    }
}

impl<R> embedded_io::ErrorType for Serial<R> {
    type Error = Infallible;
}

impl<R: Registers<u8>> embedded_io::Write for Serial<R> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            while !self.can_send() {}
            self.uart.set(DATA, *byte);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Moves every received byte to the inbox, in the interrupt handler.
pub(crate) fn receive(uart: &impl Registers<u8>, inbox: &Inbox) {
    drain(uart, inbox, false);
}

fn drain(uart: &impl Registers<u8>, inbox: &Inbox, has_lost: bool) {
    inbox.push_all(has_lost, || {
        let status = uart.get(STATUS);
        (status & HAS_RECEIVED != 0).then(|| (uart.get(DATA), status & OVERRAN != 0))
    });
}
