//! A palette: the appearance of every presence and of the link, as plain data.

use super::Appearance;
use crate::presence::{Availability, Presence};
use crate::time::Duration;

/// The appearance of a light for each presence: plain data, which an application can replace completely or in part.
///
/// The palettes of the library show the availability by colour and the activity by pattern. They also work without colours:
/// availabilities with the same pattern differ in luminance. The state of the link to the source of presences is blue, in a
/// pattern that no presence has, and never red: a fault must not look like a presence.
///
/// ```
/// use presence_core::Presence;
/// use presence_core::indicator::{Appearance, Palette, Pattern, Period, Rgb};
///
/// // One presence by value ...
/// const CALLS: Appearance = Appearance {
///     colour: Rgb::from_hex(0xFF2000),
///     level: 255,
///     pattern: Pattern::Blink { on_ms: 900, period: Period::from_millis(1000) },
/// };
/// const LOUD: Palette = Palette::DEFAULT.with(Presence::InACall, CALLS).with(Presence::InAConferenceCall, CALLS);
/// // ... or by name: this light stays dark if there is no news.
/// const QUIET: Palette = Palette { no_news: Appearance::OFF, ..Palette::DEFAULT };
/// assert_eq!(LOUD.of(Presence::InACall), CALLS);
/// assert_eq!(QUIET.of(Presence::Unknown), Appearance::OFF);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Palette {
    /// The appearance of no news: Unknown, or Offline unless the last session was cleared. Rule [A5](crate::rules#a5).
    pub no_news: Appearance,
    /// The appearance of Offline after the last session was cleared: the user is gone.
    pub offline: Appearance,
    /// The appearance of OffWork, which clients call “appear offline”.
    pub off_work: Appearance,
    /// The appearance of Away.
    pub away: Appearance,
    /// The appearance of BeRightBack.
    pub be_right_back: Appearance,
    /// The appearance of AvailableInactive: available, but idle for a while.
    pub available_inactive: Appearance,
    /// The appearance of Available.
    pub available: Appearance,
    /// The appearance of Busy.
    pub busy: Appearance,
    /// The appearance of InAMeeting, from a calendar.
    pub in_a_meeting: Appearance,
    /// The appearance of InACall.
    pub in_a_call: Appearance,
    /// The appearance of InAConferenceCall.
    pub in_a_conference_call: Appearance,
    /// The appearance of DoNotDisturb.
    pub do_not_disturb: Appearance,
    /// The appearance of Focusing, from a calendar.
    pub focusing: Appearance,
    /// The appearance of UrgentInterruptionsOnly.
    pub urgent_interruptions_only: Appearance,
    /// The appearance of Presenting.
    pub presenting: Appearance,
    /// The appearance of a user who is out of office and not there: see [`Self::appearance_out_of_office`].
    pub out_of_office: Appearance,
    /// The appearance of a link to the source of presences that is down. Rule [F2](crate::rules#f2).
    pub link_offline: Appearance,
    /// The appearance of a link that needs a person to sign in.
    pub link_sign_in: Appearance,
    /// The appearance of a link with a fault that neither time nor a sign-in mends.
    pub link_fault: Appearance,
    /// The shortest time for which an appearance is shown, for [`Animation::with_dwell`](super::Animation::with_dwell).
    pub dwell: Duration,
}

impl Palette {
    /// Returns the appearance of a presence. [`Presence::Unknown`] is [`no_news`](Self::no_news).
    #[must_use]
    pub const fn of(&self, presence: Presence) -> Appearance {
        match presence {
            Presence::Unknown => self.no_news,
            Presence::Offline => self.offline,
            Presence::OffWork => self.off_work,
            Presence::Away => self.away,
            Presence::BeRightBack => self.be_right_back,
            Presence::AvailableInactive => self.available_inactive,
            Presence::Available => self.available,
            Presence::Busy => self.busy,
            Presence::InAMeeting => self.in_a_meeting,
            Presence::InACall => self.in_a_call,
            Presence::InAConferenceCall => self.in_a_conference_call,
            Presence::DoNotDisturb => self.do_not_disturb,
            Presence::Focusing => self.focusing,
            Presence::UrgentInterruptionsOnly => self.urgent_interruptions_only,
            Presence::Presenting => self.presenting,
        }
    }

    /// Returns the appearance of a user who is out of office (rule [P4](crate::rules#p4)).
    ///
    /// It is [`out_of_office`](Self::out_of_office) if the user is unknown, offline or away, and that of the presence otherwise:
    /// a user who is available or busy is there.
    ///
    /// ```
    /// use presence_core::Presence;
    /// use presence_core::indicator::Palette;
    ///
    /// let palette = &Palette::DEFAULT;
    /// assert_eq!(palette.appearance_out_of_office(Presence::Away), palette.out_of_office);
    /// assert_eq!(palette.appearance_out_of_office(Presence::InACall), palette.in_a_call);
    /// ```
    #[must_use]
    pub const fn appearance_out_of_office(&self, presence: Presence) -> Appearance {
        match presence.availability() {
            Availability::PresenceUnknown | Availability::Offline | Availability::Away | Availability::BeRightBack => {
                self.out_of_office
            }
            Availability::Available | Availability::Busy | Availability::DoNotDisturb => self.of(presence),
        }
    }

    /// Returns this palette with another appearance of one presence, for constants.
    ///
    /// [`Presence::Unknown`] replaces [`no_news`](Self::no_news).
    #[must_use]
    pub const fn with(mut self, presence: Presence, appearance: Appearance) -> Self {
        let entry = match presence {
            Presence::Unknown => &mut self.no_news,
            Presence::Offline => &mut self.offline,
            Presence::OffWork => &mut self.off_work,
            Presence::Away => &mut self.away,
            Presence::BeRightBack => &mut self.be_right_back,
            Presence::AvailableInactive => &mut self.available_inactive,
            Presence::Available => &mut self.available,
            Presence::Busy => &mut self.busy,
            Presence::InAMeeting => &mut self.in_a_meeting,
            Presence::InACall => &mut self.in_a_call,
            Presence::InAConferenceCall => &mut self.in_a_conference_call,
            Presence::DoNotDisturb => &mut self.do_not_disturb,
            Presence::Focusing => &mut self.focusing,
            Presence::UrgentInterruptionsOnly => &mut self.urgent_interruptions_only,
            Presence::Presenting => &mut self.presenting,
        };
        *entry = appearance;
        self
    }
}

impl Default for Palette {
    /// Returns [`Palette::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}
