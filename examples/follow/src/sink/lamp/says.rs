//! What a lamp is told of a presence: no more than it shows.

use presence_core::Presence;

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
        self.object("")
    }

    /// Returns the line for a presence that no longer holds: with the shortest lease, behind which the lamp shows “no news”.
    pub(super) fn last_line(self) -> String {
        self.object(r#","expirationDuration":"PT1S""#)
    }

    fn object(self, lease: &str) -> String {
        let Self { presence, is_out_of_office } = self;
        let (availability, activity) = (presence.availability().name(), presence.activity().name());
        let out_of_office = if is_out_of_office { r#","outOfOfficeSettings":{"isOutOfOffice":true}"# } else { "" };
        format!(r#"{{"availability":"{availability}","activity":"{activity}"{out_of_office}{lease}}}"#)
    }
}
