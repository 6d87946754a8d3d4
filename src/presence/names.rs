//! The names on the wire: written exactly, read in any ASCII case.

use super::Presence;

/// Defines an enum whose variants are spelled as Graph spells them.
macro_rules! wire_names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[expect(missing_docs, reason = "the names are Graph's; Presence documents the pairs they form")]
        pub enum $name { $($variant),* }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),* }
            }

            /// Returns the value of a name in any ASCII case; `None` for an unknown name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name().eq_ignore_ascii_case(name))
            }
        }

        impl core::str::FromStr for $name {
            type Err = ParsePresenceError;

            fn from_str(name: &str) -> Result<Self, ParsePresenceError> {
                Self::from_name(name).ok_or(ParsePresenceError)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

wire_names! {
    /// The coarse half of a [`Presence`]: how available a user is.
    Availability { PresenceUnknown, Offline, Away, BeRightBack, Available, Busy, DoNotDisturb }
}

wire_names! {
    /// The fine half of a [`Presence`]: what a user does.
    Activity {
        PresenceUnknown, Offline, OffWork, Away, BeRightBack, AvailableInactive, Available, Busy, InAMeeting, InACall,
        InAConferenceCall, DoNotDisturb, Focusing, UrgentInterruptionsOnly, Presenting,
    }
}

impl Availability {
    /// Returns the plain presence of this availability: the one whose activity adds nothing.
    #[must_use]
    pub const fn plain(self) -> Presence {
        match self {
            Self::PresenceUnknown => Presence::Unknown,
            Self::Offline => Presence::Offline,
            Self::Away => Presence::Away,
            Self::BeRightBack => Presence::BeRightBack,
            Self::Available => Presence::Available,
            Self::Busy => Presence::Busy,
            Self::DoNotDisturb => Presence::DoNotDisturb,
        }
    }
}

/// The error for a name, a pair or a byte that is not in [the table](crate::rules#section-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ParsePresenceError;

impl core::fmt::Display for ParsePresenceError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("no such presence")
    }
}

impl core::error::Error for ParsePresenceError {}

impl Presence {
    /// Returns the presence of a pair; `None` for a pair that is not in the table.
    #[must_use]
    pub fn from_pair(availability: Availability, activity: Activity) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|presence| presence.availability() == availability && presence.activity() == activity)
    }

    /// Reads the pair of a command: names of the table, in any ASCII case ([P3](crate::rules#p3)).
    ///
    /// # Errors
    ///
    /// [`ParsePresenceError`] for a name or a pair that is not in the table, such as Graph's older forms.
    ///
    /// ```
    /// use presence_core::Presence;
    ///
    /// assert_eq!(Presence::from_names("busy", "inACall"), Ok(Presence::InACall));
    /// assert!(Presence::from_names("Available", "InACall").is_err());
    /// ```
    pub fn from_names(availability: &str, activity: &str) -> Result<Self, ParsePresenceError> {
        let availability = Availability::from_name(availability).ok_or(ParsePresenceError)?;
        let activity = Activity::from_name(activity).ok_or(ParsePresenceError)?;
        Self::from_pair(availability, activity).ok_or(ParsePresenceError)
    }

    /// Reads the pair of data from elsewhere, whatever it says ([P3](crate::rules#p3)).
    ///
    /// Graph's older forms are understood, and so are the activities that it also lists as availabilities; an unknown
    /// activity with a known availability is that availability's plain presence; an unknown availability is
    /// [`Presence::Unknown`].
    ///
    /// ```
    /// use presence_core::Presence;
    ///
    /// assert_eq!(Presence::read("AvailableIdle", "Inactive"), Presence::AvailableInactive);
    /// assert_eq!(Presence::read("InAMeeting", "OutOfOffice"), Presence::InAMeeting);
    /// assert_eq!(Presence::read("Away", "BeRightBack"), Presence::BeRightBack);
    /// assert_eq!(Presence::read("Busy", "Juggling"), Presence::Busy);
    /// assert_eq!(Presence::read("Levitating", "Levitating"), Presence::Unknown);
    /// ```
    #[must_use]
    pub fn read(availability: &str, activity: &str) -> Self {
        if availability.eq_ignore_ascii_case("AvailableIdle") {
            return Self::AvailableInactive;
        }
        let activity = Activity::from_name(activity);
        let availability = if availability.eq_ignore_ascii_case("BusyIdle") {
            Availability::Busy
        } else {
            match Availability::from_name(availability) {
                Some(Availability::Away) if activity == Some(Activity::BeRightBack) => Availability::BeRightBack,
                Some(availability) => availability,
                None => return Self::read_activity_as_availability(availability),
            }
        };
        activity.and_then(|activity| Self::from_pair(availability, activity)).unwrap_or(availability.plain())
    }

    /// Reads an availability that is the name of an activity, as Graph's page of the resource lists four.
    fn read_activity_as_availability(name: &str) -> Self {
        const LISTED: [Presence; 4] =
            [Presence::Focusing, Presence::InACall, Presence::InAMeeting, Presence::Presenting];
        let is_named = |presence: &Self| presence.activity().name().eq_ignore_ascii_case(name);
        LISTED.into_iter().find(is_named).unwrap_or(Self::Unknown)
    }
}

impl Activity {
    /// Reports whether an activity, as another system names it, says that the user is out of office
    /// ([P4](crate::rules#p4)).
    ///
    /// It is no activity of the table: the presence beside it is the availability's.
    ///
    /// ```
    /// use presence_core::{Activity, Presence};
    ///
    /// assert!(Activity::is_out_of_office("OutOfOffice"));
    /// assert_eq!(Presence::read("Busy", "OutOfOffice"), Presence::Busy);
    /// ```
    #[must_use]
    pub fn is_out_of_office(name: &str) -> bool {
        name.eq_ignore_ascii_case("OutOfOffice")
    }
}

impl core::str::FromStr for Presence {
    type Err = ParsePresenceError;

    /// Reads `availability/activity`, as `Display` writes it, or an activity alone, in any ASCII case.
    fn from_str(text: &str) -> Result<Self, ParsePresenceError> {
        // `split_once` links a panic.
        if let Some(slash) = text.bytes().position(|byte| byte == b'/') {
            let (availability, activity) = (text.get(..slash), text.get(slash.saturating_add(1)..));
            return Self::from_names(availability.unwrap_or_default(), activity.unwrap_or_default());
        }
        let activity: Activity = text.parse()?;
        Self::ALL.into_iter().find(|presence| presence.activity() == activity).ok_or(ParsePresenceError)
    }
}
