//! A driver for ARM's PrimeCell UART, PL011.

use core::convert::Infallible;
use firmware::Inbox;
use vcell::VolatileCell;

#[repr(C)]
struct Registers {
    data: VolatileCell<u32>,
    _status: [u32; 5],
    flags: VolatileCell<u32>,
    _reserved: [u32; 2],
    divisor: VolatileCell<u32>,
    fraction: VolatileCell<u32>,
    line: VolatileCell<u32>,
    control: VolatileCell<u32>,
    _levels: u32,
    mask: VolatileCell<u32>,
    _raw: [u32; 2],
    clear: VolatileCell<u32>,
}

const RECEIVE_QUEUE_EMPTY: u32 = 1 << 4;
const TRANSMIT_QUEUE_FULL: u32 = 1 << 5;
/// The interrupts for a filled queue and for bytes that have waited for a while.
const RECEIVED: u32 = 1 << 6 | 1 << 4;
const OVERRUN: u32 = 1 << 11;

/// The sender of a UART.
pub(crate) struct Serial(&'static Registers);

impl Serial {
    /// Configures and enables a UART.
    ///
    /// # Safety
    ///
    /// Its registers must be at this address, and nothing else may send.
    pub(crate) unsafe fn open(address: usize, clock: u32, baud: u32) -> Self {
        // SAFETY: the caller's promise.
        let uart = unsafe { &*(address as *const Registers) };
        // In 64ths.
        let divisor = clock * 4 / baud;
        uart.control.set(0);
        uart.divisor.set(divisor / 64);
        uart.fraction.set(divisor % 64);
        // Eight bits, with queues.
        uart.line.set(0b111 << 4);
        uart.mask.set(RECEIVED);
        uart.control.set(1 << 9 | 1 << 8 | 1);
        Self(uart)
    }
}

impl embedded_io::ErrorType for Serial {
    type Error = Infallible;
}

impl embedded_io::Write for Serial {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            while self.0.flags.get() & TRANSMIT_QUEUE_FULL != 0 {}
            self.0.data.set((*byte).into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The receiver of a UART, for the interrupt handler.
pub(crate) struct Receiver(&'static Registers);

impl Receiver {
    /// Returns the receiver of the UART at an address.
    ///
    /// # Safety
    ///
    /// Its registers must be at this address, and nothing else may receive.
    pub(crate) unsafe fn of(address: usize) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { &*(address as *const Registers) })
    }

    /// Moves every received byte to the inbox.
    pub(crate) fn drain_into(&self, inbox: &Inbox) {
        self.0.clear.set(RECEIVED);
        while self.0.flags.get() & RECEIVE_QUEUE_EMPTY == 0 {
            let data = self.0.data.get();
            inbox.push(data as u8, data & OVERRUN != 0);
        }
    }
}
