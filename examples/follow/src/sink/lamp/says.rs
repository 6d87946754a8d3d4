//! What a lamp is told of a presence: no more than it shows.

use presence_core::{Duration, Presence};

/// The time for which a lamp shows what it was told: so soon a program that was killed, or a computer that sleeps, is no news.
pub(super) const LEASE: Duration = Duration::from_secs(90);
/// The time for which it shows what no longer holds: the shortest that it allows.
const NO_MORE: Duration = Duration::from_secs(1);

/// A presence, as a lamp is told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Says {
    presence: Presence,
    is_out_of_office: bool,
}

impl Says {
    /// Creates what to tell of a presence.
    pub(crate) const fn new(presence: Presence, is_out_of_office: bool) -> Self {
        Self { presence, is_out_of_office }
    }

    /// Reports whether it ends what the lamp was told before.
    pub(super) fn is_gone(self) -> bool {
        self.presence == Presence::Offline
    }

    /// Returns the line: a presence object with the members that a lamp reads (rule L4), far shorter than its 1,024 bytes.
    pub(super) fn line(self) -> String {
        self.object(LEASE)
    }

    /// Returns the line for a presence that no longer holds: with the shortest lease, behind which the lamp shows “no news”.
    pub(super) fn last_line(self) -> String {
        self.object(NO_MORE)
    }

    fn object(self, lease: Duration) -> String {
        let Self { presence, is_out_of_office } = self;
        let (availability, activity) = (presence.availability().name(), presence.activity().name());
        let out_of_office = if is_out_of_office { r#","outOfOfficeSettings":{"isOutOfOffice":true}"# } else { "" };
        format!(
            r#"{{"availability":"{availability}","activity":"{activity}"{out_of_office},"expirationDuration":"{lease}"}}"#
        )
    }
}
