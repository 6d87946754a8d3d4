//! Presences, ids, time and policies.

use super::{defaults, hashes, keep, orders, values};
use core::hint::black_box;
use core::ops::{Add, AddAssign, Sub, SubAssign};
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
    keep!(Presence as FromStr => from_str);
    keep!(Availability as FromStr => from_str);
    keep!(Activity as FromStr => from_str);
    keep!(u8 as From<Presence> => from);
    keep!(Availability => from_name, name, plain);
    keep!(Activity => from_name, is_out_of_office, name);
    keep!(PresenceSet => contains, from_up, of, with);
    keep!(fn => presences);

    keep!(UserId => from_bytes, parse, to_bytes, to_text);
    keep!(UserId as FromStr => from_str);
    keep!(UserId as From<[u8; 16]> => from);
    keep!([u8; 16] as From<UserId> => from);
    keep!(SessionId => from_bytes, parse, to_bytes, to_text);
    keep!(SessionId as FromStr => from_str);
    keep!(SessionId as From<[u8; 16]> => from);
    keep!([u8; 16] as From<SessionId> => from);

    keep!(Instant => as_millis, as_secs, checked_add, checked_duration_since, checked_sub, from_millis, from_secs, is_due);
    keep!(Instant => rebased, saturating_add, saturating_duration_since, saturating_sub);
    keep!(Instant as Add<Duration> => add);
    keep!(Instant as AddAssign<Duration> => add_assign);
    keep!(Instant as Sub<Duration> => sub);
    keep!(Instant as Sub => sub);
    keep!(Instant as SubAssign<Duration> => sub_assign);
    keep!(Duration => as_millis, as_secs, checked_add, checked_sub, from_days, from_hours, from_millis, from_mins, from_secs);
    keep!(Duration => is_zero, saturating_add, saturating_sub, subsec_millis);
    keep!(Duration as Add => add);
    keep!(Duration as AddAssign => add_assign);
    keep!(Duration as Sub => sub);
    keep!(Duration as SubAssign => sub_assign);
    keep!(Duration as FromStr => from_str);
    keep!(IsoDuration as FromStr => from_str);
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
