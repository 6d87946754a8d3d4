//! Tests of what makes a connection idle or busy, of waiting, and of the first byte.

use super::super::admission::{AdmissionControl, Connection, Replaced};
use super::super::table::Limit;
use super::super::{ConnectionLimits, Silent, protocol, serve_connection};
use super::{Fixture, PRESENCE, read_response, status};
use crate::http::router;
use crate::listen::Stream;
use presence_core::Presence;
use presence_engine::shard::job::{Job, UserView};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::sync::watch;
use tokio::time::Instant;

const IDLE: Duration = Duration::from_secs(3600);

/// A server with few connections, whose peers are where a test says.
struct Server {
    fixture: Fixture,
    control: Arc<AdmissionControl>,
}

impl Server {
    /// Creates a server for so many connections; its shard never answers by itself.
    fn stalled(count: u32, per_address: u32) -> (Self, Receiver<Job>) {
        let (fixture, queue) = Fixture::stalled();
        let limits = ConnectionLimits { count, per_address, idle: IDLE };
        let proxies = vec!["198.51.100.0/24".parse().unwrap()];
        let control = Arc::new(AdmissionControl::new(limits, proxies, fixture.app.metrics.clone()));
        (Self { fixture, control }, queue)
    }

    /// Connects from an address. The buffer of the connection holds this many bytes in each direction.
    async fn connect_with(&self, peer: &str, buffer: usize) -> Result<DuplexStream, Limit> {
        let connection = self.control.enter(address(peer), || true).await?;
        let (client, server) = duplex(buffer);
        let (app, key) = (self.fixture.app.clone(), connection.key);
        let task = tokio::spawn(async move {
            let (_stop, stopping) = watch::channel(false);
            let http = protocol(IDLE);
            serve_connection(Box::new(server), connection, &http, router(app.clone()), stopping, &app).await;
        });
        self.control.attach(key, task);
        settle().await;
        Ok(client)
    }

    async fn connect(&self, peer: &str) -> Result<DuplexStream, Limit> {
        self.connect_with(peer, 1 << 16).await
    }
}

fn address(peer: &str) -> Option<IpAddr> {
    (peer != "unix").then(|| peer.parse().unwrap())
}

