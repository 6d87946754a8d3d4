//! From the interrupt that receives to the main loop.

use crate::line::ReceivedByte;
use core::cell::RefCell;
use critical_section::Mutex;
use heapless::spsc::{Consumer, Producer};

/// Places of the queue, which holds a byte less. So many may wait while an answer goes out, which takes as long as they do;
/// whoever waits for the answer before the next line never needs them all.
pub const QUEUE_LEN: usize = 512;

/// Where an interrupt handler puts what it received. The main loop has the other end of the queue.
pub struct Inbox(Mutex<RefCell<Option<Sender>>>);

struct Sender {
    queue: Producer<'static, ReceivedByte>,
    has_lost: bool,
}

impl Inbox {
    /// An inbox without a queue: it loses everything.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(RefCell::new(None)))
    }

    /// Connects the inbox to the main loop, before the interrupt is switched on.
    pub fn connect(
        &self,
        queue: &'static mut heapless::spsc::Queue<ReceivedByte, QUEUE_LEN>,
    ) -> Consumer<'static, ReceivedByte> {
        let (queue, consumer) = queue.split();
        critical_section::with(|token| {
            self.0.borrow(token).replace(Some(Sender { queue, has_lost: false }));
        });
        consumer
    }

    /// Puts a byte into the queue; `overran` says that the receiver lost some before it. A byte that finds the queue full is
    /// lost, and the next one that fits says so. O(1).
    pub fn push(&self, byte: u8, overran: bool) {
        critical_section::with(|token| {
            if let Some(sender) = self.0.borrow_ref_mut(token).as_mut() {
                let after_loss = sender.has_lost || overran;
                sender.has_lost = sender.queue.enqueue(ReceivedByte { byte, after_loss }).is_err();
            }
        });
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self::new()
    }
}
