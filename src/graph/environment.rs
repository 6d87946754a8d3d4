//! The facts that an application supplies: time zones, the time on the wall, user principal names.

use crate::graph::date_time::DateTime;
use crate::id::UserId;
use crate::time::Instant;

/// The application's knowledge of the world, for features that need wall-clock time or names. Feature `details`.
///
/// Every method has a default for an application that does not know. A request calls each a few times at most, and a bulk
/// read calls [`epoch`](Self::epoch) for every user.
///
/// ```
/// use presence_core::graph::{Caller, Context, Environment, RawRequest, Request, Select};
/// use presence_core::{Instant, Policy, UserId};
///
/// const ADELE: UserId = UserId::from_bytes([0x11; 16]);
///
/// struct Names;
///
/// impl Environment for Names {
///     fn user(&self, principal_name: &str) -> Option<UserId> {
///         principal_name.eq_ignore_ascii_case("adele@example.com").then_some(ADELE)
///     }
/// }
///
/// let context = Context::new(Instant::ZERO, Caller::Trusted { me: None }).with_environment(&Names);
/// let raw = RawRequest::new("GET", "/users/Adele@example.com/presence");
/// let request = Request::parse(&raw, &context, &Policy::GRAPH);
/// assert_eq!(request, Ok(Request::Get { user: ADELE, select: Select::ALL }));
/// ```
pub trait Environment {
    /// Returns the Unix time, in milliseconds, of the instant 0. With `None`, times are written as null and a status message
    /// cannot have an expiry.
    fn epoch(&self) -> Option<u64> {
        None
    }

    /// Converts a local date and time to Unix time in milliseconds; `None` for an unknown zone.
    ///
    /// The date exists, but for a time that the zone skips; the zone is what a client sent, of any length. It is named as
    /// Windows or IANA do, in any case. A time that comes twice is the earlier instant; of one that is skipped, the offset from
    /// before counts ([T1](crate::rules#t1)). UTC, and a time with an offset of its own, need no call.
    fn zone(&self, local: DateTime, zone: &str) -> Option<u64> {
        let _ = (local, zone);
        None
    }

    /// Returns when the day of a user ends. With `None` it ends at midnight UTC, or in 24 hours without an
    /// [`epoch`](Self::epoch).
    fn end_of_day(&self, now: Instant, user: UserId) -> Option<Instant> {
        let _ = (now, user);
        None
    }

    /// Returns the user with a user principal name; `None` for an unknown name.
    fn user(&self, principal_name: &str) -> Option<UserId> {
        let _ = principal_name;
        None
    }

    /// Hands the user principal name of a user to `read`, for `GET /me` and `GET /users/{id}`.
    ///
    /// Without a call it is written as null, and so is one of more than 320 bytes. Only the first call counts.
    fn principal_name(&self, user: UserId, read: &mut dyn FnMut(&str)) {
        let _ = (user, read);
    }

    /// Hands the display name of a user to `read`. Without a call it is written as null, and so is one of more than 1,024 bytes.
    fn display_name(&self, user: UserId, read: &mut dyn FnMut(&str)) {
        let _ = (user, read);
    }
}
