//! Tests of the responses when shards are overloaded, or do not respond.

use super::fixture::{Fixture, REQUESTS};
use super::{READERS, router};
use axum::body::Body;
use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use presence_core::directory::Cursor;
use presence_core::{Presence, UserId};
use presence_engine::shard::QUEUE;
use presence_engine::shard::job::{Changes, FullScan, Job, UserView};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower::ServiceExt;

const ADELE: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";

async fn send(fixture: &Fixture, method: &str, path: &str, body: &str) -> Response {
    send_as("dev", fixture, method, path, body).await
}

async fn send_as(token: &str, fixture: &Fixture, method: &str, path: &str, body: &str) -> Response {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("authorization", format!("Bearer {token}"));
    let request = request.header("content-type", "application/json").header("content-length", body.len());
    let request = request.body(Body::from(body.to_owned())).unwrap();
    router(fixture.app.clone()).oneshot(request).await.unwrap()
}

async fn get(fixture: &Fixture) -> Response {
    send(fixture, "GET", &format!("/v1.0/users/{ADELE}/presence"), "").await
}

/// Returns an error's status, whether its `Retry-After` is short, and Graph's code. Rule H1.
async fn error(response: Response) -> (u16, Option<bool>, String) {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let seconds = |headers: &HeaderMap| headers.get(RETRY_AFTER)?.to_str().unwrap().parse::<u8>().ok();
    let least = if parts.status == 503 { 10 } else { 1 };
    let is_short = seconds(&parts.headers).map(|seconds| (least..least + 3).contains(&seconds));
    (parts.status.as_u16(), is_short, json["error"]["code"].as_str().unwrap().to_owned())
}

fn fill(fixture: &Fixture) {
    let user: UserId = ADELE.parse().unwrap();
    while fixture.app.shards.send(0, Job::Read(user, tokio::sync::oneshot::channel().0)).is_ok() {}
}

