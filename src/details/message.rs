//! Status message and out of office. Rules T1, O1.

use crate::time::Instant;

/// A status message: plain text, when it was published, and when it expires. Rule T1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StatusMessage<'a> {
    /// The text; never empty.
    pub text: &'a str,
    /// When it was set.
    pub published_at: Instant,
    /// When it is no longer shown; [`Instant::NEVER`] if it stays.
    pub expires_at: Instant,
}

/// Whether a user is out of office, and what it lets say. Rule O1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OutOfOffice<'a> {
    /// The flag.
    pub is_out_of_office: bool,
    /// The message, if there is one; never empty.
    pub message: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct StoredMessage<const MESSAGE: usize> {
    text: heapless::String<MESSAGE>,
    pub(super) published_at: Instant,
    pub(super) expires_at: Instant,
}

impl<const MESSAGE: usize> StoredMessage<MESSAGE> {
    /// Puts it where it will lie, for it is long; nothing if it has no room.
    pub(super) fn put(place: &mut Option<Self>, message: StatusMessage<'_>) {
        let (published_at, expires_at) = (message.published_at, message.expires_at);
        let stored = place.insert(Self { text: heapless::String::new(), published_at, expires_at });
        if stored.text.push_str(message.text).is_err() {
            *place = None;
        }
    }

    pub(super) fn view(&self) -> StatusMessage<'_> {
        StatusMessage { text: &self.text, published_at: self.published_at, expires_at: self.expires_at }
    }
}
