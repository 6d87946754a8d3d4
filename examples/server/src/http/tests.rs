//! What clients are told by a server whose shards have too much to do, or do not answer.

use super::fixture::{Fixture, REQUESTS};
use super::{READERS, router};
use crate::shard::QUEUE;
use crate::shard::job::Job;
use axum::body::Body;
use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use presence_core::UserId;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower::ServiceExt;

const ADELE: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";

async fn send(fixture: &Fixture, method: &str, path: &str, body: &str) -> Response {
    let request = Request::builder().method(method).uri(path).header("authorization", "Bearer dev");
    let request = request.header("content-type", "application/json").body(Body::from(body.to_owned())).unwrap();
    router(fixture.app.clone()).oneshot(request).await.unwrap()
}

async fn get(fixture: &Fixture) -> Response {
    send(fixture, "GET", &format!("/v1.0/users/{ADELE}/presence"), "").await
}

/// The status, when to come back, and Graph's code of an error. Rule H1.
async fn refusal(response: Response) -> (u16, Option<String>, String) {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let text = |headers: &HeaderMap| Some(headers.get(RETRY_AFTER)?.to_str().unwrap().to_owned());
    (parts.status.as_u16(), text(&parts.headers), json["error"]["code"].as_str().unwrap().to_owned())
}

fn fill(fixture: &Fixture) {
    let user: UserId = ADELE.parse().unwrap();
    while fixture.app.shards.ask(0, Job::Read(user, tokio::sync::oneshot::channel().0)).is_ok() {}
}

#[tokio::test]
async fn h1_a_queue_that_is_full_is_no_place_to_wait() {
    let (fixture, queue) = Fixture::stalled();
    fill(&fixture);
    assert_eq!(queue.try_iter().count(), QUEUE);
    fill(&fixture);
    let throttled = || (429, Some("1".to_owned()), "TooManyRequests".to_owned());
    assert_eq!(refusal(get(&fixture).await).await, throttled());
    let act = format!("/v1.0/users/{ADELE}/presence/clearUserPreferredPresence");
    assert_eq!(refusal(send(&fixture, "POST", &act, "{}").await).await, throttled());
    let tell = format!("/v1.0/users/{ADELE}/presence/setStatusMessage");
    let message = r#"{"statusMessage":{"message":{"content":"x","contentType":"text"}}}"#;
    assert_eq!(refusal(send(&fixture, "POST", &tell, message).await).await, throttled());
    let bulk = format!(r#"{{"ids":["{ADELE}"]}}"#);
    let many = send(&fixture, "POST", "/v1.0/communications/getPresencesByUserId", &bulk).await;
    assert_eq!(refusal(many).await, throttled());
    // An element of a batch by itself. Rule H5.
    let batch = format!(r#"{{"requests":[{{"id":"1","method":"GET","url":"/users/{ADELE}/presence"}}]}}"#);
    let response = send(&fixture, "POST", "/v1.0/$batch", &batch).await;
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["responses"][0]["status"], 429, "{json}");
    assert_eq!(json["responses"][0]["headers"]["Retry-After"], "1", "{json}");
    // Nothing of all that has waited, and nothing is counted as if it had.
    assert_eq!(queue.try_iter().count(), QUEUE);
    assert_eq!(fixture.app.metrics.queued.get(), 2 * QUEUE as i64);
}

#[tokio::test]
async fn h1_more_requests_than_are_served_at_a_time_are_told_when_to_come_back() {
    let (fixture, _queue) = Fixture::stalled();
    let mut served: Vec<_> = (0..REQUESTS).map(|_| Box::pin(get(&fixture))).collect();
    for request in &mut served {
        assert!(timeout(Duration::ZERO, request.as_mut()).await.is_err(), "it is being served");
    }
    let throttled = (429, Some("1".to_owned()), "TooManyRequests".to_owned());
    assert_eq!(refusal(get(&fixture).await).await, throttled);
    assert_eq!(fixture.app.metrics.throttled.get(), 1);
    assert_eq!(fixture.app.metrics.in_flight.get(), REQUESTS as i64);
    drop(served);
    assert_eq!(fixture.app.metrics.in_flight.get(), 0, "who hangs up gives back its place");
}

#[tokio::test]
async fn a_disk_that_does_not_answer_is_not_the_clients_fault() {
    let (fixture, queue) = Fixture::stalled();
    let told = (503, Some("10".to_owned()), "ServiceUnavailable".to_owned());
    assert_eq!(refusal(get(&fixture).await).await, told);
    // What was asked waits on: nobody can say that it was not carried out.
    assert_eq!(queue.try_iter().count(), 1);
    assert_eq!(fixture.app.limits.in_flight.available_permits(), REQUESTS, "its place is free again");
}

#[tokio::test]
async fn readers_of_changes_leave_half_of_every_queue_to_others() {
    let (fixture, queue) = Fixture::stalled();
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let response = send(&fixture, "GET", "/presence/changes", "").await;
        assert_eq!(response.status(), 200);
        readers.spawn(response.into_body().collect());
    }
    let refused = send(&fixture, "GET", "/presence/changes", "").await;
    assert_eq!(refusal(refused).await, (429, Some("1".to_owned()), "TooManyRequests".to_owned()));
    // Each has heard that it starts over, and has asked for everybody.
    let mut asked = 0;
    while asked < READERS {
        tokio::task::yield_now().await;
        asked += queue.try_iter().inspect(|job| assert!(matches!(job, Job::Everybody(..)))).count();
    }
    // Nobody has answered, so nobody asks again.
    for _ in 0..10 * READERS {
        tokio::task::yield_now().await;
    }
    assert_eq!((asked + queue.try_iter().count(), READERS * 2), (READERS, QUEUE));
    readers.shutdown().await;
    assert_eq!(send(&fixture, "GET", "/presence/changes", "").await.status(), 200, "their places are free again");
}
