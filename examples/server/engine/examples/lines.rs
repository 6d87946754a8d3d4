//! A presence service without HTTP: a command on each line of standard input, responses and changes on standard output.
//!
//! ```text
//! cargo run --example lines -- DIRECTORY
//! set 11111111-1111-4111-8111-111111111111 22222222-2222-4222-8222-222222222222 InACall PT1H
//! read 11111111-1111-4111-8111-111111111111
//! follow
//! clear 11111111-1111-4111-8111-111111111111 22222222-2222-4222-8222-222222222222
//! ```
//!
//! A line is answered when what it changed is on the disk: kill the process, start it again, and everything is as it was.

use presence_core::{Command, Policy};
use presence_engine::feed::FeedEvent;
use presence_engine::shard::job::UserView;
use presence_engine::{Engine, Options, Store};
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;

const USAGE: &str = "set USER SESSION PRESENCE [LEASE], clear USER SESSION, read USER, or follow";

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).ok_or("usage: lines DIRECTORY")?;
    let engine = Arc::new(Engine::open(Options::new(Store::Directory(directory.into())))?);
    for line in std::io::stdin().lines() {
        match respond(&engine, &line?) {
            Ok(text) => println!("{text}"),
            Err(error) => println!("error: {error}"),
        }
    }
    engine.stop();
    Ok(())
}

fn respond(engine: &Arc<Engine>, line: &str) -> Result<String, Box<dyn Error>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (user, command) = match words[..] {
        ["set", user, session, presence, ref lease @ ..] if lease.len() < 2 => {
            let lease = lease.first().map(|lease| lease.parse()).transpose()?;
            (user, Command::SetPresence { session: session.parse()?, presence: presence.parse()?, lease })
        }
        ["clear", user, session] => (user, Command::ClearPresence { session: session.parse()? }),
        ["read", user] => return Ok(shown(&engine.read(user.parse()?).wait()?)),
        ["follow"] => {
            let engine = engine.clone();
            std::thread::spawn(move || engine.follow(None, |event, _| print(&event)));
            return Ok("following".to_owned());
        }
        _ => return Err(USAGE.into()),
    };
    engine.execute(user.parse()?, command, &Policy::GRAPH, None).wait()??;
    Ok("ok".to_owned())
}

fn print(event: &FeedEvent) -> ControlFlow<()> {
    match event {
        FeedEvent::StartOver => println!("* start over"),
        FeedEvent::Presence(view) => println!("* {}", shown(view)),
        FeedEvent::UpToDate => println!("* up to date"),
    }
    ControlFlow::Continue(())
}

fn shown(view: &UserView) -> String {
    format!("{} {} version {}", view.user, view.presence, view.version)
}
