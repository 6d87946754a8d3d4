//! What a lamp is told of a presence: no more than it shows.

use presence_core::{Absence, Presence};

/// A presence, as a lamp is told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Says {
    presence: Presence,
    is_out_of_office: bool,
}

impl Says {
    /// Returns what to tell of a presence; `None` if nothing is known, so that the lamp shows that by itself (rule P4).
    pub(crate) fn of(presence: Presence, absence: Option<Absence>, is_out_of_office: bool) -> Option<Self> {
        let is_known = presence != Presence::Unknown && !absence.is_some_and(Absence::is_stale);
        is_known.then_some(Self { presence, is_out_of_office })
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
