//! Presences, ids, time and policies.

use super::{defaults, hashes, keep, orders, values};
use core::hint::black_box;
use core::str::FromStr;
use presence_core::{
    Activity, Availability, Duration, DurationRange, Fade, Fades, Instant, IsoDuration, ParseDurationError,
    ParseIdError, ParsePresenceError, Policy, Preferred, PreferredDefault, Presence, PresenceSet, SessionId,
    TickExtender, UserId, keep_alive_interval,
};

#[inline(never)]
fn presences(set: PresenceSet, presences: &[Presence]) -> PresenceSet {
    for presence in PresenceSet::iter(set) {
        black_box(presence);
    }
    <PresenceSet as FromIterator<Presence>>::from_iter(presences.iter().copied())
}

#[inline(always)]
pub fn keep() {
    keep!(Presence => activity, as_byte, availability, from_byte, from_names, from_pair, read);
    keep!(Presence as TryFrom<u8> => try_from);
    keep!(u8 as From<Presence> => from);
    keep!(Availability => from_name, name, plain);
    keep!(Activity => from_name, name);
    keep!(PresenceSet => contains, from_up, of, with);
    keep!(fn => presences);

    keep!(UserId => from_bytes, parse, to_bytes, to_text);
    keep!(UserId as FromStr => from_str);
    keep!(SessionId => from_bytes, parse, to_bytes, to_text);
    keep!(SessionId as FromStr => from_str);

    keep!(Instant => as_millis, from_millis, from_secs, is_due, rebased, saturating_add, saturating_duration_since, saturating_sub);
    keep!(Duration => as_millis, from_days, from_hours, from_millis, from_mins, from_secs, saturating_sub);
    keep!(Duration as From<core::time::Duration> => from);
    keep!(core::time::Duration as From<Duration> => from);
    keep!(DurationRange => contains);
    keep!(IsoDuration => is_negative, magnitude, parse, within);
    keep!(TickExtender => extend, new);
    keep!(fn => keep_alive_interval);

    keep!(Policy => check_preferred, check_session, default_preferred_duration);
    keep!(Fades => as_slice, new);

    values!(Presence, Availability, Activity, PresenceSet, ParsePresenceError, UserId, SessionId, ParseIdError);
    values!(Instant, Duration, DurationRange, IsoDuration, ParseDurationError, TickExtender);
    values!(Policy, Fade, Fades, PreferredDefault, Preferred);
    orders!(Presence, UserId, SessionId, Instant, Duration);
    hashes!(Presence, Availability, Activity, PresenceSet, UserId, SessionId, Instant, Duration);
    defaults!(Presence, PresenceSet, Instant, Duration, TickExtender);
}