/// Lets all tasks do what they can.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Sends a request that the stalled shard has to answer, and returns its job.
async fn ask(client: &mut DuplexStream, queue: &Receiver<Job>) -> Job {
    let request = format!("GET {PRESENCE} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    settle().await;
    queue.try_recv().unwrap()
}

/// Answers a read, as the shard does.
fn answer(job: Job) {
    let Job::Read(user, to) = job else { panic!("no read") };
    to.send(UserView { user, presence: Presence::Away, version: 1, details: None }).unwrap();
}

async fn is_closed(client: &mut DuplexStream) -> bool {
    settle().await;
    matches!(tokio::time::timeout(Duration::ZERO, client.read(&mut [0; 4096])).await, Ok(Ok(0)))
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_busy_from_the_end_of_a_head_to_the_end_of_the_response() {
    let (server, queue) = Server::stalled(4, 2);
    let (one, other) = ("192.0.2.1", "192.0.2.2");
    let mut trickling = server.connect(one).await.unwrap();
    let mut served = server.connect(one).await.unwrap();
    let job = ask(&mut served, &queue).await;
    // Its idle one gives way, although a head has begun there; the one that is served does not.
    trickling.write_all(b"GET /metrics HTTP/1.1\r\nhost:").await.unwrap();
    let mut third = server.connect(one).await.unwrap();
    assert!(is_closed(&mut trickling).await);
    let second_job = ask(&mut third, &queue).await;
    assert_eq!(server.connect(one).await.unwrap_err(), Limit::Network);
    assert!(!is_closed(&mut served).await && !is_closed(&mut third).await);
    // Another address is not concerned.
    let mut elsewhere = server.connect(other).await.unwrap();
    for job in [job, second_job] {
        answer(job);
    }
    settle().await;
    let mut response = [0; 4096];
    assert!(served.read(&mut response).await.unwrap() > 0 && response.starts_with(b"HTTP/1.1 200 OK"));
    assert!(third.read(&mut response).await.unwrap() > 0 && response.starts_with(b"HTTP/1.1 200 OK"));
    // All are idle. The one elsewhere has been idle longest, but the limit that is met is that of the network.
    let _new = server.connect(one).await.unwrap();
    assert!(is_closed(&mut served).await && !is_closed(&mut third).await && !is_closed(&mut elsewhere).await);
    let _newer = server.connect(other).await.unwrap();
    assert!(is_closed(&mut elsewhere).await && !is_closed(&mut third).await);
    let _newest = server.connect("198.51.100.7").await.unwrap();
    assert!(is_closed(&mut third).await);
    assert_eq!(server.fixture.app.metrics.connections_replaced.get(), 4);
    assert_eq!(server.fixture.app.metrics.connections.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_not_taken_keeps_its_connection_busy() {
    let (server, _queue) = Server::stalled(4, 1);
    let mut slow = server.connect_with("192.0.2.1", 64).await.unwrap();
    slow.write_all(b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    settle().await;
    assert_eq!(server.connect("192.0.2.1").await.unwrap_err(), Limit::Network);
    read_response(&mut slow).await;
    settle().await;
    // Now it is idle.
    let _next = server.connect("192.0.2.1").await.unwrap();
    assert!(is_closed(&mut slow).await);
}

/// Otherwise guesses without end, which need no token, would keep all connections busy.
#[tokio::test(start_paused = true)]
async fn a_connection_whose_guess_is_slowed_gives_way() {
    let (server, _queue) = Server::stalled(4, 1);
    let mut guessing = server.connect("192.0.2.1").await.unwrap();
    for _ in 0..30 {
        assert_eq!(status(&mut guessing, PRESENCE, "guess").await, 401);
    }
    let request = format!("GET {PRESENCE} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer guess\r\n\r\n");
    guessing.write_all(request.as_bytes()).await.unwrap();
    settle().await;
    assert_eq!(server.fixture.app.metrics.connections_idle.get(), 1);
    let mut next = server.connect("192.0.2.1").await.unwrap();
    assert!(is_closed(&mut guessing).await);
    assert_eq!(status(&mut next, "/openapi.json", "guess").await, 200);
    assert_eq!(server.fixture.app.metrics.connections_replaced.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slowed_guess_whose_connection_was_replaced_gets_no_response() {
    let (server, _queue) = Server::stalled(4, 1);
    let connection = server.control.enter(address("192.0.2.1"), || true).await.unwrap();
    connection.begin().unwrap();
    assert_eq!(connection.pause(std::future::ready(())).await, Ok(()));
    assert_eq!(server.control.enter(address("192.0.2.1"), || true).await.unwrap_err(), Limit::Network);
    let second = tokio::time::sleep(Duration::from_secs(1));
    let (paused, next) = tokio::join!(connection.pause(second), server.control.enter(address("192.0.2.1"), || true));
    assert!(next.is_ok());
    assert_eq!(paused, Err(Replaced));
    assert_eq!(connection.pause(tokio::time::sleep(Duration::from_secs(1))).await, Err(Replaced));
}

#[tokio::test(start_paused = true)]
async fn pipelined_requests_keep_a_connection_busy() {
    let (server, queue) = Server::stalled(4, 1);
    let mut client = server.connect("192.0.2.1").await.unwrap();
    let request = format!("GET {PRESENCE} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n");
    client.write_all(request.repeat(3).as_bytes()).await.unwrap();
    for _ in 0..3 {
        settle().await;
        assert_eq!(server.connect("192.0.2.1").await.unwrap_err(), Limit::Network);
        answer(queue.try_recv().unwrap());
    }
    settle().await;
    assert!(server.connect("192.0.2.1").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn while_all_are_busy_this_machine_waits_and_others_are_turned_away() {
    let (server, queue) = Server::stalled(1, 1);
    let mut first = server.connect("127.0.0.1").await.unwrap();
    let job = ask(&mut first, &queue).await;
    assert_eq!(server.connect("192.0.2.1").await.unwrap_err(), Limit::All);
    assert_eq!(server.connect("198.51.100.7").await.unwrap_err(), Limit::All);
    let control = server.control.clone();
    let waiting = tokio::spawn(async move { control.enter(address("unix"), || true).await });
    settle().await;
    assert!(!waiting.is_finished());
    answer(job);
    settle().await;
    assert!(waiting.is_finished(), "the first one is idle");
    assert!(first.read(&mut [0; 4096]).await.unwrap() > 0);
    assert!(is_closed(&mut first).await);
    let text = server.fixture.app.metrics.text();
    for line in ["refused_total{limit=\"all\"} 2", "replaced_total 1"] {
        assert!(text.contains(&format!("presence_connections_{line}\n")), "{line}: {text}");
    }
}

/// The stream of a peer that sends nothing, and what was sent to it last.
#[derive(Clone, Default)]
struct Nothing(Arc<Mutex<String>>);

impl AsyncRead for Nothing {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        panic!("nothing is read of a silent connection")
    }
}

impl AsyncWrite for Nothing {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<std::io::Result<usize>> {
        panic!("nothing is written that has to wait")
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}

impl Stream for Nothing {
    fn has_begun(&self) -> bool {
        false
    }

    fn poll_begun(&self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }

    fn send_last(&self, response: &[u8]) {
        self.0.lock().unwrap().push_str(std::str::from_utf8(response).unwrap());
    }
}

impl Nothing {
    fn on(&self, server: &Server, connection: &Arc<Connection>) -> Silent {
        let (stream, clock) = (Some(Box::new(self.clone()) as _), server.fixture.app.clock.clone());
        Silent { stream, connection: connection.clone(), clock }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_byte_from_elsewhere_must_come_in_three_seconds() {
    let (server, _queue) = Server::stalled(8, 8);
    let (stop, stopping) = watch::channel(false);
    for (peer, expected) in [
        ("192.0.2.1", Duration::from_secs(3)),
        ("2001:db8::1", Duration::from_secs(3)),
        ("198.51.100.7", IDLE),
        ("::ffff:198.51.100.7", IDLE),
        ("::1", IDLE),
        ("unix", IDLE),
    ] {
        let connection: Arc<Connection> = server.control.enter(address(peer), || true).await.unwrap();
        let began = Instant::now();
        let nothing = Nothing::default();
        assert!(nothing.on(&server, &connection).begins(stopping.clone()).await.is_none());
        assert_eq!(*nothing.0.lock().unwrap(), "");
        let waited = began.elapsed();
        assert!((expected..expected + Duration::from_millis(10)).contains(&waited), "{peer}: {waited:?}");
    }
    // Who has just connected is about to ask; a connection that has been silent for longer does not hold up the end of the server.
    for (silent_for, expected) in [(0, 1000), (999, 1), (1000, 0), (5000, 0)] {
        let connection = server.control.enter(address("::1"), || true).await.unwrap();
        let waiting = tokio::spawn(Nothing::default().on(&server, &connection).begins(stopping.clone()));
        settle().await;
        tokio::time::sleep(Duration::from_millis(silent_for)).await;
        stop.send(true).unwrap();
        let began = Instant::now();
        assert!(waiting.await.unwrap().is_none());
        assert_eq!(began.elapsed().as_millis(), expected, "after {silent_for} ms");
        stop.send(false).unwrap();
    }
}

/// In an upgrade no request is lost that has come to the old server.
#[tokio::test(start_paused = true)]
async fn a_request_that_has_come_as_the_server_ends_is_served() {
    let (server, queue) = Server::stalled(8, 8);
    let request = format!("GET {PRESENCE} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n");
    let connection = server.control.enter(address("192.0.2.1"), || true).await.unwrap();
    let (mut client, end) = duplex(1 << 16);
    let (_stop, stopping) = watch::channel(true);
    client.write_all(request.as_bytes()).await.unwrap();
    let app = server.fixture.app.clone();
    let served = tokio::spawn(async move {
        serve_connection(Box::new(end), connection, &protocol(IDLE), router(app.clone()), stopping, &app).await;
    });
    settle().await;
    answer(queue.try_recv().unwrap());
    assert_eq!(read_response(&mut client).await, 200);
    served.await.unwrap();
}

/// Otherwise one byte of a peer without a token would hold up every end of the server.
#[tokio::test(start_paused = true)]
async fn a_head_that_has_begun_does_not_hold_up_the_end_of_the_server() {
    let (server, queue) = Server::stalled(8, 8);
    let request = format!("GET {PRESENCE} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n");
    let (begun, rest) = request.split_at(10);
    for (completes_after, lasts) in [(None, 1000), (Some(Duration::from_millis(900)), 1300)] {
        let connection = server.control.enter(address("192.0.2.1"), || true).await.unwrap();
        let (mut client, end) = duplex(1 << 16);
        let (stop, stopping) = watch::channel(false);
        let app = server.fixture.app.clone();
        let served = tokio::spawn(async move {
            serve_connection(Box::new(end), connection, &protocol(IDLE), router(app.clone()), stopping, &app).await;
        });
        client.write_all(begun.as_bytes()).await.unwrap();
        settle().await;
        stop.send(true).unwrap();
        let began = Instant::now();
        if let Some(time) = completes_after {
            tokio::time::sleep(time).await;
            client.write_all(rest.as_bytes()).await.unwrap();
            settle().await;
            // Less than the time that a test's request has, and beyond the grace.
            tokio::time::sleep(Duration::from_millis(400)).await;
            answer(queue.try_recv().unwrap());
            assert_eq!(read_response(&mut client).await, 200, "a request in flight is served to its end");
        }
        served.await.unwrap();
        let lasted = began.elapsed().as_millis();
        assert!((lasts..lasts + 50).contains(&lasted), "{lasted}");
        assert!(is_closed(&mut client).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_idle_from_the_beginning() {
    let (server, _queue) = Server::stalled(8, 1);
    let peer = address("192.0.2.1");
    let silent = server.control.enter(peer, || false).await.unwrap();
    let (_stop, stopping) = watch::channel(false);
    let nothing = Nothing::default();
    let (key, waiting) = (silent.key, nothing.on(&server, &silent));
    drop(silent);
    let task = tokio::spawn(async move {
        waiting.begins(stopping).await;
    });
    server.control.attach(key, task);
    settle().await;
    let busy = server.control.enter(peer, || true).await.unwrap();
    let told = nothing.0.lock().unwrap().clone();
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("\r\nretry-after: "), "{told}");
    assert_eq!(server.control.enter(peer, || false).await.unwrap_err(), Limit::Network);
    let metrics = &server.fixture.app.metrics;
    assert_eq!((metrics.connections.get(), metrics.connections_idle.get()), (1, 0));
    busy.has_read_all();
    assert_eq!((metrics.connections.get(), metrics.connections_idle.get()), (1, 1));
    drop(busy);
    assert_eq!((metrics.connections.get(), metrics.connections_idle.get()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_after_its_connection_was_replaced_is_not_carried_out() {
    let (server, queue) = Server::stalled(4, 1);
    let connection = server.control.enter(address("192.0.2.1"), || true).await.unwrap();
    connection.has_read_all();
    // Without a task, nothing closes the replaced connection before its request comes.
    let _next = server.control.enter(address("192.0.2.1"), || true).await.unwrap();
    let (mut client, end) = duplex(1 << 16);
    let app = server.fixture.app.clone();
    let request = format!("GET {PRESENCE} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer dev\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let (_stop, stopping) = watch::channel(false);
    serve_connection(Box::new(end), connection, &protocol(IDLE), router(app.clone()), stopping, &app).await;
    assert_eq!(client.read(&mut [0; 4096]).await.unwrap(), 0, "it is closed without a response");
    assert!(queue.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_connection_serves_one_request_after_another() {
    let (server, _queue) = Server::stalled(2, 1);
    let mut client = server.connect("192.0.2.1").await.unwrap();
    for _ in 0..100 {
        assert_eq!(status(&mut client, "/openapi.json", "dev").await, 200);
    }
    assert_eq!(server.fixture.app.metrics.connections_replaced.get(), 0);
}
