//! This project's server: its feed of changes, or one user's presence, asked for again and again.

use super::Reporter;
use super::mirror::Mirror;
use crate::http::{Address, Http, Opened, Request};
use clap::Args;
use presence_core::client::{Feed, FeedEvent, Reply, Step};
use presence_core::{Duration, UserId};
use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration as StdDuration;

/// The longest sleep while a stream is open, and while none is.
const NAPS: [StdDuration; 2] = [StdDuration::from_millis(500), StdDuration::from_secs(5)];
/// The longest silence of a server's feed, and so the shortest interval.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The longest presence object that is read.
const OBJECT: usize = 16 * 1024;

/// Which server is followed.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Another server")]
pub struct ServerOptions {
    /// Follow a user of this project's server, or of one like it, by its address
    #[arg(long, value_name = "URL")]
    pub follow_server: Option<String>,
    /// Id of the user; the token's own user, if it is left out
    #[arg(long, value_name = "ID", requires = "follow_server")]
    pub follow_user: Option<UserId>,
    /// File with the token for the server; or set PRESENCE_FOLLOW_TOKEN
    #[arg(long, value_name = "FILE", requires = "follow_server")]
    pub follow_token_file: Option<PathBuf>,
}

impl ServerOptions {
    /// Returns the server to follow, if there is one.
    ///
    /// # Errors
    ///
    /// A sentence.
    pub(crate) fn server(&self, http: &Http, interval: Duration) -> Result<Option<Server>, String> {
        let Some(url) = &self.follow_server else { return Ok(None) };
        let address = Address::parse(url).map_err(|error| format!("--follow-server: {error}."))?;
        let token = match &self.follow_token_file {
            Some(path) => {
                std::fs::read_to_string(path).map_err(|error| format!("Cannot read {}: {error}.", path.display()))?
            }
            None => std::env::var("PRESENCE_FOLLOW_TOKEN")
                .map_err(|_| "--follow-server needs a token: give --follow-token-file FILE.".to_string())?,
        };
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|byte| matches!(byte, 0x21..=0x7E)) {
            return Err("The token for --follow-server is empty, or more than one word.".into());
        }
        let (authorization, user) = (format!("Bearer {token}"), self.follow_user);
        Ok(Some(Server { http: http.clone(), address, authorization, user, interval }))
    }
}

/// A server to follow.
pub(crate) struct Server {
    http: Http,
    address: Address,
    authorization: String,
    /// The user whose changes count; without one, the token's own user is asked for.
    user: Option<UserId>,
    interval: Duration,
}

/// Follows the server until it is to stop.
pub(crate) fn run(reporter: &Reporter, server: &Server) {
    match server.user {
        Some(user) => follow(reporter, server, user),
        None => poll(reporter, server),
    }
}

/// Asks again and again.
fn poll(reporter: &Reporter, server: &Server) {
    let mut mirror = Mirror::new(reporter, server.interval);
    loop {
        let nap = match mirror.next() {
            Step::Wait(until) => reporter.clock.until(until).min(NAPS[1]),
            Step::Ask { .. } => {
                if mirror.poll(&server.http, &server.address, &server.authorization) == Some(401) {
                    mirror.complain(NO_TOKEN);
                }
                StdDuration::ZERO
            }
        };
        mirror.tell_link(false);
        if reporter.stop.wait(nap) {
            return;
        }
    }
}

const NO_TOKEN: &str = "The server does not accept the token of --follow-token-file.";

/// Follows the feed.
fn follow(reporter: &Reporter, server: &Server, user: UserId) {
    let mut mirror = Mirror::new(reporter, server.interval.max(HEARTBEAT));
    mirror.follower = mirror.follower.with_feed(user);
    let mut feed: Box<Feed<OBJECT>> = Box::default();
    let mut stream = None;
    while !reporter.stop.is_requested() {
        match mirror.next() {
            Step::Ask { resumes } => {
                if resumes {
                    feed.reopen()
                } else {
                    feed.start_over()
                }
                stream = open(&mut mirror, server, feed.last_event_id());
            }
            Step::Wait(until) => {
                mirror.tell_link(false);
                let wait = reporter.clock.until(until);
                match &stream {
                    None => _ = reporter.stop.wait(wait.min(NAPS[1])),
                    Some(pieces) => {
                        if !hear(&mut mirror, &mut feed, pieces, wait.min(NAPS[0])) {
                            stream = None;
                        }
                    }
                }
            }
        }
    }
}

/// Hears what comes next, and returns false at the end of the stream.
fn hear(mirror: &mut Mirror<'_>, feed: &mut Feed<OBJECT>, pieces: &Receiver<Vec<u8>>, wait: StdDuration) -> bool {
    let now = || mirror.reporter.clock.now();
    match pieces.recv_timeout(wait) {
        Err(RecvTimeoutError::Timeout) => true,
        Err(RecvTimeoutError::Disconnected) => {
            mirror.follower.failed(now());
            false
        }
        Ok(piece) => {
            let mut rest = piece.as_slice();
            while let Some(event) = feed.next(&mut rest) {
                mirror.reporter.console.detail(|| describe(&event));
                let update = mirror.follower.heard(mirror.reporter.clock.now(), &event);
                mirror.take(&update);
            }
            true
        }
    }
}

fn describe(event: &FeedEvent<'_>) -> String {
    match event {
        FeedEvent::Presence(object) => format!("< event: {}", String::from_utf8_lossy(object)),
        FeedEvent::Retry(after) => format!("< event: to connect again after {after}"),
        FeedEvent::TooLong(_) => "< event: too long".into(),
        event => format!("< event: {event:?}"),
    }
}

/// Opens the stream, and returns its pieces as they come.
fn open(mirror: &mut Mirror<'_>, server: &Server, last_event_id: &[u8]) -> Option<Receiver<Vec<u8>>> {
    let url = format!("{}/presence/changes", server.address.as_str());
    let mut headers = vec![("Authorization", server.authorization.as_str()), ("Accept", "text/event-stream")];
    let id = std::str::from_utf8(last_event_id).unwrap_or_default();
    if !id.is_empty() {
        headers.push(("Last-Event-ID", id));
    }
    let opened = server.http.open(&Request { method: "GET", url: &url, headers: &headers, body: b"" });
    let now = mirror.reporter.clock.now();
    match opened {
        Ok(Opened::Stream(stream)) => {
            let update = mirror.follower.answered(now, Reply::Opened);
            mirror.take(&update);
            Some(read(stream))
        }
        Ok(Opened::Answer(answer)) => {
            let update = mirror.follower.answered(now, Reply::Failed { retry_after: answer.retry_after });
            mirror.take(&update);
            match answer.status {
                401 => mirror.complain(NO_TOKEN),
                403 => {
                    mirror.complain("The token may not read every user, as the feed needs. Leave --follow-user out.")
                }
                status => mirror.check(status, &answer.body),
            }
            None
        }
        Err(error) => {
            mirror.follower.failed(now);
            mirror.complain(&format!("{} does not answer: {error}. It is asked again.", server.address.as_str()));
            None
        }
    }
}

/// Reads a stream in a thread of its own, which ends with the stream, or with the first piece that nobody wants.
fn read(mut stream: Box<dyn Read + Send>) -> Receiver<Vec<u8>> {
    let (sender, pieces) = sync_channel(16);
    thread::spawn(move || {
        let mut piece = vec![0; 16 * 1024];
        while let Ok(len @ 1..) = stream.read(&mut piece) {
            if sender.send(piece[..len].to_vec()).is_err() {
                return;
            }
        }
    });
    pieces
}
