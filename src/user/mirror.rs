//! Mirroring: the command that shows here what another system publishes.

use super::Command;
use crate::presence::Presence;
use crate::time::Duration;

impl<S> Command<S> {
    /// Returns the command that mirrors a presence of another system in a session; `None` if there is nothing to do
    /// ([P4](crate::rules#p4)).
    ///
    /// Offline clears the session: the user is gone. Unknown is no news, so that the lease of what was seen before runs out.
    /// Everything else sets the session for `lease`, or for the policy's default if it is `None`. Decide the command under
    /// [`Policy::MIRROR`](crate::Policy::MIRROR), which allows every presence and lets none fade. Clearing a session that is
    /// gone already is [`CommandError::NotFound`](crate::CommandError::NotFound), which a mirror ignores.
    ///
    /// ```
    /// use presence_core::{Command, Duration, Instant, Policy, Presence, SingleUser};
    ///
    /// const MIRROR: u8 = 1;
    ///
    /// let mut lamp: SingleUser<u8, 4> = SingleUser::new(Policy::MIRROR);
    /// // Three times the interval between two reads, so that a lost answer does not show.
    /// let lease = Some(Duration::from_secs(90));
    /// for (secs, availability, activity) in [(0, "Available", "Available"), (30, "PresenceUnknown", "PresenceUnknown")] {
    ///     let read = Presence::read(availability, activity);
    ///     if let Some(command) = Command::mirror(MIRROR, read, lease) {
    ///         lamp.execute(Instant::from_secs(secs), command, |_| {})?;
    ///     }
    /// }
    /// assert_eq!(lamp.presence(Instant::from_secs(89)), Presence::Available);
    /// assert_eq!(lamp.presence(Instant::from_secs(90)), Presence::Offline);
    /// # Ok::<(), presence_core::CommandError>(())
    /// ```
    #[must_use]
    pub fn mirror(session: S, presence: Presence, lease: Option<Duration>) -> Option<Self> {
        match presence {
            Presence::Unknown => None,
            Presence::Offline => Some(Self::ClearPresence { session }),
            _ => Some(Self::SetPresence { session, presence, lease }),
        }
    }
}