#[tokio::test]
async fn h1_requests_to_a_full_queue_are_throttled() {
    let (fixture, queue) = Fixture::stalled();
    fill(&fixture);
    assert_eq!(queue.try_iter().count(), QUEUE);
    fill(&fixture);
    let throttled = || (429, Some(true), "TooManyRequests".to_owned());
    assert_eq!(error(get(&fixture).await).await, throttled());
    let action = format!("/v1.0/users/{ADELE}/presence/clearUserPreferredPresence");
    assert_eq!(error(send(&fixture, "POST", &action, "{}").await).await, throttled());
    let details_action = format!("/v1.0/users/{ADELE}/presence/setStatusMessage");
    let message = r#"{"statusMessage":{"message":{"content":"x","contentType":"text"}}}"#;
    assert_eq!(error(send(&fixture, "POST", &details_action, message).await).await, throttled());
    let bulk = format!(r#"{{"ids":["{ADELE}"]}}"#);
    let many = send(&fixture, "POST", "/v1.0/communications/getPresencesByUserId", &bulk).await;
    assert_eq!(error(many).await, throttled());
    // Rule H5: an element of a batch fails by itself.
    let batch = format!(r#"{{"requests":[{{"id":"1","method":"GET","url":"/users/{ADELE}/presence"}}]}}"#);
    let response = send(&fixture, "POST", "/v1.0/$batch", &batch).await;
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["responses"][0]["status"], 429, "{json}");
    // Those before took the turns of a second.
    assert_eq!(json["responses"][0]["headers"]["Retry-After"], "2", "{json}");
    // None of these requests was queued, or counted as queued.
    assert_eq!(queue.try_iter().count(), QUEUE);
    assert_eq!(fixture.app.metrics.engine.queued.get(), 2 * QUEUE as i64);
}

#[tokio::test]
async fn h1_requests_beyond_the_limit_are_throttled() {
    let (fixture, _queue) = Fixture::stalled();
    let path = format!("/v1.0/users/{ADELE}/presence");
    let get = |token| Box::pin(send_as(token, &fixture, "GET", &path, ""));
    // One caller gets three of four places.
    let mut served: Vec<_> = ["dev"; REQUESTS - 1].map(get).into();
    for request in &mut served {
        assert!(timeout(Duration::ZERO, request.as_mut()).await.is_err(), "it is in flight");
    }
    let throttled = || (429, Some(true), "TooManyRequests".to_owned());
    assert_eq!(error(get("dev").await).await, throttled());
    assert_eq!(error(get("nobody").await).await.0, 401);
    // Rule H2: the caller comes before the path, the token before the caller.
    for (token, expected) in [("dev", 429), ("two", 404), ("nobody", 401)] {
        assert_eq!(send_as(token, &fixture, "GET", "/nowhere", "").await.status(), expected, "{token}");
    }
    served.push(get("two"));
    assert!(timeout(Duration::ZERO, served[REQUESTS - 1].as_mut()).await.is_err(), "it is in flight");
    // The whole server comes before the token, and the size before both, for operators too.
    for token in ["one", "nobody"] {
        assert_eq!(error(get(token).await).await, throttled());
    }
    let too_large = "x".repeat((1 << 20) + 1);
    for (method, path) in [("GET", path.as_str()), ("GET", "/admin/users"), ("DELETE", "/admin/users/x")] {
        for (body, expected) in [("", 429), (&too_large, 413)] {
            let response = send_as("nobody", &fixture, method, path, body).await;
            assert_eq!(response.status(), expected, "{method} {path}");
        }
    }
    let metrics = fixture.app.metrics.text();
    for (scope, count) in [("developer", 2), ("server", 5)] {
        let line = format!("presence_throttled_total{{limit=\"requests\",scope=\"{scope}\"}} {count}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
    assert_eq!(fixture.app.metrics.in_flight.get(), REQUESTS as i64);
    drop(served);
    assert_eq!(fixture.app.metrics.in_flight.get(), 0, "a client that hangs up releases its permit");
}

#[tokio::test]
async fn a_stalled_shard_makes_the_service_unavailable() {
    let (fixture, queue) = Fixture::stalled();
    let unavailable = (503, Some(true), "ServiceUnavailable".to_owned());
    assert_eq!(error(get(&fixture).await).await, unavailable);
    // The job stays queued, so it may still be executed.
    assert_eq!(queue.try_iter().count(), 1);
    assert_eq!(fixture.app.limits.in_flight.free(), REQUESTS, "its permit is released");
}

#[tokio::test]
async fn readers_of_changes_leave_half_of_every_queue_to_others() {
    let (fixture, queue) = Fixture::stalled();
    let mut readers = JoinSet::new();
    // No caller gets all of them: the next ones most of the rest, down to the last.
    for (token, expected) in [("dev", 448), ("first", 11), ("two", 46), ("one", 4)] {
        for _ in 0..expected {
            let response = send_as(token, &fixture, "GET", "/presence/changes", "").await;
            assert_eq!(response.status(), 200, "{token}");
            readers.spawn(response.into_body().collect());
        }
        let rejected = send_as(token, &fixture, "GET", "/presence/changes", "").await;
        assert_eq!(rejected.status(), 429, "{token}");
        assert_eq!(error(rejected).await, (429, Some(true), "TooManyRequests".to_owned()), "{token}");
    }
    let opened = readers.len();
    // Each reader has sent `start-over`, and requested the first chunk of its scan.
    // Jobs are kept, because a reader whose job is dropped asks again.
    let mut requested = Vec::new();
    while requested.len() < opened {
        tokio::task::yield_now().await;
        requested.extend(queue.try_iter().inspect(|job| assert!(matches!(job, Job::FullScan(..)))));
    }
    // Without a response, no reader requests more.
    for _ in 0..10 * READERS {
        tokio::task::yield_now().await;
    }
    assert_eq!((requested.len() + queue.try_iter().count(), READERS * 2), (opened, QUEUE));
    readers.shutdown().await;
    assert_eq!(send(&fixture, "GET", "/presence/changes", "").await.status(), 200, "their permits are released");
}

/// Returns the next piece of a stream.
async fn next_text(body: &mut Body) -> String {
    let frame = body.frame().await.expect("the stream has ended").unwrap();
    String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_stalls_in_a_scan_sends_a_comment_every_15_seconds() {
    let (fixture, _queue) = Fixture::stalled();
    let mut body = send(&fixture, "GET", "/presence/changes", "").await.into_body();
    assert!(next_text(&mut body).await.starts_with("retry: "));
    assert!(next_text(&mut body).await.starts_with("event: start-over\ndata: {}\nid: "));
    for _ in 0..3 {
        let before = tokio::time::Instant::now();
        assert_eq!(next_text(&mut body).await, ":\n\n");
        assert_eq!(before.elapsed(), Duration::from_secs(15));
    }
}

#[tokio::test(start_paused = true)]
async fn a_comment_comes_15_seconds_after_the_last_event_and_not_for_each() {
    let (fixture, queue) = Fixture::stalled();
    let view = UserView { user: ADELE.parse().unwrap(), presence: Presence::Away, version: 1, details: None };
    // A scan of five chunks, which come ten seconds apart.
    tokio::spawn(async move {
        for number in 1..=5 {
            tokio::time::sleep(Duration::from_secs(10)).await;
            let Ok(Job::FullScan(_, to)) = queue.try_recv() else { panic!("no chunk is requested") };
            let users = vec![(view.clone(), number)];
            to.send(FullScan { users, next: Some(number), cursor: Cursor::START, generation: 0 }).unwrap();
        }
        queue
    });
    let mut body = send(&fixture, "GET", "/presence/changes", "").await.into_body();
    while !next_text(&mut body).await.starts_with("event: start-over") {}
    for expected in [(10, "event: presence"); 5].into_iter().chain([(15, ":\n\n"); 2]) {
        let before = tokio::time::Instant::now();
        assert!(next_text(&mut body).await.starts_with(expected.1), "{expected:?}");
        assert_eq!(before.elapsed(), Duration::from_secs(expected.0));
    }
}

/// A shard that is loaded anew between two chunks has its users in other slots, so the scan is worth nothing.
#[tokio::test(start_paused = true)]
async fn a_scan_of_a_shard_that_was_loaded_anew_begins_again() {
    let (fixture, queue) = Fixture::stalled();
    let view = UserView { user: ADELE.parse().unwrap(), presence: Presence::Away, version: 1, details: None };
    tokio::spawn(async move {
        for (offset, number, generation, next) in [(0, 7, 0, Some(1)), (1, 9, 8, None), (0, 9, 8, None)] {
            let to = loop {
                match queue.try_recv() {
                    Ok(Job::FullScan(at, to)) if at == offset => break to,
                    Ok(Job::Changes(_, to)) => to.send(Changes::Users(Vec::new())).unwrap(),
                    Ok(job) => panic!("{job:?}"),
                    Err(_) => tokio::task::yield_now().await,
                }
            };
            let users = vec![(view.clone(), offset + 1)];
            let cursor = Cursor::from_number(number);
            to.send(FullScan { users, next, cursor, generation }).unwrap();
        }
    });
    let mut body = send(&fixture, "GET", "/presence/changes", "").await.into_body();
    assert!(next_text(&mut body).await.starts_with("retry: "));
    for expected in ["start-over", "presence", "start-over", "presence", "up-to-date"] {
        let text = next_text(&mut body).await;
        assert!(text.starts_with(&format!("event: {expected}\n")), "{expected}: {text}");
    }
}

/// Rule H2: a rate is that of the caller, after the token and before the path; each element of a batch counts, and the batch does not.
#[tokio::test(start_paused = true)]
async fn h2_requests_beyond_a_rate_get_a_truthful_time_to_come_back() {
    let (fixture, _queue) = Fixture::stalled();
    let fixture = fixture.with_rates("4/20", "2/60");
    // No shard is asked for that.
    let path = format!("/v1.0/users/{ADELE}");
    let get = async |token| {
        let response = send_as(token, &fixture, "GET", &path, "").await;
        let after = response.headers().get(RETRY_AFTER).map(|seconds| seconds.to_str().unwrap().to_owned());
        (response.status().as_u16(), after)
    };
    let (ok, after) = (|| (200, None), |seconds: &str| (429, Some(seconds.to_owned())));
    assert_eq!((get("first").await, get("first").await, get("first").await), (ok(), ok(), after("30")));
    assert_eq!((get("second").await, get("one").await, get("second").await), (ok(), ok(), after("5")));
    assert_eq!((get("two").await, get("dev").await, get("nobody").await), (ok(), ok(), (401, None)));
    for (token, expected) in [("one", 429), ("two", 404), ("nobody", 401)] {
        assert_eq!(send_as(token, &fixture, "GET", "/nowhere", "").await.status(), expected, "{token}");
    }
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!((get("one").await, get("one").await), (ok(), after("5")));
    tokio::time::advance(Duration::from_secs(60)).await;
    // Six elements, two of them about nothing: four count.
    let element = |number| serde_json::json!({"id": number, "method": "GET", "url": if number == "2" { "/x" } else { &path[5..] }});
    let elements = ["1", "2", "3", "4", "5", "6"].map(element);
    let batch = serde_json::json!({ "requests": elements }).to_string();
    let response = send_as("one", &fixture, "POST", "/v1.0/$batch", &batch).await;
    let json: serde_json::Value =
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    let statuses: Vec<_> = json["responses"].as_array().unwrap().iter().map(|element| &element["status"]).collect();
    assert_eq!(statuses, [200, 404, 200, 200, 429, 429], "{json}");
    assert_eq!(json["responses"][5]["headers"]["Retry-After"], "5", "{json}");
    assert_eq!(json["responses"][5]["body"]["error"]["code"], "TooManyRequests");
    // What is no batch counts as one request.
    assert_eq!(send_as("one", &fixture, "POST", "/v1.0/$batch", "{}").await.status(), 429);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(send_as("one", &fixture, "POST", "/v1.0/$batch", "{}").await.status(), 400);
    assert_eq!(get("one").await, after("5"));
    let metrics = fixture.app.metrics.text();
    for (scope, count) in [("application", 7), ("user", 1)] {
        let line = format!("presence_throttled_total{{limit=\"rate\",scope=\"{scope}\"}} {count}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}
