//! Everything about a request that is not in it.

use crate::graph::caller::Caller;
#[cfg(feature = "details")]
use crate::graph::date_time::DateTime;
#[cfg(feature = "details")]
use crate::graph::environment::Environment;
#[cfg(feature = "details")]
use crate::graph::error::Field;
use crate::graph::trace::Trace;
use crate::id::UserId;
#[cfg(feature = "details")]
use crate::time::Duration;
use crate::time::Instant;

/// Everything about a request that is not in it: the time, the caller, and what the application knows.
///
/// ```
/// use presence_core::graph::{Caller, Context, Trace};
/// use presence_core::{Instant, UserId};
///
/// const OWNER: UserId = UserId::from_bytes([0x11; 16]);
///
/// let context = Context::new(Instant::from_secs(5), Caller::Trusted { me: Some(OWNER) })
///     .with_trace(Trace { request_id: Some("42"), ..Trace::default() })
///     .with_known_users(&|user| user == OWNER);
/// assert_eq!(context.caller.me(), Some(OWNER));
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Context<'a> {
    /// The moment at which the request is executed.
    pub now: Instant,
    /// The sender of the request.
    pub caller: Caller,
    /// The ids and the date for error bodies.
    pub trace: Trace<'a>,
    /// The users that exist, as a predicate; `None` if every GUID is a user.
    pub known_users: Option<&'a dyn Fn(UserId) -> bool>,
    /// Zones, the time on the wall and user principal names. Feature `details`.
    #[cfg(feature = "details")]
    pub environment: Option<&'a dyn Environment>,
}

impl<'a> Context<'a> {
    /// Creates the context of a request, in an application where every GUID is a user.
    #[must_use]
    pub const fn new(now: Instant, caller: Caller) -> Self {
        Self {
            now,
            caller,
            trace: Trace::new(),
            known_users: None,
            #[cfg(feature = "details")]
            environment: None,
        }
    }

    /// Sets the ids and the date for error bodies.
    #[must_use]
    pub const fn with_trace(mut self, trace: Trace<'a>) -> Self {
        self.trace = trace;
        self
    }

    /// Sets which users exist: others read as `PresenceUnknown`, and writes to them fail with 404.
    #[must_use]
    pub const fn with_known_users(mut self, known_users: &'a dyn Fn(UserId) -> bool) -> Self {
        self.known_users = Some(known_users);
        self
    }

    /// Sets where zones, the time on the wall and user principal names are looked up. Feature `details`.
    #[cfg(feature = "details")]
    #[must_use]
    pub const fn with_environment(mut self, environment: &'a dyn Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    pub(super) const fn me(&self) -> Option<&UserId> {
        self.caller.me_ref()
    }

    pub(super) fn knows(&self, user: UserId) -> bool {
        self.known_users.is_none_or(|is_known| is_known(user))
    }
}

/// Reports whether a name means UTC for a caller who knows no zones.
///
/// Windows has `UTC`, Linux `Etc/UTC` where it is not `UTC`, and Graph writes the third itself. `Etc/GMT` is among the zones
/// that Graph lists; `GMT` is its other name. Their further aliases are left to [`Environment::zone`].
#[cfg(feature = "details")]
pub(crate) fn is_utc(zone: &str) -> bool {
    ["UTC", "Etc/UTC", "tzone://Microsoft/Utc", "Etc/GMT", "GMT"].iter().any(|utc| zone.eq_ignore_ascii_case(utc))
}

#[cfg(feature = "details")]
impl Context<'_> {
    pub(super) fn epoch(&self) -> Option<u64> {
        self.environment?.epoch()
    }

    pub(super) fn user_named(&self, principal_name: &str) -> Option<UserId> {
        self.environment?.user(principal_name)
    }

    /// Returns the instant of a date and time with an offset, in minutes, or in a zone; UTC where there is neither.
    ///
    /// # Errors
    ///
    /// The field at fault: the expiry without a wall clock, the zone if it is unknown.
    pub(super) fn instant(&self, local: DateTime, offset: Option<i16>, zone: Option<&str>) -> Result<Instant, Field> {
        let epoch = self.epoch().ok_or(Field::ExpiryDateTime)?;
        let unix = match (offset, zone) {
            (None, Some(zone)) if !is_utc(zone) => {
                self.environment.and_then(|environment| environment.zone(local, zone)).ok_or(Field::TimeZone)?
            }
            _ => local.to_unix_millis_at(offset.unwrap_or(0)),
        };
        Ok(Instant::from_millis(unix.saturating_sub(epoch)))
    }

    /// Returns when the day of a user ends; later than now.
    pub(super) fn end_of_day(&self, user: UserId) -> Instant {
        const DAY: u64 = Duration::from_days(1).as_millis();
        let known = self.environment.and_then(|environment| environment.end_of_day(self.now, user));
        known.filter(|end| *end > self.now).unwrap_or_else(|| {
            let since_midnight = self
                .epoch()
                .map_or(0, |epoch| epoch.saturating_add(self.now.as_millis()).checked_rem(DAY).unwrap_or(0));
            self.now.saturating_add(Duration::from_millis(DAY.saturating_sub(since_midnight)))
        })
    }
}

impl core::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Context").field("now", &self.now).field("caller", &self.caller).finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Context<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Context({}, {})", self.now, self.caller);
    }
}
