//! Many users: in memory of their own under the library's hasher, and in borrowed memory under a foreign one.

use super::{clones, defaults, hashes, keep, orders, values};
use core::hash::{BuildHasher, BuildHasherDefault, Hasher};
use core::hint::black_box;
use presence_core::directory::{
    ChangedUser, Cursor, CursorError, DecideError, DefaultHasher, Directory, InlineDirectory, InlineMemory, Progress,
    UserHandle,
};
use presence_core::{
    ApplyError, Command, CommandError, Duration, Instant, OverdueError, Policy, Presence, SessionId, User, UserId,
};

/// FNV-1a, as an application may bring it.
#[derive(Clone)]
pub struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The builder of these hashers.
#[derive(Clone)]
pub struct Foreign;

impl BuildHasher for Foreign {
    type Hasher = Fnv;

    fn build_hasher(&self) -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

type Inline<U, S> = InlineMemory<U, S, 4, 16>;
type Borrowed<U, S> = &'static mut Inline<U, S>;
type Library = BuildHasherDefault<DefaultHasher>;

/// Defines callers: a function that takes closures or returns iterators has a type of its own for each.
macro_rules! calls {
    ($name:ident, $user:ty, $session:ty, $memory:ty, $hasher:ty) => {
        mod $name {
            use super::*;

            type Of = Directory<$user, $session, $memory, $hasher, 4>;

            fn execute(users: &mut Of, now: Instant, user: $user, command: Command<$session>) -> Result<(), CommandError> {
                Directory::execute(users, now, user, command, |user, transition| {
                    black_box((user, transition));
                })
            }

            fn execute_under(
                users: &mut Of,
                (now, user): (Instant, $user),
                command: Command<$session>,
                policy: &Policy,
            ) -> Result<(), CommandError> {
                Directory::execute_under(users, now, user, command, policy, |user, transition| {
                    black_box((user, transition));
                })
            }

            fn pin(users: &mut Of, now: Instant, user: $user) -> Result<(), ApplyError> {
                Directory::pin(users, now, user, |user, transition| {
                    black_box((user, transition));
                })
            }

            fn execute_batch(users: &mut Of, now: Instant, commands: &[($user, Command<$session>)]) {
                let on_change = |user, transition: &_| {
                    black_box((user, transition));
                };
                Directory::execute_batch(users, now, commands, on_change, |index, outcome| {
                    black_box((index, outcome.is_ok()));
                });
            }

            fn set_presence(
                users: &mut Of,
                (now, user, session): (Instant, $user, $session),
                presence: Presence,
                lease: Option<Duration>,
            ) -> Result<(), CommandError> {
                Directory::set_presence(users, now, user, session, presence, lease, |user, transition| {
                    black_box((user, transition));
                })
            }

            fn clear_presence(users: &mut Of, now: Instant, user: $user, session: $session) -> bool {
                Directory::clear_presence(users, now, user, session, |user, transition| {
                    black_box((user, transition));
                })
                .is_ok()
            }

            fn set_preferred_presence(
                users: &mut Of,
                (now, user): (Instant, $user),
                presence: Presence,
                duration: Option<Duration>,
            ) -> Result<(), CommandError> {
                Directory::set_preferred_presence(users, now, user, presence, duration, |user, transition| {
                    black_box((user, transition));
                })
            }

            fn erase(users: &mut Of, now: Instant, user: $user) -> bool {
                Directory::erase(users, now, user, |user, transition| {
                    black_box((user, transition));
                })
            }

            fn clear_preferred_presence(users: &mut Of, now: Instant, user: $user) {
                Directory::clear_preferred_presence(users, now, user, |user, transition| {
                    black_box((user, transition));
                });
            }

            fn read(users: &Of, now: Instant, user: $user) -> u64 {
                Directory::read(users, now, user, User::version)
            }

            fn read_batch(users: &Of, now: Instant, ids: &[$user]) {
                Directory::read_batch(users, now, ids, |id, user| {
                    black_box((id, user));
                });
            }

            fn users(users: &Of) {
                Directory::users(users).for_each(|user| {
                    black_box(user);
                });
            }

            fn users_from(users: &Of, index: usize, count: usize) -> Option<usize> {
                let (some, next) = Directory::users_from(users, index, count);
                some.for_each(|user| {
                    black_box(user);
                });
                next
            }

            fn changes_since(users: &Of, cursor: Cursor) -> Result<(), CursorError> {
                Directory::changes_since(users, cursor)?.for_each(|change| {
                    black_box(change);
                });
                Ok(())
            }

            #[inline(always)]
            pub fn keep() {
                keep!(Of => advance, apply, by_handle, capacity, cursor, decide, decide_under, explain, version_floor, get, handle, insert, unpin);
                keep!(Of => evictable, is_empty, len, next_deadline, record_external_change, policy, presence, rebase, raise_version_floor);
                keep!(Of => version, with_hasher);
                keep!(fn => execute, execute_under, pin, execute_batch, set_presence, clear_presence, set_preferred_presence);
                keep!(fn => clear_preferred_presence, erase, read, read_batch, users, users_from, changes_since);
                values!(Progress<$user, $session>, ChangedUser<'static, $user, $session, 4>);
            }
        }
    };
}

calls!(bytes_inline, u8, u8, Inline<u8, u8>, Library);
calls!(guids_inline, UserId, SessionId, Inline<UserId, SessionId>, Library);
calls!(bytes_borrowed, u8, u8, Borrowed<u8, u8>, Foreign);
calls!(guids_borrowed, UserId, SessionId, Borrowed<UserId, SessionId>, Foreign);

macro_rules! memory {
    ($user:ty, $session:ty) => {
        keep!(InlineMemory<$user, $session, 4, 16> => new);
        keep!(InlineDirectory<$user, $session, 4, 16> => new, with_policy);
        clones!(InlineMemory<$user, $session, 4, 16>, InlineDirectory<$user, $session, 4, 16>);
        defaults!(InlineMemory<$user, $session, 4, 16>);
    };
}

#[inline(always)]
pub fn keep() {
    bytes_inline::keep();
    guids_inline::keep();
    bytes_borrowed::keep();
    guids_borrowed::keep();
    memory!(u8, u8);
    memory!(UserId, SessionId);
    keep!(Cursor => from_number, to_number);
    keep!(UserHandle => generation, index);
    keep!(DecideError as From<CommandError> => from);
    keep!(DecideError as From<OverdueError> => from);
    keep!(DefaultHasher as Hasher => finish, write, write_u128, write_u16, write_u32, write_u64, write_u8, write_usize);
    values!(Cursor, DecideError, CursorError, UserHandle);
    clones!(DefaultHasher);
    orders!(Cursor);
    hashes!(Cursor, UserHandle);
    defaults!(Cursor, DefaultHasher);
}
