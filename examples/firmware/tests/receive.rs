//! From the interrupt to the main loop.

use firmware::{Inbox, QUEUE, Received};
use heapless::spsc::Queue;

#[test]
fn bytes_come_out_in_order_and_those_that_found_no_room_are_told_of() {
    let inbox = Inbox::new();
    inbox.put(b'x', false);
    let mut consumer = inbox.connect(Box::leak(Box::new(Queue::new())));
    assert!(!consumer.ready(), "nobody listened yet");
    // A queue of so many places holds one byte less.
    for byte in 0..QUEUE - 1 {
        inbox.put(byte as u8, false);
    }
    inbox.put(b'l', false);
    inbox.put(b'o', false);
    for byte in 0..QUEUE - 1 {
        assert_eq!(consumer.dequeue(), Some(Received::byte(byte as u8)));
    }
    assert_eq!(consumer.dequeue(), None);
    inbox.put(b'n', false);
    inbox.put(b'e', false);
    assert_eq!(consumer.dequeue(), Some(Received { byte: b'n', after_loss: true }));
    assert_eq!(consumer.dequeue(), Some(Received::byte(b'e')));
    inbox.put(b'w', true);
    assert_eq!(consumer.dequeue(), Some(Received { byte: b'w', after_loss: true }), "the receiver overran");
}
