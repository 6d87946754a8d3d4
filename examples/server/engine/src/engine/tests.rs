//! Tests of the engine as an application meets it: from threads and tasks, across stops, and without room.

use super::*;
use crate::data::LayoutError;
use crate::journal::memory::MemoryJournal;
use crate::shard::QUEUE;
use crate::shard::job::ActionError;
use presence_core::{CommandError, Presence};

const SESSION: SessionId = SessionId::from_bytes([9; 16]);

fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

fn set(presence: Presence, lease: u64) -> Command<SessionId> {
    let lease = Some(presence_core::Duration::from_secs(lease));
    Command::SetPresence { session: SESSION, presence, lease }
}

fn options(store: Store) -> Options {
    Options { users: 20, shards: Some(2), is_clock_virtual: true, ..Options::new(store) }
}

fn execute(engine: &Engine, number: u8, command: Command<SessionId>) -> Result<ActionOutcome, CallError> {
    engine.execute(user(number), command, &Policy::GRAPH, None).wait()
}

fn presence(engine: &Engine, number: u8) -> Presence {
    engine.read(user(number)).wait().unwrap().presence
}

#[test]
fn what_was_acknowledged_is_there_when_the_directory_is_opened_again() {
    let own = tempfile::TempDir::new().unwrap();
    let open = || Engine::open(options(Store::Directory(own.path().to_owned()))).unwrap();
    let engine = open();
    let now = engine.clock().now();
    assert_eq!(execute(&engine, 1, set(Presence::InACall, 3600)), Ok(Ok(())));
    let message = DetailsCommand::SetStatusMessage { text: "back soon", expires_at: Instant::NEVER };
    assert_eq!(engine.execute_details(user(2), message, None).wait(), Ok(Ok(())));
    engine.advance(now.saturating_add(presence_core::Duration::from_secs(1000))).unwrap();
    // Dropping stops.
    drop(engine);
    let engine = open();
    assert_eq!(presence(&engine, 1), Presence::InACall);
    assert!(engine.read(user(2)).wait().unwrap().details.is_some());
    let session = engine.explain(user(1)).wait().unwrap().sessions[0];
    let left = session.expires_at().saturating_duration_since(engine.clock().now());
    assert_eq!(left, presence_core::Duration::from_secs(2600), "the virtual clock goes on where it stood");
    engine.advance(now.saturating_add(presence_core::Duration::from_secs(3600))).unwrap();
    assert_eq!(presence(&engine, 1), Presence::Offline);
    assert_eq!(engine.erase(user(2)).wait(), Ok(Ok(())));
    assert_eq!(engine.sign_out(user(2)).wait(), Ok(Err(ActionError::UnknownUser)));
}

#[tokio::test]
async fn tasks_await_what_threads_wait_for() {
    let engine = Engine::open(options(Store::Nothing)).unwrap();
    for number in 1..=9 {
        let outcome = engine.execute(user(number), set(Presence::Away, 300), &Policy::GRAPH, Some(SESSION)).await;
        assert_eq!(outcome, Ok(Ok(())));
    }
    let asked: Vec<_> = [9, 1, 10, 5, 1].map(user).into();
    let views = engine.read_many(asked.clone()).receive().await.unwrap();
    assert_eq!(views.iter().map(|view| view.user).collect::<Vec<_>>(), asked);
    let away: Vec<_> = views.iter().map(|view| view.presence == Presence::Away).collect();
    assert_eq!(away, [true, true, false, true, true]);
    let refused = engine.execute(
        user(1),
        Command::ClearPresence { session: SessionId::from_bytes([1; 16]) },
        &Policy::GRAPH,
        None,
    );
    assert!(matches!(refused.await, Ok(Err(ActionError::Command(CommandError::NotFound)))));
    let mut reader = engine.reader(None);
    assert!(matches!(reader.next().await, Some(FeedEvent::StartOver)));
    let seen = async { while !matches!(reader.next().await, Some(FeedEvent::UpToDate)) {} };
    seen.await;
    engine.execute(user(1), set(Presence::InACall, 300), &Policy::GRAPH, None).await.unwrap().unwrap();
    let Some(FeedEvent::Presence(view)) = reader.next().await else { panic!("no change") };
    assert_eq!((view.user, view.presence), (user(1), Presence::InACall));
}

