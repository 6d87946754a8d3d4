//! Events of changes.

use crate::buffer::BufferFull;
use crate::graph::respond::text::{write_seconds, write_template};
use crate::graph::respond::writer::Writer;
use crate::id::{SessionId, UserId};
use crate::time::Instant;
use crate::user::Transition;

/// A change of a published presence, as an event in a stream:
/// `{"at":300,"user":"…","from":{…},"to":{…},"cause":"expired"}`.
///
/// Only visible transitions are events: see [`Transition::is_visible`].
///
/// ```
/// use presence_core::graph::{Buffer, ChangeEvent};
/// use presence_core::{Instant, Policy, Presence, SessionId, User, UserId, set_presence};
///
/// let (start, now) = (Instant::from_secs(100), Instant::from_millis(101_500));
/// let (id, session) = (UserId::from_bytes([0x11; 16]), SessionId::from_bytes([0x22; 16]));
/// let user: User = User::new();
/// let set = set_presence(user.at(now)?, session, Presence::Away, None, &Policy::GRAPH)?;
/// let mut bytes = [0; ChangeEvent::MAX_LEN];
/// let mut event = Buffer::new(&mut bytes);
/// ChangeEvent::new(start, id, &set).write(&mut event)?;
/// assert!(event.written().starts_with(br#"{"at":1.5,"user":"11111111-1111-1111-1111-111111111111","from":{"#));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ChangeEvent<'a> {
    start: Instant,
    user: UserId,
    transition: &'a Transition<SessionId>,
}

impl<'a> ChangeEvent<'a> {
    /// The length of the longest event, in bytes.
    pub const MAX_LEN: usize = 251;

    /// Creates the event of a user's transition; its `at` is in seconds since `start`.
    #[must_use]
    pub const fn new(start: Instant, user: UserId, transition: &'a Transition<SessionId>) -> Self {
        Self { start, user, transition }
    }

    /// Writes the event.
    ///
    /// # Errors
    ///
    /// [`BufferFull`]; [`MAX_LEN`](Self::MAX_LEN) bytes always suffice.
    pub fn write(&self, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        const TEMPLATE: &str = r#","user":"*","from":{"availability":"*","activity":"*"},"to":{"availability":"*","activity":"*"},"cause":"*"}"#;
        writer.write(br#"{"at":"#)?;
        write_seconds(writer, self.transition.at().saturating_duration_since(self.start))?;
        let (before, after) = (self.transition.before(), self.transition.after());
        let mut id = heapless::Vec::new();
        self.user.push_text(&mut id);
        let pieces = [
            id.as_slice(),
            before.availability().name().as_bytes(),
            before.activity().name().as_bytes(),
            after.availability().name().as_bytes(),
            after.activity().name().as_bytes(),
            self.transition.cause().name().as_bytes(),
        ];
        write_template(writer, TEMPLATE, &pieces)
    }
}
