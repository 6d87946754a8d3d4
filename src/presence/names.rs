//! The names on the wire: written exactly, read in any ASCII case, foreign data read without ever failing. Rule P3.

use super::Presence;

/// Makes an enum whose variants are spelled as Graph spells them.
macro_rules! wire_names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[expect(missing_docs, reason = "the names are Graph's; Presence documents the pairs they form")]
        pub enum $name { $($variant),* }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name on the wire. O(1).
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),* }
            }

            /// The value of a name, in any ASCII case (rule P3); `None` for a name that is not in the table. O(names).
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name().eq_ignore_ascii_case(name))
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

wire_names! {
    /// How available a user is: the coarse half of a [`Presence`]. Rule M3.
    Availability { PresenceUnknown, Offline, Away, BeRightBack, Available, Busy, DoNotDisturb }
}

wire_names! {
    /// What a user is doing: the fine half of a [`Presence`]. Rule M3.
    Activity {
        PresenceUnknown, Offline, OffWork, Away, BeRightBack, AvailableInactive, Available, Busy, InAMeeting, InACall,
        InAConferenceCall, DoNotDisturb, Focusing, UrgentInterruptionsOnly, Presenting,
    }
}

impl Availability {
    /// The presence that says no more than this availability. O(1).
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

/// The pair, or the byte, is not a presence: nothing in the table of rule M3 is called so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ParsePresenceError;

impl core::fmt::Display for ParsePresenceError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("no such presence")
    }
}

impl core::error::Error for ParsePresenceError {}

impl Presence {
    /// The presence of a pair that exists; `None` for two names that do not go together. O(presences).
    #[must_use]
    pub fn from_pair(availability: Availability, activity: Activity) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|presence| presence.availability() == availability && presence.activity() == activity)
    }

    /// The presence a command names: the names of the table in any ASCII case, nothing else. Rule P3. O(presences).
    ///
    /// # Errors
    ///
    /// [`ParsePresenceError`] for a name or a pair that is not in the table, older documented forms included.
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

    /// The presence somebody else's data means. It never fails (rule P3): the older documented forms are understood, an
    /// unknown activity beside a known availability is that availability's plain presence, and an unknown availability is
    /// [`Presence::Unknown`]. O(presences).
    ///
    /// ```
    /// use presence_core::Presence;
    ///
    /// assert_eq!(Presence::read("AvailableIdle", "Inactive"), Presence::AvailableInactive);
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
                None => return Self::Unknown,
            }
        };
        activity.and_then(|activity| Self::from_pair(availability, activity)).unwrap_or(availability.plain())
    }
}
