//! A serial port over USB, whose hosts come and go. Rule L1, and that no line is joined to one that was cut.

use super::fixture::{CALLS, DONE, Fixture, set};
use embassy_futures::poll_once;
use firmware::Port;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

const SIZE: usize = 8;

/// A controller that holds one packet until the host takes it, and a host that reads or does not.
#[derive(Default)]
struct Usb {
    held: RefCell<Option<Vec<u8>>>,
    read: RefCell<Vec<u8>>,
    is_reading: Cell<bool>,
}

impl Usb {
    /// Lets the host take the packet that is held.
    fn take(&self) {
        if let Some(packet) = self.held.take() {
            self.read.borrow_mut().extend(packet);
        }
    }

    /// Writes a packet. Without a host that reads, it waits as long as the last one is held: until it is dropped, or until its
    /// patience is over.
    async fn write(&self, packet: &[u8], patience: u32) -> bool {
        let mut left = patience;
        poll_fn(|_| {
            if self.is_reading.get() {
                self.take();
            }
            if self.held.borrow().is_none() {
                *self.held.borrow_mut() = Some(packet.to_vec());
                return Poll::Ready(true);
            }
            if left == 0 {
                return Poll::Ready(false);
            }
            left = left.saturating_sub(if patience == u32::MAX { 0 } else { 1 });
            Poll::Pending
        })
        .await
    }

    /// Sends while the host reads or not; `is_dropped` gives up as soon as the controller takes nothing.
    fn send(&self, port: &mut Port, bytes: &[u8], is_dropped: bool) {
        let patience = if is_dropped { u32::MAX } else { 3 };
        let mut sending = pin!(port.send(bytes, SIZE, async |packet: &[u8]| self.write(packet, patience).await));
        if is_dropped {
            let _ = poll_once(sending);
        } else {
            while poll_once(&mut sending).is_pending() {}
        }
    }

    /// Returns what the host has read since.
    fn read(&self) -> String {
        self.take();
        String::from_utf8(self.read.take()).unwrap()
    }
}

#[test]
fn nothing_is_sent_until_a_host_has_opened_the_port() {
    let (usb, mut port) = (Usb::default(), Port::new());
    usb.is_reading.set(true);
    usb.send(&mut port, b"unheard\n", false);
    assert_eq!(usb.read(), "");
    assert!(port.on_control(true), "opened");
    usb.send(&mut port, b"0123456789\n", false);
    assert_eq!(usb.read(), "0123456789\n", "whole, and not ended twice");
    assert!(!port.on_control(false), "closed");
    usb.send(&mut port, b"unheard\n", false);
    assert_eq!(usb.read(), "");
    port.on_received();
    usb.send(&mut port, b"01234567890123\n", false);
    assert_eq!(usb.read(), "01234567890123\n", "a host without DTR");
}

/// After a packet that is full an empty one follows, which says nothing about the line.
#[test]
fn only_what_does_not_end_with_a_newline_is_ended() {
    let (usb, mut port) = (Usb::default(), Port::new());
    assert!(port.on_control(true));
    usb.is_reading.set(true);
    for bytes in [&b"1234567\n"[..], b"7654321\n", b"12345678", b"next\n", b"", b"last\n"] {
        usb.send(&mut port, bytes, false);
    }
    assert_eq!(usb.read(), "1234567\n7654321\n12345678\nnext\nlast\n");
}

/// The host leaves in the middle of a line; the next one gets what the controller held, an end for it, and then whole lines.
#[test]
fn a_line_that_was_cut_is_ended_before_the_next_one() {
    for is_dropped in [false, true] {
        let (usb, mut port) = (Usb::default(), Port::new());
        assert!(port.on_control(true));
        usb.send(&mut port, b"a line of three packets\n", is_dropped);
        assert!(!port.on_control(false));
        usb.send(&mut port, b"unheard\n", is_dropped);
        assert!(port.on_control(true));
        usb.is_reading.set(true);
        usb.send(&mut port, b"the next\n", is_dropped);
        usb.send(&mut port, b"and one more\n", is_dropped);
        assert_eq!(usb.read(), "a line o\nthe next\nand one more\n");
    }
}

/// Hosts open, read, stop reading, leave and come back at random: no two lines are joined, and one that reads from before a line
/// to its end gets it whole.
#[test]
fn no_line_is_ever_joined_to_another() {
    let (usb, mut port, mut random) = (Usb::default(), Port::new(), 7_u64);
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % below
    };
    let (mut whole, mut cut, mut is_open) = (0, 0, false);
    for number in 0..20_000 {
        match next(8) {
            0 => {
                is_open = !is_open;
                assert_eq!(port.on_control(is_open), is_open);
                usb.is_reading.set(is_open && next(4) > 0);
            }
            1 => usb.is_reading.set(is_open && !usb.is_reading.get()),
            _ => {}
        }
        let line = format!("<{number}{}>\n", "-".repeat(next(20) as usize));
        usb.send(&mut port, line.as_bytes(), next(2) == 0);
        if !usb.is_reading.get() {
            continue;
        }
        let read = usb.read();
        assert!(read.ends_with(&format!("\n{line}")) || read == line, "{read:?} after {line:?}");
        for line in read.lines() {
            assert!(line.matches('<').count() <= 1 && line.matches('>').count() <= 1, "{read:?}");
            match line.starts_with('<') && line.ends_with('>') {
                true => whole += 1,
                false => cut += 1,
            }
        }
    }
    assert!(whole > 5_000 && cut > 500, "{whole} whole, {cut} cut");
}

/// A host leaves in the middle of its line, and the next one begins with its own.
#[test]
fn l1_what_was_begun_is_forgotten_when_the_port_is_opened_anew() {
    let (mut fixture, mut port) = (Fixture::new(), Port::new());
    let line = set(CALLS, "Busy", "InACall", "PT5M");
    assert!(port.on_control(true));
    assert_eq!(fixture.send(&line[..40]), "");
    assert!(!port.on_control(false));
    if port.on_control(true) {
        fixture.presence_light.reopen();
    }
    assert!(fixture.send(&line).ends_with(DONE));
}
