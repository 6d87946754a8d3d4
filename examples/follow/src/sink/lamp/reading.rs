//! The thread that reads a lamp's line.

use super::Event;
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

/// A thread that reads a line until this is dropped.
pub(super) struct Reading {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reading {
    /// Starts to read, and sends what it reads under a number.
    pub(super) fn start(mut reader: Box<dyn Read + Send>, number: u32, events: Sender<Event>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            while !flag.load(Ordering::Relaxed) {
                if let Some(event) = read(&mut *reader, number) {
                    let is_lost = matches!(event, Event::Lost(..));
                    if events.send(event).is_err() || is_lost {
                        break;
                    }
                }
            }
        });
        Self { is_over, thread: Some(thread) }
    }
}

/// Waits for bytes; `None` if there are none for a while.
fn read(reader: &mut dyn Read, number: u32) -> Option<Event> {
    let mut bytes = [0; 1024];
    match reader.read(&mut bytes) {
        Ok(0) => Some(Event::Lost(number, "unplugged".to_owned())),
        Ok(count) => Some(Event::Bytes(number, bytes[..count].to_vec())),
        Err(error) => match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted => None,
            _ => Some(Event::Lost(number, error.to_string())),
        },
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
