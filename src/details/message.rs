//! The status message and the out-of-office message.

use crate::time::Instant;

/// A status message, in plain text. Rule [T1](crate::rules#t1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StatusMessage<'a> {
    /// The text, which is never empty.
    pub text: &'a str,
    /// The instant at which the message was set.
    pub published_at: Instant,
    /// The instant from which the message is no longer visible; [`Instant::NEVER`] if it stays.
    pub expires_at: Instant,
}

/// The out-of-office state of a user. Rule [O1](crate::rules#o1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OutOfOffice<'a> {
    /// The out-of-office flag.
    pub is_out_of_office: bool,
    /// The automatic reply, if there is one. Never empty where a view returns it.
    pub message: Option<&'a str>,
}

/// The memory of a status message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct StoredMessage<const MESSAGE: usize> {
    text: heapless::String<MESSAGE>,
    pub(super) published_at: Instant,
    pub(super) expires_at: Instant,
}

impl<const MESSAGE: usize> StoredMessage<MESSAGE> {
    /// Stores a message in place, as it is long to copy; `None` if the text does not fit.
    pub(super) fn put(slot: &mut Option<Self>, message: StatusMessage<'_>) {
        let (published_at, expires_at) = (message.published_at, message.expires_at);
        let stored = slot.insert(Self { text: heapless::String::new(), published_at, expires_at });
        if stored.text.push_str(message.text).is_err() {
            *slot = None;
        }
    }

    pub(super) fn view(&self) -> StatusMessage<'_> {
        StatusMessage { text: &self.text, published_at: self.published_at, expires_at: self.expires_at }
    }
}
