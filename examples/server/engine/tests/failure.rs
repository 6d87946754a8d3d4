//! How the process ends when an engine cannot go on: without a response to what is not stored.

use presence_core::{Command as PresenceCommand, Instant, Policy, Presence, SessionId, UserId};
use presence_engine::data::spread::{Key, Spread};
use presence_engine::journal::memory::MemoryJournal;
use presence_engine::journal::{Group, Journal, Record};
use presence_engine::{Engine, Failure, Options, Store, set_failure_hook};
use std::process::Command;

const USER: UserId = UserId::from_bytes([1; 16]);
/// Set in the process that fails, to how it is to end.
const FAILS: &str = "PRESENCE_ENGINE_FAILS";

/// Lets another owner write to the journal of an engine, which must not respond to anything then.
fn be_fenced_off() {
    let journal = MemoryJournal::default();
    let spread = Spread::keyed(1, || Ok::<_, std::io::Error>(Key::from_bytes([7; 16]))).unwrap();
    let engine = Engine::open(Options::new(Store::Journals(vec![Box::new(journal.clone())], spread))).unwrap();
    let set = |presence| {
        let command = PresenceCommand::SetPresence { session: SessionId::from_bytes([2; 16]), presence, lease: None };
        engine.execute(USER, command, &Policy::GRAPH, None)
    };
    set(Presence::Away).wait().unwrap().unwrap();
    let mut group = Group::default();
    group.push(Record::Erased, USER, Instant::from_secs(1), &[]);
    while journal.append(journal.position().unwrap(), &group).is_err() {}
    let outcome = set(Presence::InACall).wait();
    println!("{outcome:?}");
    std::process::exit(1);
}

/// Runs this test in another process, and returns its status and what it wrote.
fn run(test: &str, fails: &str) -> (Option<i32>, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", test, "--nocapture"]).env(FAILS, fails).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn an_engine_whose_journal_another_owner_has_written_to_ends_without_a_response() {
    match std::env::var(FAILS).as_deref() {
        Ok("hook") => {
            set_failure_hook(|failure| {
                assert!(matches!(failure, Failure::Journal(error) if error.to_string().contains("somebody else")));
                std::process::exit(33)
            });
            be_fenced_off();
        }
        Ok(_) => be_fenced_off(),
        Err(_) => {
            let test = "an_engine_whose_journal_another_owner_has_written_to_ends_without_a_response";
            for (fails, status) in [("by default", 74), ("hook", 33)] {
                let (code, told) = run(test, fails);
                assert_eq!(code, Some(status), "{fails}: {told}");
                assert!(!told.contains("Ok("), "{told}");
            }
        }
    }
}
