//! Receivers that are not read in time: every byte arrives in order or is lost, and the byte after a loss is marked.

use super::models::{Cmsdk, Kind, Nrf, Ns16550, Pl011, Uart};
use super::{cmsdk_uart, nrf_uart, ns16550, pl011};
use embedded_io::Write;
use firmware::{Inbox, ReceivedByte};
use heapless::spsc::{Consumer, Queue};

const BYTES: u8 = 200;

/// Returns numbers below a limit, by xorshift.
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |limit| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 32) as usize % limit
    }
}

fn connected() -> (&'static Inbox, Consumer<'static, ReceivedByte>) {
    let inbox: &Inbox = Box::leak(Box::new(Inbox::new()));
    (inbox, inbox.connect(Box::leak(Box::new(Queue::new()))))
}

/// What arrived is in order, nothing but what was lost is missing, and the first byte after each loss is marked.
fn check<K: Kind>(uart: &Uart<K>, arrived: &[ReceivedByte], what: &str) {
    let lost = uart.lost.borrow();
    let bytes: Vec<_> = arrived.iter().map(|received| received.byte).collect();
    let expected: Vec<_> = (0..BYTES).filter(|byte| !lost.contains(byte)).collect();
    assert_eq!(bytes, expected, "{what}");
    let mut before = None;
    for received in arrived {
        let is_first_after_loss =
            lost.iter().any(|lost| *lost < received.byte && before.is_none_or(|before| *lost > before));
        assert!(
            received.after_loss || !is_first_after_loss,
            "{what}: byte {} after {before:?}, {lost:?}",
            received.byte
        );
        assert!(!K::IS_EXACT || received.after_loss == is_first_after_loss, "{what}: byte {}", received.byte);
        // At most a queue and what arrived while it was emptied lie between a loss and the last mark of it.
        let is_near_loss = lost.iter().any(|lost| lost.abs_diff(received.byte) <= 24);
        assert!(!received.after_loss || is_near_loss, "{what}: byte {} is marked without a loss", received.byte);
        before = Some(received.byte);
    }
}

/// Bytes arrive one after another, some between the accesses of the handler, which is late by so many of them.
fn receives<K: Kind>(open: impl Fn(&Uart<K>, &'static Inbox)) {
    recovers(&open);
    let (mut lost, mut clean) = (0, 0);
    for seed in 1..2000 {
        let mut number = numbers(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15));
        let most_late = [1, 2, 8, 40][seed as usize % 4];
        let (uart, (inbox, mut consumer)) = (Uart::<K>::new(false), connected());
        open(&uart, inbox);
        uart.line.borrow_mut().extend(0..BYTES);
        while !uart.line.borrow().is_empty() {
            (0..1 + number(most_late)).for_each(|_| uart.arrive());
            let soonest = if most_late == 1 { 6 } else { 1 };
            uart.arrivals.borrow_mut().extend((0..number(4)).map(|_| soonest + number(6)));
            if uart.kind.is_pending() {
                K::handle(&uart, inbox);
            }
            // What has not arrived during the handler arrives later.
            uart.arrivals.borrow_mut().clear();
        }
        // The line is idle, and whatever is left is fetched at once: no other interrupt may follow.
        if uart.kind.is_pending() {
            K::handle(&uart, inbox);
        }
        assert!(!uart.kind.is_pending(), "seed {seed}: something is left");
        let arrived: Vec<_> = std::iter::from_fn(|| consumer.dequeue()).collect();
        check(&uart, &arrived, &format!("seed {seed}"));
        if uart.lost.borrow().is_empty() { clean += 1 } else { lost += 1 }
    }
    assert!(lost > 100 && clean > 100, "{lost} with losses, {clean} without");
}

/// After one overrun, and a handler that is in time from then on, nothing is marked any more.
fn recovers<K: Kind>(open: impl Fn(&Uart<K>, &'static Inbox)) {
    let (uart, (inbox, mut consumer)) = (Uart::<K>::new(false), connected());
    open(&uart, inbox);
    uart.line.borrow_mut().extend(0..BYTES);
    (0..20).for_each(|_| uart.arrive());
    while !uart.line.borrow().is_empty() {
        K::handle(&uart, inbox);
        uart.arrive();
    }
    K::handle(&uart, inbox);
    let arrived: Vec<_> = std::iter::from_fn(|| consumer.dequeue()).collect();
    assert!(!uart.lost.borrow().is_empty());
    check(&uart, &arrived, "one overrun");
    let last = arrived.iter().filter(|received| received.after_loss).map(|received| received.byte).max();
    assert!(last.is_some_and(|last| last <= 21), "{last:?} is marked");
}

#[test]
fn pl011_loses_nothing_unmarked() {
    receives::<Pl011>(|uart, _| _ = pl011::Serial::open(Shared(uart), 12_500_000, 115_200));
}

#[test]
fn ns16550_loses_nothing_unmarked() {
    receives::<Ns16550>(|uart, inbox| _ = ns16550::Serial::open(Shared(uart), inbox));
}

#[test]
fn cmsdk_uart_loses_nothing_unmarked() {
    receives::<Cmsdk>(|uart, _| _ = cmsdk_uart::Serial::open(Shared(uart), 25_000_000, 115_200));
}

#[test]
fn nrf_uart_loses_nothing_unmarked() {
    receives::<Nrf>(|uart, _| _ = nrf_uart::Serial::open(Shared(uart), 24, 25));
}

/// A read of the 16550's state clears its mark of a loss. The sender reads it, too.
#[test]
fn ns16550_marks_a_loss_that_the_sender_sees_first() {
    let mut lost = 0;
    for late in 1..60 {
        for sends in 1..4 {
            let (uart, (inbox, mut consumer)) = (Uart::<Ns16550>::new(true), connected());
            let mut serial = ns16550::Serial::open(Shared(&uart), inbox);
            uart.line.borrow_mut().extend(0..BYTES);
            while !uart.line.borrow().is_empty() {
                (0..late).for_each(|_| uart.arrive());
                serial.write_all(&b"abc"[..sends]).unwrap();
                // Without any more of them, the sender alone has seen the mark.
                (0..late % 4).for_each(|_| uart.arrive());
                ns16550::receive(&uart, inbox);
            }
            let arrived: Vec<_> = std::iter::from_fn(|| consumer.dequeue()).collect();
            check(&uart, &arrived, &format!("{late} bytes late, {sends} sent"));
            lost += uart.lost.borrow().len();
        }
    }
    assert!(lost > 1000, "{lost}");
}

/// A UART that the test looks at while a driver uses it.
pub(crate) struct Shared<'a, K>(pub(crate) &'a Uart<K>);

impl<T, K> super::Registers<T> for Shared<'_, K>
where
    Uart<K>: super::Registers<T>,
{
    fn get(&self, offset: usize) -> T {
        self.0.get(offset)
    }

    fn set(&self, offset: usize, value: T) {
        self.0.set(offset, value);
    }
}
