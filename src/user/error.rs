//! The errors of decisions. Each says which part of the policy rejects the command, and what that part allows.

use crate::presence::{Presence, PresenceSet};
use crate::time::{DurationRange, Instant};
use core::fmt::{self, Display, Formatter};

/// The error for a session that the user does not have: never set, expired, or cleared before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NotFound;

/// The error of [`set_presence`](super::set_presence). Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SetPresenceError {
    /// The lease is outside [`Policy::leases`](crate::Policy::leases).
    Lease {
        /// The range of the policy.
        allowed: DurationRange,
    },
    /// The presence is not in [`Policy::sessions`](crate::Policy::sessions).
    Presence {
        /// The presence of the command.
        presence: Presence,
        /// The set of the policy.
        allowed: PresenceSet,
    },
    /// The user has `SESSIONS` sessions already, and this is another one.
    Full,
}

/// The error of [`set_preferred_presence`](super::set_preferred_presence). Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SetPreferredError {
    /// The duration is outside [`Policy::preferred_durations`](crate::Policy::preferred_durations).
    Duration {
        /// The range of the policy.
        allowed: DurationRange,
    },
    /// The presence is not in [`Policy::preferred`](crate::Policy::preferred).
    Presence {
        /// The presence of the command.
        presence: Presence,
        /// The set of the policy.
        allowed: PresenceSet,
    },
}

/// The error of any [`Command`](super::Command). Nothing has changed.
///
/// It names the part of the policy that rejects the command, but not what that part allows: one byte travels through stores and
/// queues. [`SetPresenceError`] and [`SetPreferredError`] say that, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CommandError {
    /// The user has no such session.
    NotFound,
    /// The lease is outside [`Policy::leases`](crate::Policy::leases).
    Lease,
    /// A session was to be set to a presence that is not in [`Policy::sessions`](crate::Policy::sessions).
    Presence,
    /// The duration is outside [`Policy::preferred_durations`](crate::Policy::preferred_durations).
    PreferredDuration,
    /// The preferred presence was to be one that is not in [`Policy::preferred`](crate::Policy::preferred).
    PreferredPresence,
    /// The user has `SESSIONS` sessions already, and this is another one.
    SessionsFull,
    /// The directory, or another store, has no room for another user.
    UsersFull,
}

/// The error for a user of which something was due at or before the moment.
///
/// Apply what [`next_due`](super::next_due) returns until it returns `None`, or call `advance` of whatever holds the user, then
/// try again ([S8](crate::rules#s8)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct OverdueError {
    /// The first deadline that has passed.
    pub deadline: Instant,
}

impl OverdueError {
    /// Creates the error, for wrappers that keep deadlines of their own.
    #[must_use]
    pub const fn new(deadline: Instant) -> Self {
        Self { deadline }
    }
}

impl From<NotFound> for CommandError {
    fn from(_: NotFound) -> Self {
        Self::NotFound
    }
}

impl From<SetPresenceError> for CommandError {
    #[inline(always)]
    fn from(error: SetPresenceError) -> Self {
        match error {
            SetPresenceError::Lease { .. } => Self::Lease,
            SetPresenceError::Presence { .. } => Self::Presence,
            SetPresenceError::Full => Self::SessionsFull,
        }
    }
}

impl From<SetPreferredError> for CommandError {
    #[inline(always)]
    fn from(error: SetPreferredError) -> Self {
        match error {
            SetPreferredError::Duration { .. } => Self::PreferredDuration,
            SetPreferredError::Presence { .. } => Self::PreferredPresence,
        }
    }
}

impl Display for NotFound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("no such session")
    }
}

impl Display for SetPresenceError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        CommandError::from(*self).fmt(f)?;
        match self {
            Self::Lease { allowed } => write!(f, ": {allowed}"),
            Self::Presence { presence, allowed } => write!(f, ": {presence:?} is none of {allowed}"),
            Self::Full => Ok(()),
        }
    }
}

impl Display for SetPreferredError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        CommandError::from(*self).fmt(f)?;
        match self {
            Self::Duration { allowed } => write!(f, ": {allowed}"),
            Self::Presence { presence, allowed } => write!(f, ": {presence:?} is none of {allowed}"),
        }
    }
}

impl Display for CommandError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "no such session",
            Self::Lease => "the lease is outside Policy::leases",
            Self::Presence => "the presence is not in Policy::sessions",
            Self::PreferredDuration => "the duration is outside Policy::preferred_durations",
            Self::PreferredPresence => "the presence is not in Policy::preferred",
            Self::SessionsFull => "the user has no room for another session",
            Self::UsersFull => "no room for another user",
        })
    }
}

impl Display for OverdueError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "something was due at {} and is not applied: apply next_due, or call advance, first", self.deadline)
    }
}

impl core::error::Error for NotFound {}
impl core::error::Error for SetPresenceError {}
impl core::error::Error for SetPreferredError {}
impl core::error::Error for CommandError {}
impl core::error::Error for OverdueError {}
