//! The queue from the receiving interrupt to the main loop.

use crate::line::ReceivedByte;
use core::cell::RefCell;
use critical_section::Mutex;
use heapless::spsc::{Consumer, Producer};

/// The length of the queue, which holds one byte less.
///
/// It buffers what arrives while a response is sent. A host that waits for each response never fills it.
pub const QUEUE_LEN: usize = 512;

/// The interrupt handler's end of the queue. The main loop has the other one.
pub struct Inbox(Mutex<RefCell<Option<Sender>>>);

struct Sender {
    queue: Producer<'static, ReceivedByte>,
    has_lost: bool,
}

impl Inbox {
    /// Creates an inbox that discards everything until it is connected.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(RefCell::new(None)))
    }

    /// Connects the inbox to a queue, and returns the main loop's end. Call it before the interrupt is enabled.
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

    /// Appends a byte; `overran` marks that the receiver lost bytes just before it.
    ///
    /// A byte is lost if the queue is full, and the next one that fits is marked.
    pub fn push(&self, byte: u8, overran: bool) {
        self.with_sender(|sender| {
            let after_loss = sender.has_lost || overran;
            sender.has_lost = sender.queue.enqueue(ReceivedByte { byte, after_loss }).is_err();
        });
    }

    /// Appends what a receiver's queue holds. `take` takes a byte out of it, with a mark if the receiver lost any since the
    /// byte before was taken; `has_lost` says that it did before the first one.
    ///
    /// That bytes were lost is known, but not where: at this place, further back in the queue, or behind all of it. So the byte
    /// with the mark and all that follow in the queue are marked, and the first one that arrives afterwards.
    pub fn push_all(&self, mut has_lost: bool, take: impl FnMut() -> Option<(u8, bool)>) {
        for (byte, overran) in core::iter::from_fn(take) {
            has_lost |= overran;
            self.push(byte, has_lost);
        }
        if has_lost {
            self.with_sender(|sender| sender.has_lost = true);
        }
    }

    fn with_sender(&self, change: impl FnOnce(&mut Sender)) {
        critical_section::with(|token| {
            if let Some(sender) = self.0.borrow_ref_mut(token).as_mut() {
                change(sender);
            }
        });
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self::new()
    }
}
