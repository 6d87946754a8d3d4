//! What can be shown: [`Presence`], one ordered byte, and the sets of them that a policy allows.

mod names;
mod set;

pub use names::{Activity, Availability, ParsePresenceError};
pub use set::PresenceSet;

/// What a user shows: an (availability, activity) pair that exists, as one ordered byte. Rules M3, A3.
///
/// The order is precedence, from weakest to strongest, and it is total: aggregating sessions is `max`, there are no ties
/// between different presences, and no two applications can make the result flap. Pairs that do not exist cannot be built.
///
/// ```
/// use presence_core::{Activity, Availability, Presence};
///
/// assert!(Presence::InACall > Presence::Available);
/// assert_eq!(Presence::InACall.availability(), Availability::Busy);
/// assert_eq!(Presence::InACall.activity(), Activity::InACall);
/// assert_eq!(u8::from(Presence::InACall), 9);
/// assert_eq!(Presence::from_byte(9), Some(Presence::InACall));
/// ```
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Presence {
    /// PresenceUnknown / PresenceUnknown: foreign data that says nothing, or a user nobody knows.
    Unknown = 0,
    /// Offline / Offline: no session.
    #[default]
    Offline = 1,
    /// Offline / OffWork: “appear offline”.
    OffWork = 2,
    /// Away / Away: set, or the second fade of Available.
    Away = 3,
    /// BeRightBack / BeRightBack.
    BeRightBack = 4,
    /// Available / AvailableInactive: the first fade of Available.
    AvailableInactive = 5,
    /// Available / Available.
    Available = 6,
    /// Busy / Busy.
    Busy = 7,
    /// Busy / InAMeeting: what calendars say.
    InAMeeting = 8,
    /// Busy / InACall.
    InACall = 9,
    /// Busy / InAConferenceCall.
    InAConferenceCall = 10,
    /// DoNotDisturb / DoNotDisturb.
    DoNotDisturb = 11,
    /// DoNotDisturb / Focusing: what calendars say.
    Focusing = 12,
    /// DoNotDisturb / UrgentInterruptionsOnly.
    UrgentInterruptionsOnly = 13,
    /// DoNotDisturb / Presenting: the strongest.
    Presenting = 14,
}

impl Presence {
    /// Every presence, weakest first: the table of rule M3.
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

    /// The byte of this presence, 0 to 14, for an `AtomicU8`, a HID report or an EEPROM cell. It never changes between
    /// versions. O(1).
    #[must_use]
    pub const fn as_byte(self) -> u8 {
        self as u8
    }

    /// The presence of a byte made by [`as_byte`](Self::as_byte); `None` from 15 up. O(1).
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

    /// How available the user is: the coarse half of the pair. O(1).
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

    /// What the user is doing: the fine half of the pair, different for every presence. O(1).
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
    /// Availability/activity, as on the wire: `Busy/InACall`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.availability().name(), self.activity().name())
    }
}
