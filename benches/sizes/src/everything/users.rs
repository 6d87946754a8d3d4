//! One user, with ids of either size.

use super::{clones, defaults, hashes, keep, values};
use core::hint::black_box;
use presence_core::{
    Absence, ApplyError, Cause, Change, Command, CommandError, Explanation, Instant, Layer, NotFound, OverdueError,
    Policy, Preferred, Presence, Session, SessionId, SetPreferredError, SetPresenceError, SingleUser, Transition, User,
    UserAt, next_due,
};

/// Decisions take any type of a trait, which is not named where a function's address is taken.
#[inline(never)]
fn decisions<S: Copy + Ord>(user: UserAt<'_, S, 4>, session: S, command: Command<S>, policy: &Policy) {
    black_box(presence_core::set_presence(user, session, Presence::Away, None, policy).is_ok());
    black_box(presence_core::clear_presence(user, session).is_ok());
    black_box(presence_core::set_preferred_presence(user, Presence::Away, None, policy).is_ok());
    black_box(presence_core::clear_preferred_presence(user).is_some());
    black_box(presence_core::decide(user, command, policy).is_ok());
}

#[inline(never)]
fn commands<S: Copy + Ord>(user: &mut SingleUser<S, 4>, now: Instant, session: S, command: Command<S>) -> bool {
    let on_change = |transition: &Transition<S>| {
        black_box(transition.after());
    };
    SingleUser::advance(user, now, on_change);
    SingleUser::clear_preferred_presence(user, now, on_change);
    SingleUser::clear_presence(user, now, session, on_change).is_ok()
        && SingleUser::set_presence(user, now, session, Presence::Away, None, on_change).is_ok()
        && SingleUser::set_preferred_presence(user, now, Presence::Away, None, on_change).is_ok()
        && SingleUser::execute(user, now, command, on_change).is_ok()
        && SingleUser::execute_under(user, now, command, &Policy::MIRROR, on_change).is_ok()
}

macro_rules! user {
    ($id:ty) => {
        keep!(User<$id, 4> => absence, after_restart, apply, at, explain, is_empty, new, next_deadline, preferred);
        keep!(User<$id, 4> => presence, read_at, rebase, revision, session, sessions, since, with_version, version);
        keep!(UserAt<'static, $id, 4> => now, user);
        keep!(Session<$id> => expires_at, fades_at, id, presence);
        keep!(Transition<$id> => after, at, before, cause, change, is_visible, revision);
        keep!(fn => next_due::<$id, 4>, decisions::<$id>);
        values!(User<$id, 4>, Session<$id>, Transition<$id>, Change<$id>, Command<$id>, Explanation<$id>, Layer<$id>);
        clones!(UserAt<'static, $id, 4>);
        defaults!(User<$id, 4>);
        keep!(SingleUser<$id, 4> => explain, new, next_deadline, policy, presence, rebase, user, with_user);
        keep!(fn => commands::<$id>);
        values!(SingleUser<$id, 4>);
    };
}

#[inline(always)]
pub fn keep() {
    user!(u8);
    user!(SessionId);
    keep!(Command<u8> => mirror);
    keep!(Command<SessionId> => mirror);
    keep!(Absence => is_stale);
    keep!(Cause => name);
    keep!(OverdueError => new);
    keep!(Preferred => expires_at, presence);
    keep!(CommandError as From<NotFound> => from);
    keep!(CommandError as From<SetPresenceError> => from);
    keep!(CommandError as From<SetPreferredError> => from);
    values!(Absence, Cause, ApplyError, CommandError, NotFound, OverdueError, SetPreferredError, SetPresenceError);
    hashes!(Absence, Cause);
    defaults!(Absence);
}
