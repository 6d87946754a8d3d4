//! A digest of all transitions: two runs that differ anywhere have different digests.

use presence_core::{Change, Transition};

pub struct Digest {
    sum: u64,
    /// The transitions of a command, here so that it is allocated once.
    pub buffer: Vec<(u32, Transition<u8>)>,
}

impl Digest {
    pub fn new() -> Self {
        Self { sum: 0xCBF2_9CE4_8422_2325, buffer: Vec::with_capacity(1 << 16) }
    }

    pub fn word(&mut self, word: u64) {
        self.sum = (self.sum ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }

    /// Adds every member of a transition.
    pub fn transition(&mut self, id: u32, transition: &Transition<u8>) {
        let published = u64::from(transition.before().as_byte()) << 8 | u64::from(transition.after().as_byte());
        self.word(u64::from(id) << 32 | (transition.cause() as u64) << 16 | published);
        self.word(transition.revision());
        self.word(transition.at().as_millis());
        match transition.change() {
            Change::Set(session) | Change::Faded(session) => {
                self.word(u64::from(session.id()) << 8 | u64::from(session.presence().as_byte()));
                self.word(session.expires_at().as_millis());
                self.word(session.fades_at().map_or(u64::MAX, |at| at.as_millis()));
            }
            Change::Cleared(id) | Change::Expired(id) => self.word(id.into()),
            Change::PreferredSet(preferred) => {
                self.word(preferred.presence().as_byte().into());
                self.word(preferred.expires_at().as_millis());
            }
            Change::PreferredCleared | Change::PreferredExpired => {}
        }
    }

    pub fn sum(&self) -> u64 {
        self.sum
    }
}
