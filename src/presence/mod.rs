//! [`Presence`], one ordered byte, and sets of presences for policies.

mod names;
mod set;

pub use names::{Activity, Availability, ParsePresenceError};
pub use set::PresenceSet;

use crate::padded::pad;

/// A presence: an (availability, activity) pair of [the table](crate::rules#section-2), as one ordered byte.
///
/// The order is precedence, from weakest to strongest, and total: sessions are aggregated with `max`, and two applications
/// that refresh in turn cannot make the result flap. Pairs outside the table cannot be built.
///
/// `Display` shows the pair; `FromStr` reads it, or the activity alone, which differs for every presence.
///
/// ```
/// use presence_core::{Activity, Availability, Presence};
///
/// assert!(Presence::InACall > Presence::Available);
/// assert_eq!(Presence::InACall.availability(), Availability::Busy);
/// assert_eq!(Presence::InACall.activity(), Activity::InACall);
/// assert_eq!(u8::from(Presence::InACall), 9);
/// assert_eq!(Presence::from_byte(9), Some(Presence::InACall));
/// assert_eq!(Presence::InACall.to_string(), "Busy/InACall");
/// assert_eq!("Busy/InACall".parse(), Ok(Presence::InACall));
/// assert_eq!("inacall".parse(), Ok(Presence::InACall));
/// ```
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Presence {
    /// PresenceUnknown / PresenceUnknown: data from elsewhere that cannot be read, or an unknown user.
    Unknown = 0,
    /// Offline / Offline: the user has no session.
    #[default]
    Offline = 1,
    /// Offline / OffWork: “appear offline”.
    OffWork = 2,
    /// Away / Away: set, or the second fade of Available.
    Away = 3,
    /// BeRightBack / BeRightBack: away for a moment.
    BeRightBack = 4,
    /// Available / AvailableInactive: the first fade of Available.
    AvailableInactive = 5,
    /// Available / Available: the only presence that fades.
    Available = 6,
    /// Busy / Busy: the plain form.
    Busy = 7,
    /// Busy / InAMeeting: set by calendars.
    InAMeeting = 8,
    /// Busy / InACall: a call with one other.
    InACall = 9,
    /// Busy / InAConferenceCall: a call with several others.
    InAConferenceCall = 10,
    /// DoNotDisturb / DoNotDisturb: the plain form.
    DoNotDisturb = 11,
    /// DoNotDisturb / Focusing: set by calendars.
    Focusing = 12,
    /// DoNotDisturb / UrgentInterruptionsOnly: urgent contacts get through.
    UrgentInterruptionsOnly = 13,
    /// DoNotDisturb / Presenting: the strongest.
    Presenting = 14,
}

impl Presence {
    /// Every presence, weakest first.
    pub const ALL: [Self; 15] = [
        Self::Unknown,
        Self::Offline,
        Self::OffWork,
        Self::Away,
        Self::BeRightBack,
        Self::AvailableInactive,
        Self::Available,
        Self::Busy,
        Self::InAMeeting,
        Self::InACall,
        Self::InAConferenceCall,
        Self::DoNotDisturb,
        Self::Focusing,
        Self::UrgentInterruptionsOnly,
        Self::Presenting,
    ];

    /// Returns the byte of this presence: 0 to 14, the same in every version of this crate.
    ///
    /// It fits an `AtomicU8`, a HID report or an EEPROM cell.
    #[must_use]
    pub const fn as_byte(self) -> u8 {
        self as u8
    }

    /// Returns the presence of a byte from [`as_byte`](Self::as_byte); `None` from 15 up.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        // A match on the byte: an index into ALL would read the same, and could panic.
        Some(match byte {
            0 => Self::Unknown,
            1 => Self::Offline,
            2 => Self::OffWork,
            3 => Self::Away,
            4 => Self::BeRightBack,
            5 => Self::AvailableInactive,
            6 => Self::Available,
            7 => Self::Busy,
            8 => Self::InAMeeting,
            9 => Self::InACall,
            10 => Self::InAConferenceCall,
            11 => Self::DoNotDisturb,
            12 => Self::Focusing,
            13 => Self::UrgentInterruptionsOnly,
            14 => Self::Presenting,
            _ => return None,
        })
    }

    /// Returns the coarse half of the pair: how available the user is.
    #[must_use]
    pub const fn availability(self) -> Availability {
        match self {
            Self::Unknown => Availability::PresenceUnknown,
            Self::Offline | Self::OffWork => Availability::Offline,
            Self::Away => Availability::Away,
            Self::BeRightBack => Availability::BeRightBack,
            Self::AvailableInactive | Self::Available => Availability::Available,
            Self::Busy | Self::InAMeeting | Self::InACall | Self::InAConferenceCall => Availability::Busy,
            Self::DoNotDisturb | Self::Focusing | Self::UrgentInterruptionsOnly | Self::Presenting => {
                Availability::DoNotDisturb
            }
        }
    }

    /// Returns the fine half of the pair: what the user does. It differs for every presence.
    #[must_use]
    pub const fn activity(self) -> Activity {
        match self {
            Self::Unknown => Activity::PresenceUnknown,
            Self::Offline => Activity::Offline,
            Self::OffWork => Activity::OffWork,
            Self::Away => Activity::Away,
            Self::BeRightBack => Activity::BeRightBack,
            Self::AvailableInactive => Activity::AvailableInactive,
            Self::Available => Activity::Available,
            Self::Busy => Activity::Busy,
            Self::InAMeeting => Activity::InAMeeting,
            Self::InACall => Activity::InACall,
            Self::InAConferenceCall => Activity::InAConferenceCall,
            Self::DoNotDisturb => Activity::DoNotDisturb,
            Self::Focusing => Activity::Focusing,
            Self::UrgentInterruptionsOnly => Activity::UrgentInterruptionsOnly,
            Self::Presenting => Activity::Presenting,
        }
    }
}

impl From<Presence> for u8 {
    fn from(presence: Presence) -> Self {
        presence.as_byte()
    }
}

impl TryFrom<u8> for Presence {
    type Error = ParsePresenceError;

    fn try_from(byte: u8) -> Result<Self, ParsePresenceError> {
        Self::from_byte(byte).ok_or(ParsePresenceError)
    }
}

impl core::fmt::Display for Presence {
    /// Writes availability and activity as on the wire: `Busy/InACall`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        pad::<40>(f, format_args!("{}/{}", self.availability().name(), self.activity().name()))
    }
}
