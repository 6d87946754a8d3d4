//! Models of UARTs: their registers, their queues, and what they lose when nobody reads in time.

use super::registers::Registers;
use super::{cmsdk_uart, nrf_uart, ns16550, pl011};
use firmware::Inbox;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// A UART whose bytes arrive at moments of the test's choice, also between any two accesses of its driver.
pub(crate) struct Uart<K> {
    pub(crate) kind: K,
    /// After how many accesses the next byte of `line` arrives; none by itself if it is empty.
    pub(crate) arrivals: RefCell<VecDeque<usize>>,
    pub(crate) line: RefCell<VecDeque<u8>>,
    pub(crate) lost: RefCell<Vec<u8>>,
    /// What was sent, and for how many reads of its state the sender is busy with each byte.
    pub(crate) sent: RefCell<Vec<u8>>,
    pub(crate) is_slow: bool,
    pub(crate) busy: Cell<u32>,
    /// The values of other registers that were written, in order.
    pub(crate) settings: RefCell<Vec<(usize, u32)>>,
    accesses: Cell<u32>,
}

/// More accesses than any test needs: a driver that waits for ever fails.
const MOST_ACCESSES: u32 = 100_000;

/// What differs between the UARTs.
pub(crate) trait Kind: Default + Sized {
    /// Takes a byte from the line. Returns one that is lost: this, or one that was not read in time.
    fn arrive(&self, byte: u8) -> Option<u8>;
    fn get(&self, uart: &Uart<Self>, offset: usize) -> u32;
    fn set(&self, uart: &Uart<Self>, offset: usize, value: u32);
    /// Reports whether the receive interrupt is pending, after the line was idle for a while.
    fn is_pending(&self) -> bool;
    fn handle(uart: &Uart<Self>, inbox: &Inbox);
    /// The driver marks no byte but the first one after each loss.
    const IS_EXACT: bool;
}

impl<K: Kind> Uart<K> {
    pub(crate) fn new(is_slow: bool) -> Self {
        Self {
            kind: K::default(),
            arrivals: RefCell::default(),
            line: RefCell::default(),
            lost: RefCell::default(),
            sent: RefCell::default(),
            is_slow,
            busy: Cell::new(0),
            settings: RefCell::default(),
            accesses: Cell::new(0),
        }
    }

    /// Lets the next byte of the line arrive.
    pub(crate) fn arrive(&self) {
        let byte = self.line.borrow_mut().pop_front();
        if let Some(lost) = byte.and_then(|byte| self.kind.arrive(byte)) {
            self.lost.borrow_mut().push(lost);
        }
    }

    fn access(&self) {
        self.accesses.set(self.accesses.get() + 1);
        assert!(self.accesses.get() < MOST_ACCESSES, "the driver waits for ever");
        let is_now = self.arrivals.borrow_mut().front_mut().is_some_and(|left| {
            *left = left.saturating_sub(1);
            *left == 0
        });
        if is_now {
            self.arrivals.borrow_mut().pop_front();
            self.arrive();
        }
    }

    /// Returns whether the sender is busy; it gets done while it is asked.
    fn is_busy(&self) -> bool {
        self.busy.replace(self.busy.get().saturating_sub(1)) > 0
    }

    fn send(&self, value: u32) {
        assert_eq!(self.busy.get(), 0, "a byte is sent while the sender is busy");
        self.sent.borrow_mut().push(u8::try_from(value).expect("a byte"));
        self.busy.set(if self.is_slow { 3 } else { 0 });
    }
}

impl<K: Kind> Registers<u32> for Uart<K> {
    fn get(&self, offset: usize) -> u32 {
        self.access();
        self.kind.get(self, offset)
    }

    fn set(&self, offset: usize, value: u32) {
        self.access();
        self.kind.set(self, offset, value);
    }
}

impl Registers<u8> for Uart<Ns16550> {
    fn get(&self, offset: usize) -> u8 {
        Registers::<u32>::get(self, offset) as u8
    }

    fn set(&self, offset: usize, value: u8) {
        Registers::<u32>::set(self, offset, value.into());
    }
}

/// Sixteen bytes, the first after a loss with a mark beside it.
#[derive(Default)]
pub(crate) struct Pl011 {
    queue: RefCell<VecDeque<u32>>,
    has_lost: Cell<bool>,
    /// The mask of interrupts.
    mask: Cell<u32>,
}

impl Kind for Pl011 {
    fn arrive(&self, byte: u8) -> Option<u8> {
        let mut queue = self.queue.borrow_mut();
        if queue.len() == 16 {
            self.has_lost.set(true);
            return Some(byte);
        }
        queue.push_back(u32::from(byte) | u32::from(self.has_lost.replace(false)) << 11);
        None
    }

    fn get(&self, uart: &Uart<Self>, offset: usize) -> u32 {
        match offset {
            0x00 => self.queue.borrow_mut().pop_front().expect("the queue is not empty"),
            0x18 => u32::from(self.queue.borrow().is_empty()) << 4 | u32::from(uart.is_busy()) << 5,
            _ => unreachable!("{offset:#x}"),
        }
    }

    fn set(&self, uart: &Uart<Self>, offset: usize, value: u32) {
        match offset {
            0x00 => uart.send(value),
            0x44 => assert_eq!(value, 1 << 6 | 1 << 4, "the two receive interrupts"),
            _ => uart.settings.borrow_mut().push((offset, value)),
        }
        if offset == 0x38 {
            self.mask.set(value);
        }
    }

    /// Few bytes wait for the timeout, many for the level of the queue.
    fn is_pending(&self) -> bool {
        let waiting = self.queue.borrow().len();
        waiting > 0 && self.mask.get() & 1 << 6 != 0 || waiting >= 8 && self.mask.get() & 1 << 4 != 0
    }

