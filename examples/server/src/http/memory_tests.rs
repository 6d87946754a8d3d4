//! Tests of what responses hold that nobody reads: as much as they are long, and no more than is counted.

use super::fixture::Fixture;
use super::response::RequestError;
use super::response_body::PERMIT;
use super::router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use presence_core::graph::Batch;
use serde_json::{Value, json};
use tower::ServiceExt;

const ADELE: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";

/// Sends a request; returns the status, the length of its response, and the bytes held before it is read.
async fn hold(fixture: &Fixture, method: &str, path: &str, body: Value) -> (StatusCode, usize, usize) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("authorization", "Bearer dev").header("content-type", "application/json");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let response = router(fixture.app.clone()).oneshot(request.body(body).unwrap()).await.unwrap();
    let (status, held) = (response.status(), fixture.app.reserved());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let length = bytes.len();
    assert_eq!(fixture.app.reserved(), held, "{path}: it is held until it is sent");
    drop(bytes);
    assert_eq!((fixture.app.reserved(), fixture.app.metrics.reserve_faults.get()), (0, 0), "{path}");
    (status, length, held)
}

fn in_permits(bytes: usize) -> usize {
    bytes.next_multiple_of(PERMIT)
}

#[tokio::test]
async fn an_unread_response_holds_what_is_counted() {
    let fixture = Fixture::new(2, 10);
    let set = json!({"sessionId": "22553876-f5ab-4529-bffb-cfe50aa89f87", "availability": "Busy", "activity": "InACall",
        "expirationDuration": "PT1H"});
    let set = hold(&fixture, "POST", &format!("/users/{ADELE}/presence/setPresence"), set).await;
    assert_eq!(set, (StatusCode::OK, 0, 0));
    let bulk = json!({"ids": vec![ADELE; 650]});
    for (method, path, body, least) in [
        ("GET", format!("/users/{ADELE}/presence"), Value::Null, 150),
        ("GET", format!("/users/{ADELE}"), Value::Null, 20),
        ("GET", format!("/users/{ADELE}/presence/explain"), Value::Null, 300),
        ("POST", "/communications/getPresencesByUserId".to_owned(), bulk, 650 * 150),
        ("GET", "/admin/users".to_owned(), Value::Null, 200),
        ("GET", "/metrics".to_owned(), Value::Null, 1000),
    ] {
        let (status, length, held) = hold(&fixture, method, &path, body).await;
        assert_eq!((status, held), (StatusCode::OK, in_permits(length)), "{path}");
        assert!(length > least, "{path}: {length}");
    }
}

/// Whatever is in a batch, ids of the longest length too.
#[tokio::test]
async fn an_unread_response_to_a_batch_holds_what_is_counted() {
    let fixture = Fixture::new(2, 10);
    let read = json!({"ids": vec![ADELE; 650]});
    // DEL takes six bytes where it is written.
    let id = |number: u8| format!("{}{}", char::from(b'a' + number), "\u{7f}".repeat(Batch::MAX_ID_LEN - 1));
    for (url, least) in [("/nowhere", 20 * 900), ("/communications/getPresencesByUserId", 20 * 650 * 150)] {
        let element = |number| json!({"id": id(number), "method": "POST", "url": url, "body": read});
        let batch = json!({"requests": (0..20).map(element).collect::<Vec<_>>()});
        let (status, length, held) = hold(&fixture, "POST", "/v1.0/$batch", batch).await;
        assert_eq!((status, held), (StatusCode::OK, in_permits(length)));
        assert!(length > least, "{length}");
    }
}

/// What is not counted is a constant for each connection, or takes no memory.
#[tokio::test]
async fn what_is_not_counted_is_short() {
    let fixture = Fixture::new(2, 10);
    for (method, path, status) in [
        ("GET", "/nowhere", StatusCode::NOT_FOUND),
        ("DELETE", "/metrics", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/dev/advance?seconds=1", StatusCode::OK),
    ] {
        let (got, length, held) = hold(&fixture, method, path, Value::Null).await;
        assert_eq!((got, held), (status, 0), "{path}");
        assert!(length <= RequestError::MAX_LEN, "{path}: {length}");
    }
    let (_, length, held) = hold(&fixture, "GET", "/openapi.json", Value::Null).await;
    assert_eq!((length, held), (super::pages::OPENAPI.len(), 0), "it is a part of the program");
}
