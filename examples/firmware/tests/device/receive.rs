//! The queue from the interrupt to the main loop.

use firmware::{Inbox, QUEUE_LEN, ReceivedByte};
use heapless::spsc::Queue;

#[test]
fn bytes_come_out_in_order_and_losses_are_marked() {
    let inbox = Inbox::new();
    inbox.push(b'x', false);
    let mut consumer = inbox.connect(Box::leak(Box::new(Queue::new())));
    assert!(!consumer.ready(), "it was not connected yet");
    // The queue holds one byte less than its length.
    for byte in 0..QUEUE_LEN - 1 {
        inbox.push(byte as u8, false);
    }
    inbox.push(b'l', false);
    inbox.push(b'o', false);
    for byte in 0..QUEUE_LEN - 1 {
        assert_eq!(consumer.dequeue(), Some(ReceivedByte::new(byte as u8)));
    }
    assert_eq!(consumer.dequeue(), None);
    inbox.push(b'n', false);
    inbox.push(b'e', false);
    assert_eq!(consumer.dequeue(), Some(ReceivedByte { byte: b'n', after_loss: true }));
    assert_eq!(consumer.dequeue(), Some(ReceivedByte::new(b'e')));
    inbox.push(b'w', true);
    assert_eq!(consumer.dequeue(), Some(ReceivedByte { byte: b'w', after_loss: true }), "the receiver overran");
}