#[test]
fn a_thread_follows_changes_and_resumes() {
    let engine = Engine::open(options(Store::Nothing)).unwrap();
    execute(&engine, 1, set(Presence::Away, 300)).unwrap().unwrap();
    let follow = |since: Option<&str>, count: usize| {
        let (mut events, mut last) = (Vec::new(), String::new());
        let each = |event, id| {
            (events, last) = (std::mem::take(&mut events), id);
            events.push(format!("{event:?}"));
            if events.len() == count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        engine.follow(since, each).unwrap();
        (events, last)
    };
    let (events, id) = follow(None, 3);
    assert_eq!((events[0].as_str(), events[2].as_str()), ("StartOver", "UpToDate"));
    execute(&engine, 2, set(Presence::InACall, 300)).unwrap().unwrap();
    let (events, _) = follow(Some(&id), 1);
    assert!(events[0].contains("InACall"), "{events:?}");
    // A follower that waits ends with the engine.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| engine.follow(Some("an id of another run"), |_, _| ControlFlow::Continue(())));
        engine.stop();
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn journals_of_the_embedder_are_used() {
    let journals = [MemoryJournal::default(), MemoryJournal::default()];
    let spread = Spread::keyed(2, || Ok::<_, io::Error>(crate::data::spread::Key::from_bytes([7; 16]))).unwrap();
    let open = || {
        let journals = journals.iter().map(|journal| Box::new(journal.clone()) as Box<dyn Journal>).collect();
        Engine::open(options(Store::Journals(journals, spread))).unwrap()
    };
    let engine = open();
    (1..=9).for_each(|number| assert_eq!(execute(&engine, number, set(Presence::Away, 300)), Ok(Ok(()))));
    drop(engine);
    let engine = open();
    assert!((1..=9).all(|number| presence(&engine, number) == Presence::Away));
}

/// A journal without room refuses changes and serves reads, and takes changes again when there is room.
#[test]
fn without_room_changes_are_unavailable_until_there_is_some() {
    let journal = MemoryJournal::with_room_for(2);
    let spread = Spread::keyed(1, System::REAL.new_key).unwrap();
    let store = Store::Journals(vec![Box::new(journal.clone())], spread);
    let engine = Engine::open(options(store)).unwrap();
    assert_eq!(execute(&engine, 1, set(Presence::Away, 300)), Ok(Ok(())));
    assert_eq!(execute(&engine, 2, set(Presence::Away, 300)), Ok(Ok(())));
    for _ in 0..2 {
        assert_eq!(execute(&engine, 3, set(Presence::Away, 300)), Err(CallError::Unavailable));
        assert_eq!(
            [1, 2, 3].map(|number| presence(&engine, number)),
            [Presence::Away, Presence::Away, Presence::Offline]
        );
    }
    journal.set_room(None);
    // It looks for room every second.
    while execute(&engine, 3, set(Presence::Away, 300)) == Err(CallError::Unavailable) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(presence(&engine, 3), Presence::Away);
}

#[test]
fn a_directory_is_used_by_one_engine_at_a_time() {
    let own = tempfile::TempDir::new().unwrap();
    let open = || Engine::open(options(Store::Directory(own.path().to_owned())));
    let engine = open().unwrap();
    assert!(matches!(open(), Err(OpenError::Data(LayoutError::Locked(_)))));
    engine.stop();
    assert_eq!(engine.read(user(1)).wait().unwrap_err(), CallError::Unavailable);
    assert_eq!(execute(&engine, 1, set(Presence::Away, 300)), Err(CallError::Unavailable));
    assert_eq!(engine.read_many(vec![user(1)]).wait().unwrap_err(), CallError::Unavailable);
    drop(engine);
    open().unwrap();
}

#[test]
fn a_full_queue_refuses_calls() {
    let metrics = Arc::default();
    let (shards, _queues) = Shards::stalled(1, &metrics);
    let clock = Arc::new(Clock::virtual_at(Instant::ZERO));
    let engine = Engine::of(shards, clock, metrics, None).unwrap();
    let asked: Vec<_> = (0..QUEUE).map(|_| engine.read(user(1))).collect();
    assert_eq!(engine.read(user(1)).wait().unwrap_err(), CallError::QueueFull);
    drop((asked, _queues));
}

/// Reports whether a file of a directory holds a text.
fn holds(directory: &std::path::Path, text: &[u8]) -> bool {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.into_iter().any(|bytes| bytes.windows(text.len()).any(|found| found == text))
}

#[test]
fn removed_texts_are_in_no_file_after_a_stop() {
    let own = tempfile::TempDir::new().unwrap();
    let engine = Engine::open(options(Store::Directory(own.path().to_owned()))).unwrap();
    let say = |number, text| {
        let message = DetailsCommand::SetStatusMessage { text, expires_at: Instant::NEVER };
        assert_eq!(engine.execute_details(user(number), message, None).wait(), Ok(Ok(())));
    };
    (1..=3).for_each(|number| say(number, "a text that is removed"));
    say(4, "a text that stays");
    assert!(holds(own.path(), b"a text that is removed"));
    say(1, "");
    say(2, "another one");
    assert_eq!(engine.erase(user(3)).wait(), Ok(Ok(())));
    drop(engine);
    assert!(!holds(own.path(), b"a text that is removed"));
    assert!(holds(own.path(), b"a text that stays") && holds(own.path(), b"another one"));
}

/// Damage is an error of the start, and nothing of it is served.
#[test]
fn damaged_data_is_not_opened() {
    let own = tempfile::TempDir::new().unwrap();
    let open = || Engine::open(Options { shards: Some(1), ..options(Store::Directory(own.path().to_owned())) });
    let engine = open().unwrap();
    (1..=20).for_each(|number| assert_eq!(execute(&engine, number, set(Presence::Away, 300)), Ok(Ok(()))));
    drop(engine);
    let path = own.path().join("journal-1-0.sqlite");
    let whole = std::fs::read(&path).unwrap();
    let id = whole.windows(16).rposition(|bytes| bytes == [7; 16]).unwrap();
    for (at, message) in [(id, "is damaged"), (20, "damaged: "), (0, "not a database")] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        std::fs::write(&path, &damaged).unwrap();
        let error = open().unwrap_err().to_string();
        assert!(error.contains("journal-1-0.sqlite") && error.contains(message), "{error}");
    }
    std::fs::write(&path, whole).unwrap();
    assert_eq!(presence(&open().unwrap(), 7), Presence::Away);
}

/// Data of more shards than are read again must never be written, and no user may belong to a shard that is not there.
#[test]
fn options_that_do_not_fit_are_refused_before_anything_is_opened() {
    let own = tempfile::TempDir::new().unwrap();
    let directory = own.path().join("data");
    let in_directory = || options(Store::Directory(directory.clone()));
    let journals = |count: usize, shards| {
        let journals = (0..count).map(|_| Box::new(MemoryJournal::default()) as Box<dyn Journal>).collect();
        options(Store::Journals(journals, Spread::unkeyed(shards)))
    };
    for refused in [
        Options { shards: Some(0), ..in_directory() },
        Options { shards: Some(65), ..in_directory() },
        Options { shards: Some(0), ..options(Store::Nothing) },
        Options { sessions: 0, ..in_directory() },
        Options { sessions: 65, ..in_directory() },
        journals(0, 1),
        journals(1, 2),
        journals(2, 1),
    ] {
        let error = Engine::open(refused).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Options(_)), "{error}");
    }
    assert!(!directory.exists());
    for _ in 0..2 {
        let engine = Engine::open(Options { shards: Some(64), ..in_directory() }).unwrap();
        assert_eq!(execute(&engine, 1, set(Presence::InACall, 3600)), Ok(Ok(())));
    }
}
