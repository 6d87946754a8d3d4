//! Memory is allocated once: an hour of traffic allocates nothing more.

use presence_core::directory::{BoxedDirectory, BoxedMemory, Cursor, Directory};
use presence_core::{Command, Duration, Instant, Policy, Presence};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting what each thread asks of it: the test harness has threads of its own.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn allocations() -> usize {
    ALLOCATIONS.with(Cell::get)
}

// SAFETY: every call is the system allocator's own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const USERS: u32 = 1000;

#[test]
fn an_hour_of_traffic_allocates_nothing() {
    let before = allocations();
    let memory = BoxedMemory::new(USERS as usize);
    assert!(allocations() > before, "only this allocates");
    let before = allocations();
    let mut directory: BoxedDirectory<u32, u8, 3> = Directory::new(memory, Policy::GRAPH);
    assert_eq!(allocations(), before);
    let batch: Vec<_> = (0..200)
        .map(|user| (user, Command::SetPresence { session: 1, presence: Presence::InACall, lease: None }))
        .collect();
    let users: Vec<_> = (0..USERS).collect();
    let mut state = 1u32;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let (mut visible, mut errors, mut read) = (0, 0, 0);
    let mut cursor = Cursor::START;

    let before = allocations();
    for secs in 0..3600u64 {
        let now = Instant::from_secs(secs);
        support::advance_until_idle(&mut directory, now, |_, transition| visible += u32::from(transition.is_visible()));
        for _ in 0..20 {
            // More users than slots, and more sessions than fit.
            let (user, session) = (random(USERS + 100), random(4) as u8);
            let presence = [Presence::Available, Presence::Away, Presence::InACall, Presence::Busy][random(4) as usize];
            let lease = Some(Duration::from_mins(4 + u64::from(random(30))));
            let count = |_, transition: &presence_core::Transition<u8>| visible += u32::from(transition.is_visible());
            let outcome = match random(10) {
                0 => directory.execute(now, user, Command::ClearPresence { session }, count),
                1 => directory.set_preferred_presence(now, user, Presence::Busy, None, count),
                2 => directory.execute(now, user, Command::ClearPreferredPresence, count),
                _ => directory.set_presence(now, user, session, presence, lease, count),
            };
            errors += u32::from(outcome.is_err());
        }
        if secs % 600 == 0 {
            directory.execute_batch(now, &batch, |_, _| {}, |_, outcome| errors += u32::from(outcome.is_err()));
            directory.read_batch(now, &users, |_, user| read += user.sessions().len());
            read += directory.changes_since(cursor).map_or(0, Iterator::count);
            cursor = directory.cursor();
        }
    }
    directory.rebase(Instant::from_secs(3600), Instant::ZERO).ok();
    let allocated = allocations() - before;

    assert_eq!(allocated, 0);
    assert!(visible > 10_000 && errors > 1000 && read > 1000, "{visible} {errors} {read}");
    assert_eq!(directory.len(), USERS as usize);
}
