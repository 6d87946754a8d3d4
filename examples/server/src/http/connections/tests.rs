//! Tests of connections without sockets: guesses are slowed, and what a client that hangs up held is released.

mod admission;

use super::super::fixture::{Fixture, REQUESTS};
use super::super::{BUFFERS, router};
use super::admission::AdmissionControl;
use super::{ConnectionLimits, protocol, serve_connection};
use crate::listen::Stream;
use presence_engine::shard::job::Job;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::Instant;

const PRESENCE: &str = "/v1.0/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence";

impl Stream for DuplexStream {
    fn has_begun(&self) -> bool {
        true
    }

    fn poll_begun(&self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn send_last(&self, _: &[u8]) {}
}

/// Serves a connection, and returns the client's end.
fn connect(fixture: &Fixture) -> DuplexStream {
    let (client, server) = duplex(1 << 16);
    let app = fixture.app.clone();
    let limits = ConnectionLimits { count: 1, per_address: 1, idle: Duration::from_secs(3600) };
    tokio::spawn(async move {
        let (_stop, stopping) = watch::channel(false);
        let control = Arc::new(AdmissionControl::new(limits, vec![], app.metrics.clone()));
        let connection = control.enter(None, || true).await.unwrap();
        serve_connection(Box::new(server), connection, &protocol(limits.idle), router(app.clone()), stopping, &app)
            .await;
    });
    client
}

/// Sends a request, and returns the status of the response.
async fn status(client: &mut DuplexStream, path: &str, token: &str) -> u16 {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    read_response(client).await
}

/// Reads a response, and returns its status.
async fn read_response(client: &mut DuplexStream) -> u16 {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4096];
        let count = client.read(&mut bytes).await.unwrap();
        assert!(count > 0, "the connection has ended: {text}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return head.split(' ').nth(1).unwrap().parse().unwrap();
        }
    }
}

/// Guesses a token, and returns for how long the response was held back.
async fn guess(client: &mut DuplexStream) -> Duration {
    let before = Instant::now();
    assert_eq!(status(client, PRESENCE, "guess").await, 401);
    before.elapsed()
}

#[tokio::test(start_paused = true)]
async fn repeated_guesses_of_a_connection_wait_and_hold_no_place() {
    let (fixture, _queue) = Fixture::stalled();
    let mut client = connect(&fixture);
    for expected in [0; 10].into_iter().chain([100, 200, 400, 800, 1000, 1000]) {
        assert_eq!(guess(&mut client).await, Duration::from_millis(expected));
        // Responses without a token in between are no way around it.
        assert_eq!(status(&mut client, "/openapi.json", "guess").await, 200);
    }
    assert_eq!(guess(&mut connect(&fixture)).await, Duration::ZERO, "another connection does not wait");
    // As many guesses as there are places wait, and others are served beside them.
    let mut clients = Vec::new();
    for _ in 0..2 * REQUESTS {
        let mut client = connect(&fixture);
        for _ in 0..16 {
            guess(&mut client).await;
        }
        clients.push(client);
    }
    let wait = |mut client| tokio::spawn(async move { guess(&mut client).await });
    let guessing: Vec<_> = clients.into_iter().map(wait).collect();
    let before = Instant::now();
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(guessing.iter().all(|guess| !guess.is_finished()));
    assert_eq!(fixture.app.limits.in_flight.free(), REQUESTS);
    assert_eq!(fixture.app.limits.buffers.free(), BUFFERS);
    assert_eq!(status(&mut connect(&fixture), "/admin/users?$top=0", "dev").await, 400);
    assert_eq!(before.elapsed(), Duration::ZERO);
    for waiting in guessing {
        assert_eq!(waiting.await.unwrap(), Duration::from_secs(1));
    }
    // A known token ends it.
    assert_eq!(status(&mut client, "/admin/users?$top=0", "dev").await, 400);
    assert_eq!(guess(&mut client).await, Duration::ZERO);
}

/// The clock stands still while this test goes on, so no time-out releases anything.
#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_releases_its_place_and_its_memory() {
    let (fixture, queue) = Fixture::stalled();
    let ids: Vec<_> = (0..650).map(|number| format!("{number:08x}-0000-4000-8000-000000000000")).collect();
    let body = serde_json::json!({ "ids": ids }).to_string();
    let request = format!(
        "POST /v1.0/communications/getPresencesByUserId HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..2 * REQUESTS {
        let mut client = connect(&fixture);
        client.write_all(request.as_bytes()).await.unwrap();
        let job = loop {
            match queue.try_recv() {
                Ok(job) => break job,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        assert!(matches!(job, Job::ReadMany(..)) && !job.is_abandoned());
        assert_eq!(fixture.app.limits.in_flight.free(), REQUESTS - 1);
        assert!(fixture.app.limits.buffers.free() < BUFFERS);
        drop(client);
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert!(job.is_abandoned(), "nobody waits for the shard's response");
        assert_eq!(fixture.app.limits.in_flight.free(), REQUESTS);
        assert_eq!(fixture.app.limits.buffers.free(), BUFFERS);
    }
}
