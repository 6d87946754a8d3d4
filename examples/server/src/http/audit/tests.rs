//! Tests of what the audit log says of changes whose outcome is not known when their request ends.

use super::super::fixture::Fixture;
use super::super::router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use presence_engine::shard::QUEUE;
use presence_engine::shard::job::Job;
use serde_json::{Value, json};
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::task::Poll;
use tokio::sync::oneshot::channel;
use tower::ServiceExt;

const ADELE: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
const BOB: &str = "66825e03-7ef5-42da-9069-724602c31f6b";

async fn post(fixture: &Fixture, path: String, body: Value) -> Response {
    let request = Request::post(path).header("host", "localhost").header("authorization", "Bearer dev");
    let request = request.header("content-type", "application/json").body(Body::from(body.to_string()));
    router(fixture.app.clone()).oneshot(request.unwrap()).await.unwrap()
}

/// Goes on with a request as far as it gets, and reports whether it has no response then.
async fn is_pending(request: &mut Pin<&mut impl Future<Output = Response>>) -> bool {
    poll_fn(|context| Poll::Ready(request.as_mut().poll(context).is_pending())).await
}

fn clear(user: &str) -> String {
    format!("/users/{user}/presence/clearUserPreferredPresence")
}

/// Closes the logs, and returns what the lines of the audit log say of outcomes.
fn outcomes(fixture: &Fixture, path: &Path) -> Vec<Value> {
    fixture.app.logs.close();
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| json!([line["event"], line["user"], line["outcome"], line["status"]])).collect()
}

#[tokio::test]
async fn a_change_that_takes_too_long_has_an_unknown_outcome() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("audit.log");
    let (fixture, _queue) = Fixture::stalled();
    let fixture = fixture.with_audit(&path);
    assert_eq!(post(&fixture, clear(ADELE), json!({})).await.status(), 503);
    assert_eq!(outcomes(&fixture, &path), [json!(["clearUserPreferredPresence", ADELE, "unknown", null])]);
}

#[tokio::test]
async fn a_change_whose_client_hangs_up_has_an_unknown_outcome() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("audit.log");
    let (fixture, queue) = Fixture::stalled();
    let fixture = fixture.with_audit(&path);
    {
        let mut request = std::pin::pin!(post(&fixture, clear(ADELE), json!({})));
        while queue.try_recv().is_err() {
            assert!(is_pending(&mut request).await);
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(outcomes(&fixture, &path), [json!(["clearUserPreferredPresence", ADELE, "unknown", null])]);
}

#[tokio::test]
async fn of_a_batch_the_elements_that_have_responses_have_outcomes() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("audit.log");
    let (fixture, queue) = Fixture::stalled();
    let fixture = fixture.with_audit(&path);
    let element = |id: &str, user: &str| json!({"id": id, "method": "POST", "url": clear(user)});
    let batch = json!({"requests": [element("1", ADELE), element("2", BOB)]});
    {
        let mut request = std::pin::pin!(post(&fixture, "/$batch".to_owned(), batch));
        let mut jobs = Vec::new();
        while jobs.len() < 2 {
            assert!(is_pending(&mut request).await);
            jobs.extend(queue.try_iter());
        }
        let Job::Execute(.., to) = jobs.remove(0) else { panic!("no change") };
        to.send(Ok(())).unwrap();
        assert!(is_pending(&mut request).await);
    }
    let event = "clearUserPreferredPresence";
    assert_eq!(outcomes(&fixture, &path), [json!([event, ADELE, "done", 200]), json!([event, BOB, "unknown", null])]);
}

#[tokio::test]
async fn what_no_shard_was_told_of_is_rejected() {
    let own = tempfile::TempDir::new().unwrap();
    let path = own.path().join("audit.log");
    let (fixture, _queue) = Fixture::stalled();
    let fixture = fixture.with_audit(&path);
    for _ in 0..QUEUE {
        fixture.app.shards.send(0, Job::Read(ADELE.parse().unwrap(), channel().0)).unwrap();
    }
    assert_eq!(post(&fixture, clear(ADELE), json!({})).await.status(), 429);
    assert_eq!(outcomes(&fixture, &path), [json!(["clearUserPreferredPresence", ADELE, "rejected", 429])]);
}
