//! The state of the link, apart from any presence.

use super::Follower;
#[cfg(feature = "indicator")]
use crate::indicator::{Appearance, Palette};
use crate::time::Instant;

/// The failures in a row after which the link is down: one lost answer changes nothing.
const DOWN_AFTER: u8 = 2;

/// The state of the link to what is followed: it says nothing about a presence ([F2](crate::rules#f2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Link {
    /// No answer has come yet.
    NoAnswer,
    /// The newest answer was understood, and still holds.
    Ok,
    /// No answer that is understood comes any more.
    Down,
    /// A person has to sign in.
    SignIn,
}

#[cfg(feature = "indicator")]
impl Link {
    /// Returns the appearance of this state in a palette; `None` if there is nothing to show.
    ///
    /// No answer yet is shown as a link that is down.
    ///
    /// ```
    /// use presence_core::client::Link;
    /// use presence_core::indicator::Palette;
    ///
    /// assert_eq!(Link::SignIn.appearance(&Palette::DEFAULT), Some(Palette::DEFAULT.link_sign_in));
    /// assert_eq!(Link::Ok.appearance(&Palette::DEFAULT), None);
    /// ```
    #[must_use]
    pub const fn appearance(self, palette: &Palette) -> Option<Appearance> {
        match self {
            Self::Ok => None,
            Self::NoAnswer | Self::Down => Some(palette.link_offline),
            Self::SignIn => Some(palette.link_sign_in),
        }
    }
}

impl<S> Follower<S> {
    /// Returns the state of the link at `now`.
    ///
    /// It is down after two failures in a row, and when the newest answer is older than its lease.
    #[must_use]
    pub fn link(&self, now: Instant) -> Link {
        match self.fresh {
            _ if self.needs_sign_in => Link::SignIn,
            _ if self.failures >= DOWN_AFTER => Link::Down,
            None => Link::NoAnswer,
            Some(fresh) if fresh.is_over(now) => Link::Down,
            Some(_) => Link::Ok,
        }
    }

    /// Stops asking until [`signed_in`](Self::signed_in), because a person has to sign in:
    /// [`SignIn::end`](crate::client::SignIn::end) knows.
    pub fn sign_in_needed(&mut self) {
        self.needs_sign_in = true;
    }

    /// Goes on after a sign-in. The pauses are what they were.
    pub fn signed_in(&mut self) {
        self.needs_sign_in = false;
    }
}
