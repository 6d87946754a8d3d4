//! The look of a light: the decision what it shows, out of everything that is known.

use crate::link::Link;
use presence_core::indicator::{Appearance, Palette};
use presence_core::{Absence, Presence};

/// The kind of thing that a light shows: a glyph has a shape for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Sign {
    /// The presence.
    Presence,
    /// The user is out of office and not there.
    OutOfOffice,
    /// The state of the link to the source of presences.
    Link(Link),
}

/// Everything that a light shows: what is known of the user, and of the link to the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub presence: Presence,
    pub absence: Option<Absence>,
    pub is_out_of_office: bool,
    pub link: Link,
}

/// A sign, its presence and its appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub sign: Sign,
    /// The presence; [`Presence::Unknown`] stands for “no news”.
    pub presence: Presence,
    pub appearance: Appearance,
}

impl Look {
    /// The look of a light that is dark because nothing is known.
    pub(crate) const DARK: Self =
        Self { sign: Sign::Presence, presence: Presence::Unknown, appearance: Appearance::OFF };
}

impl Known {
    /// Nothing.
    pub(crate) const NOTHING: Self =
        Self { presence: Presence::Unknown, absence: None, is_out_of_office: false, link: Link::Ok };

    /// Returns the look of the user, whatever the link.
    pub(crate) fn user(&self, palette: &Palette) -> Look {
        let presence = match self.absence {
            Some(absence) if absence.is_stale() => Presence::Unknown,
            _ => self.presence,
        };
        // Out of office, a user who is available or busy is there.
        if self.is_out_of_office && presence < Presence::AvailableInactive {
            let appearance = palette.appearance_out_of_office(presence);
            return Look { sign: Sign::OutOfOffice, presence, appearance };
        }
        Look { sign: Sign::Presence, presence, appearance: palette.appearance(self.presence, self.absence) }
    }

    /// Returns the look of the link, if it is shown: in place of “no news”, and beside everything else if it needs a person.
    pub(crate) fn link(&self, palette: &Palette) -> Option<Look> {
        let user = self.user(palette);
        let appearance = self.link.appearance(palette)?;
        let look = Look { sign: Sign::Link(self.link), presence: user.presence, appearance };
        (user.is_no_news() || self.link.needs_a_person()).then_some(look)
    }
}

impl Look {
    /// Returns the same, dark.
    pub(crate) const fn dark(self) -> Self {
        Self { appearance: Appearance::OFF, ..self }
    }

    /// Reports whether this is “no news”.
    pub(crate) fn is_no_news(&self) -> bool {
        self.sign == Sign::Presence && self.presence == Presence::Unknown
    }

    /// Reports whether a light that looks so says nothing about a user who is there: “no news”, or dark.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_no_news() || self.appearance.level == 0
    }
}
