//! What the library cannot know of the world, and asks the embedder.

use crate::graph::date_time::DateTime;
use crate::id::UserId;
use crate::time::{Duration, Instant};

/// What the embedder knows of the world. Each method is there with the answer of one who knows nothing of it. A request asks
/// each a few times at most, and a bulk read for the epoch with every user. Rules T1, W1.
///
/// ```
/// use presence_core::graph::{Body, Caller, Context, Environment, RawRequest, Request, Select};
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
/// let exchange = Context { hooks: Some(&Names), ..Context::new(Instant::ZERO, Caller::Trusted { me: None }) };
/// let target = "/users/Adele@example.com/presence";
/// let incoming = RawRequest { method: "GET", target, content_type: None, body: Body::Bytes(b"") };
/// let request = Request::parse_in(&incoming, &exchange, &Policy::GRAPH);
/// assert_eq!(request, Ok(Request::Get { user: ADELE, select: Select::ALL }));
/// ```
pub trait Environment {
    /// What time it is on the wall, in milliseconds of Unix time, at the instant 0. With `None`, no times are written, and a
    /// status message cannot have an expiry. Rule T1. O(1) by default.
    fn epoch(&self) -> Option<u64> {
        None
    }

    /// A local date and time of a zone, named as Windows or IANA do, in milliseconds of Unix time. UTC is understood without
    /// asking. `None` for a zone nobody knows. Rule T1. O(1) by default.
    fn zone(&self, local: DateTime, zone: &str) -> Option<u64> {
        let _ = (local, zone);
        None
    }

    /// When the day of a user ends. With `None`, at midnight UTC, or in 24 hours where nobody knows the time. Rule W1. O(1) by
    /// default.
    fn end_of_day(&self, now: Instant, user: UserId) -> Option<Instant> {
        let _ = (now, user);
        None
    }

    /// The user with a user principal name. `None` for one nobody has. Section 7. O(1) by default.
    fn user(&self, principal_name: &str) -> Option<UserId> {
        let _ = principal_name;
        None
    }
}

/// The embedder's hooks, if it has any, and the moment of the request.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) hooks: Option<&'a dyn Environment>,
    pub(super) now: Instant,
}

impl World<'_> {
    pub(super) const NOTHING: Self = Self { hooks: None, now: Instant::ZERO };

    pub(super) fn epoch(&self) -> Option<u64> {
        self.hooks?.epoch()
    }

    pub(super) fn user(&self, principal_name: &str) -> Option<UserId> {
        self.hooks?.user(principal_name)
    }

    /// The instant of a date and time in a zone.
    pub(super) fn instant(&self, local: DateTime, is_utc: bool, zone: &str) -> Option<Instant> {
        let is_utc = is_utc || zone.eq_ignore_ascii_case("UTC") || zone.eq_ignore_ascii_case("Etc/UTC");
        let epoch = self.epoch()?;
        let unix = if is_utc { local.to_unix_millis() } else { self.hooks?.zone(local, zone)? };
        Some(Instant::from_millis(unix.saturating_sub(epoch)))
    }

    /// When the day of a user ends; later than now.
    pub(super) fn end_of_day(&self, user: UserId) -> Instant {
        const DAY: u64 = Duration::from_days(1).as_millis();
        let told = self.hooks.and_then(|hooks| hooks.end_of_day(self.now, user)).filter(|end| *end > self.now);
        told.unwrap_or_else(|| {
            let of_day = self
                .epoch()
                .map_or(0, |epoch| epoch.saturating_add(self.now.as_millis()).checked_rem(DAY).unwrap_or(0));
            self.now.saturating_add(Duration::from_millis(DAY.saturating_sub(of_day)))
        })
    }
}
