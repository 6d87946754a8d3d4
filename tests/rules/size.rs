//! Promises about the types themselves: small, plain, shared between threads, made in statics.

use presence_core::directory::{InlineDirectory, InlineMemory};
use presence_core::{Command, Explanation, Instant, Policy, Presence, Session, SessionId, Transition, User, UserId};

/// 64 bytes of RAM plus 40 a session with GUID ids, 24 with one-byte ids.
#[test]
fn a_user_is_small() {
    assert!(size_of::<User<SessionId, 0>>() <= 64);
    assert!(size_of::<User<SessionId, 1>>() <= 64 + 40);
    assert!(size_of::<User<SessionId, 4>>() <= 64 + 4 * 40);
    assert!(size_of::<User<SessionId, 16>>() <= 64 + 16 * 40);
    assert!(size_of::<User<u8, 0>>() <= 64);
    assert!(size_of::<User<u8, 1>>() <= 64 + 24);
    assert!(size_of::<User<u8, 4>>() <= 64 + 4 * 24);
    assert!(size_of::<User<u8, 16>>() <= 64 + 16 * 24);
    assert_eq!(size_of::<User>(), size_of::<User<SessionId, 4>>(), "GUIDs and four sessions are the default");
}

#[test]
fn a_presence_is_a_byte() {
    assert_eq!((size_of::<Presence>(), size_of::<Option<Presence>>()), (1, 1));
}

/// The bytes per user are those of the whole memory.
#[test]
fn the_memory_of_a_user_counts_all_its_parts() {
    let directory = InlineDirectory::<u64, u64, 2, 8>::with_policy(Policy::GRAPH);
    assert_eq!((directory.capacity(), directory.len()), (8, 0));
    assert_eq!(size_of::<InlineMemory<u64, u64, 2, 8>>(), 8 * InlineDirectory::<u64, u64, 2, 8>::BYTES_PER_USER);
    assert_eq!(
        size_of::<InlineMemory<UserId, SessionId, 3, 8>>(),
        8 * InlineDirectory::<UserId, SessionId, 3, 8>::BYTES_PER_USER
    );
}

/// A directory takes few bytes besides the memory of its users.
#[test]
fn a_directory_takes_little_of_its_own() {
    type Small = InlineDirectory<u8, u8, 2, 3>;
    assert_eq!(size_of::<Small>(), Small::OWN_BYTES + size_of::<InlineMemory<u8, u8, 2, 3>>());
}

/// A user at a moment is as cheap to hand on as the reference that it is.
#[test]
fn a_user_at_a_moment_is_copied() {
    fn twin<T: Clone>(value: &T) -> T {
        value.clone()
    }
    let user: User<u8, 4> = User::new();
    let at = user.at(Instant::from_secs(5)).unwrap();
    assert!(core::ptr::eq(twin(&at).user(), at.user()));
    assert_eq!((twin(&at).now(), at.now()), (Instant::from_secs(5), Instant::from_secs(5)));
}

const fn is_copy<T: Copy>() {}
const fn is_shared<T: Send + Sync + 'static>() {}

const _: () = {
    is_copy::<Transition>();
    is_copy::<Session<SessionId>>();
    is_copy::<Command<SessionId>>();
    is_copy::<Explanation>();
    is_copy::<Policy>();
    is_shared::<User>();
    is_shared::<Transition>();
    is_shared::<Policy>();
    is_shared::<InlineDirectory<u8, u8, 2, 3>>();
};

static EMPTY: User<u8, 4> = User::new();
static RESTARTED: User<SessionId, 4> = User::after_restart(0);
static LATER: User<SessionId, 4> = User::with_version(7);
static DIRECTORY: InlineDirectory<u8, u8, 2, 3> = InlineDirectory::with_policy(Policy::DESK);
const LAMP: SessionId = match SessionId::parse("22553876-f5ab-4529-bffb-cfe50aa89f87") {
    Ok(id) => id,
    Err(_) => panic!("not a GUID"),
};

#[test]
fn everything_is_made_in_statics() {
    assert_eq!(EMPTY, User::default());
    assert!(RESTARTED.is_empty());
    assert_eq!((LATER.revision(), LATER.version()), (7, 7));
    assert_eq!((DIRECTORY.capacity(), DIRECTORY.presence(Instant::ZERO, 1)), (3, Presence::Offline));
    assert_eq!(LAMP.to_string(), "22553876-f5ab-4529-bffb-cfe50aa89f87");
}
