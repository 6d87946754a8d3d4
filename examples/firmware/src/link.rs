//! The state of the link to the source of presences, which a host reports (rule L6).

use presence_core::indicator::{Appearance, Palette};

/// The state of the link to the source of presences, shown apart from any presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Link {
    /// The source answers.
    Ok,
    /// The source does not answer.
    Offline,
    /// A person has to sign in.
    SignIn,
    /// A fault that neither time nor a sign-in mends.
    Fault,
}

impl Link {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Offline, Self::SignIn, Self::Fault];

    /// Returns the state's name on the serial line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Offline => "offline",
            Self::SignIn => "signIn",
            Self::Fault => "fault",
        }
    }

    /// Returns the state with this name; ASCII case does not matter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|link| link.name().eq_ignore_ascii_case(name))
    }

    /// Returns the state's appearance; `None` if there is nothing to show.
    #[must_use]
    pub const fn appearance(self, palette: &Palette) -> Option<Appearance> {
        match self {
            Self::Ok => None,
            Self::Offline => Some(palette.link_offline),
            Self::SignIn => Some(palette.link_sign_in),
            Self::Fault => Some(palette.link_fault),
        }
    }

    /// Reports whether the state needs a person, so that it is shown beside a presence that is known.
    #[must_use]
    pub const fn needs_a_person(self) -> bool {
        matches!(self, Self::SignIn | Self::Fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_in_any_case() {
        for link in Link::ALL {
            assert_eq!(Link::from_name(link.name()), Some(link));
        }
        assert_eq!(Link::from_name("SIGNIN"), Some(Link::SignIn));
        assert_eq!(["", "down", "ok "].map(Link::from_name), [None; 3]);
    }

    #[test]
    fn every_state_but_ok_has_an_appearance_of_its_own() {
        let shown = Link::ALL.map(|link| link.appearance(&Palette::DEFAULT));
        assert_eq!(shown[0], None);
        assert!(shown[1] != shown[2] && shown[2] != shown[3] && shown[1] != shown[3]);
        assert_eq!(Link::ALL.map(Link::needs_a_person), [false, false, true, true]);
    }
}
