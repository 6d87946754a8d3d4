//! Bytes that are lost on the way: the line that lost them is rejected, and no other.

use super::fixture::{CALLS, DONE, Fixture, clear, set};
use firmware::{Inbox, QUEUE_LEN, ReceivedByte};
use heapless::spsc::{Consumer, Queue};

const REJECTED: &str = r#"{"id":null,"status":400,"#;

fn connected() -> (Inbox, Consumer<'static, ReceivedByte>) {
    let inbox = Inbox::new();
    let consumer = inbox.connect(Box::leak(Box::new(Queue::new())));
    (inbox, consumer)
}

/// Rule L1: a carriage return ends a line, alone and before a newline.
#[test]
fn l1_a_carriage_return_ends_a_line() {
    let mut fixture = Fixture::new();
    let line = set(CALLS, "Busy", "InACall", "PT5M");
    for end in ["\r", "\r\n", "\n", "\r\r\n\n"] {
        let response = fixture.send(&line.replace('\n', end));
        assert!(response.ends_with(DONE) && !response.contains("400"), "{end:?}: {response}");
    }
    assert_eq!(fixture.send("not\rjson\r\n").lines().count(), 2);
}

#[test]
fn a_request_that_lost_a_byte_changes_nothing_and_the_next_one_works() {
    let line = set(CALLS, "Busy", "InACall", "PT5M");
    for lost in [0, 1, line.len() / 2, line.len() - 2, line.len() - 1] {
        let mut fixture = Fixture::new();
        let mut bytes = line.bytes().enumerate().map(|(index, byte)| ReceivedByte { byte, after_loss: index == lost });
        let response = fixture.receive(&mut bytes);
        assert!(response.starts_with(REJECTED) && response.matches('\n').count() == 1, "{response}");
        assert_eq!(fixture.presence_light.app().user().revision(), 0);
        assert!(fixture.send(&line).ends_with(DONE));
        assert!(fixture.send(&clear(CALLS)).ends_with(DONE));
    }
}

/// A queue of unlimited length, with marks that are worked out from which bytes were accepted.
#[derive(Default)]
struct Model {
    waiting: std::collections::VecDeque<ReceivedByte>,
    has_lost: bool,
}

impl Model {
    fn push(&mut self, byte: u8, overran: bool) {
        if self.waiting.len() == 511 {
            // Neither this byte nor what was lost before it ever arrives.
            self.has_lost = true;
        } else {
            self.waiting.push_back(ReceivedByte { byte, after_loss: self.has_lost || overran });
            self.has_lost = false;
        }
    }
}

/// Bursts of every length around that of the queue, drained by as much, with overruns here and there.
#[test]
fn what_the_queue_loses_is_marked_at_the_next_byte_that_fits() {
    let lengths =
        [0, 1, 2, 255, QUEUE_LEN - 2, QUEUE_LEN - 1, QUEUE_LEN, QUEUE_LEN + 1, 2 * QUEUE_LEN, 2 * QUEUE_LEN + 1];
    let mut marks = 0;
    for (first, second) in lengths.into_iter().flat_map(|first| lengths.map(|second| (first, second))) {
        for drained in [1, 2, 300, QUEUE_LEN - 1] {
            let ((inbox, mut consumer), mut model) = (connected(), Model::default());
            for burst in [first, second, 3] {
                for index in 0..burst {
                    // In the middle, at the last byte that fits, and at the one that does not.
                    let overran = [100, QUEUE_LEN - 2, QUEUE_LEN - 1, QUEUE_LEN].contains(&index);
                    inbox.push(index as u8, overran);
                    model.push(index as u8, overran);
                }
                for _ in 0..drained {
                    let byte = consumer.dequeue();
                    assert_eq!(byte, model.waiting.pop_front(), "{first}, {second}, {drained}");
                    marks += u32::from(byte.is_some_and(|byte| byte.after_loss));
                }
            }
            while let Some(byte) = consumer.dequeue() {
                assert_eq!(Some(byte), model.waiting.pop_front());
            }
            assert!(model.waiting.is_empty());
        }
    }
    assert!(marks > 100, "{marks}");
}

/// An overrun in a receiver with a queue of its own: where the loss was is unknown, so everything around it is marked.
#[test]
fn a_receivers_queue_is_marked_from_the_overrun_to_the_first_byte_after_it() {
    let push_all = |inbox: &Inbox, has_lost: bool, bytes: &[(u8, bool)]| {
        let mut bytes = bytes.iter().copied();
        inbox.push_all(has_lost, || bytes.next());
    };
    let marks = |consumer: &mut Consumer<'static, ReceivedByte>| {
        let marks = std::iter::from_fn(|| consumer.dequeue());
        marks.map(|byte| (char::from(byte.byte), byte.after_loss)).collect::<Vec<_>>()
    };
    let (inbox, mut consumer) = connected();
    push_all(&inbox, false, &[(b'a', false), (b'b', true), (b'c', false)]);
    push_all(&inbox, false, &[(b'd', false), (b'e', false)]);
    assert_eq!(marks(&mut consumer), [('a', false), ('b', true), ('c', true), ('d', true), ('e', false)]);
    push_all(&inbox, true, &[(b'f', false)]);
    push_all(&inbox, false, &[(b'g', false), (b'h', false)]);
    assert_eq!(marks(&mut consumer), [('f', true), ('g', true), ('h', false)]);
    push_all(&inbox, true, &[]);
    push_all(&inbox, false, &[]);
    push_all(&inbox, false, &[(b'i', false), (b'j', false)]);
    assert_eq!(marks(&mut consumer), [('i', true), ('j', false)], "an empty queue, and a loss behind it");
    Inbox::new().push_all(true, || None);
}

/// Lines come faster than they are served, and none waits for a response. Each is served whole or rejected: none is mixed with
/// another, and a line whose bytes all fitted is served.
#[test]
fn a_full_queue_never_mixes_two_lines() {
    let mut served = 0;
    for burst in (QUEUE_LEN - 60..2 * QUEUE_LEN).step_by(7) {
        let (inbox, mut consumer) = connected();
        let mut fixture = Fixture::new();
        let line = |number: usize| format!("{{\"id\":\"{number:03}\",\"method\":\"GET\",\"url\":\"/me/presence\"}}\n");
        let sent: String = (0..40).map(line).collect();
        let mut sent = sent.bytes();
        sent.by_ref().take(burst).for_each(|byte| inbox.push(byte, false));
        let mut said = Vec::new();
        // From now on there is always room.
        while consumer.ready() {
            let mut bytes = std::iter::from_fn(|| consumer.dequeue());
            fixture.presence_light.receive(&mut bytes, fixture.now, &mut said).unwrap();
            sent.by_ref().take(20).for_each(|byte| inbox.push(byte, false));
        }
        let said = String::from_utf8(said).unwrap();
        let (whole, len) = ((QUEUE_LEN - 1) / line(0).len(), line(0).len());
        // Those before the loss, one rejection, and those that began after it.
        let first_after = if burst < QUEUE_LEN { whole } else { burst.div_ceil(len) };
        let rejected = usize::from(burst >= QUEUE_LEN);
        let expected: Vec<_> =
            (0..whole).map(Some).chain(vec![None; rejected]).chain((first_after..40).map(Some)).collect();
        let responses: Vec<_> =
            said.lines().map(|response| response.get(7..10).and_then(|id| id.parse().ok())).collect();
        assert_eq!(responses, expected, "{burst}: {said}");
        served += responses.len();
    }
    assert!(served > 1000);
}