    fn handle(uart: &Uart<Self>, inbox: &Inbox) {
        pl011::receive(uart, inbox);
    }

    const IS_EXACT: bool = true;
}

/// Sixteen bytes, and a mark of a loss somewhere, which a read of the state clears.
#[derive(Default)]
pub(crate) struct Ns16550 {
    queue: RefCell<VecDeque<u8>>,
    has_lost: Cell<bool>,
    interrupts: Cell<u32>,
}

impl Kind for Ns16550 {
    fn arrive(&self, byte: u8) -> Option<u8> {
        let mut queue = self.queue.borrow_mut();
        if queue.len() == 16 {
            self.has_lost.set(true);
            return Some(byte);
        }
        queue.push_back(byte);
        None
    }

    fn get(&self, uart: &Uart<Self>, offset: usize) -> u32 {
        match offset {
            0 => self.queue.borrow_mut().pop_front().expect("the queue is not empty").into(),
            5 => {
                let can_send = u32::from(!uart.is_busy()) << 5;
                u32::from(!self.queue.borrow().is_empty()) | u32::from(self.has_lost.replace(false)) << 1 | can_send
            }
            _ => unreachable!("{offset}"),
        }
    }

    fn set(&self, uart: &Uart<Self>, offset: usize, value: u32) {
        match offset {
            0 => uart.send(value),
            _ => uart.settings.borrow_mut().push((offset, value)),
        }
        if offset == 1 {
            self.interrupts.set(value);
        }
    }

    fn is_pending(&self) -> bool {
        !self.queue.borrow().is_empty() && self.interrupts.get() & 1 != 0
    }

    fn handle(uart: &Uart<Self>, inbox: &Inbox) {
        ns16550::receive(uart, inbox);
    }

    const IS_EXACT: bool = false;
}

/// One byte, which the next one replaces.
#[derive(Default)]
pub(crate) struct Cmsdk {
    byte: Cell<Option<u8>>,
    has_lost: Cell<bool>,
    is_pending: Cell<bool>,
    control: Cell<u32>,
}

impl Kind for Cmsdk {
    fn arrive(&self, byte: u8) -> Option<u8> {
        let lost = self.byte.replace(Some(byte));
        self.has_lost.set(self.has_lost.get() || lost.is_some());
        self.is_pending.set(true);
        lost
    }

    fn get(&self, uart: &Uart<Self>, offset: usize) -> u32 {
        match offset {
            0x00 => self.byte.take().expect("a byte was received").into(),
            0x04 => {
                let (received, lost) = (self.byte.get().is_some(), self.has_lost.get());
                u32::from(uart.is_busy()) | u32::from(received) << 1 | u32::from(lost) << 3
            }
            _ => unreachable!("{offset:#x}"),
        }
    }

    fn set(&self, uart: &Uart<Self>, offset: usize, value: u32) {
        match offset {
            0x00 => uart.send(value),
            0x04 => self.has_lost.set(self.has_lost.get() && value & 1 << 3 == 0),
            0x0C => self.is_pending.set(self.is_pending.get() && value & 1 << 1 == 0),
            _ => uart.settings.borrow_mut().push((offset, value)),
        }
        if offset == 0x08 {
            self.control.set(value);
        }
    }

    fn is_pending(&self) -> bool {
        self.is_pending.get() && self.control.get() & 1 << 3 != 0
    }

    fn handle(uart: &Uart<Self>, inbox: &Inbox) {
        cmsdk_uart::receive(uart, inbox);
    }

    const IS_EXACT: bool = false;
}

/// Six bytes, an event for each that can be read, and a mark of a loss somewhere.
#[derive(Default)]
pub(crate) struct Nrf {
    queue: RefCell<VecDeque<u8>>,
    has_received: Cell<bool>,
    has_lost: Cell<bool>,
    is_sending: Cell<bool>,
    has_sent: Cell<bool>,
    interrupts: Cell<u32>,
}

impl Kind for Nrf {
    fn arrive(&self, byte: u8) -> Option<u8> {
        let mut queue = self.queue.borrow_mut();
        match queue.len() {
            6 => {
                self.has_lost.set(true);
                return Some(byte);
            }
            0 => self.has_received.set(true),
            _ => {}
        }
        queue.push_back(byte);
        None
    }

    fn get(&self, uart: &Uart<Self>, offset: usize) -> u32 {
        match offset {
            0x108 => self.has_received.get().into(),
            0x11C => {
                if self.is_sending.get() && !uart.is_busy() {
                    self.is_sending.set(false);
                    self.has_sent.set(true);
                }
                self.has_sent.get().into()
            }
            0x480 => self.has_lost.get().into(),
            0x518 => {
                let byte = self.queue.borrow_mut().pop_front().expect("a byte was received");
                self.has_received.set(self.has_received.get() || !self.queue.borrow().is_empty());
                byte.into()
            }
            _ => unreachable!("{offset:#x}"),
        }
    }

    fn set(&self, uart: &Uart<Self>, offset: usize, value: u32) {
        match offset {
            0x108 => self.has_received.set(value != 0),
            0x11C => self.has_sent.set(value != 0),
            0x480 => self.has_lost.set(self.has_lost.get() && value & 1 == 0),
            0x51C => {
                uart.send(value);
                self.is_sending.set(true);
            }
            _ => uart.settings.borrow_mut().push((offset, value)),
        }
        if offset == 0x304 {
            self.interrupts.set(value);
        }
    }

    fn is_pending(&self) -> bool {
        self.has_received.get() && self.interrupts.get() & 1 << 2 != 0
    }

    fn handle(uart: &Uart<Self>, inbox: &Inbox) {
        nrf_uart::receive(uart, inbox);
    }

    const IS_EXACT: bool = false;
}
