//! Tests of the edges of pieces over HTTP: bulk reads, batches, pages, and streams of changes over several shards.

use super::admin::MAX_JOBS;
use super::fixture::Fixture;
use super::router;
use axum::body::{Body, Bytes};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use presence_core::graph::{Batch, Ids, RawRequest};
use presence_core::{Command, Policy, Presence, SessionId, UserId};
use presence_engine::feed::FeedEvent;
use presence_engine::feed::ids::{PagePosition, ScanPosition};
use presence_engine::shard::job::{Job, ListedUser, UserList, UserView};
use presence_engine::shard::state::{CHUNK, MAX_BEHIND};
use presence_engine::testing::edges;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::oneshot::channel;
use tower::ServiceExt;

const PRESENCES: [Presence; 3] = [Presence::Away, Presence::InACall, Presence::Presenting];

fn user(number: usize) -> UserId {
    format!("{number:08x}-0000-4000-8000-{:012x}", number * 0x9E37_79B9).parse().unwrap()
}

/// Sends a request, and returns the status and the body of the response.
async fn send_as(fixture: &Fixture, token: &str, method: &str, path: &str, body: Body) -> (StatusCode, Bytes) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("authorization", format!("Bearer {token}")).header("content-type", "application/json");
    let response = router(fixture.app.clone()).oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

/// Sends a request that succeeds, and returns its JSON.
async fn send(fixture: &Fixture, method: &str, path: &str, body: &Value) -> Value {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let (status, bytes) = send_as(fixture, "dev", method, path, body).await;
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(status, 200, "{method} {path}: {json}");
    json
}

/// Returns an app with this many users in these shards, of whom each third is in another presence.
async fn app_of(shards: usize, users: usize) -> Fixture {
    let fixture = Fixture::new(shards, users);
    for number in 0..users {
        fixture.set(user(number), PRESENCES[number % 3]).await;
    }
    fixture
}

/// Returns the ids and activities of presence objects.
fn shown(presences: &Value) -> Vec<(&str, &str)> {
    let objects = presences.as_array().unwrap().iter();
    objects.map(|object| (object["id"].as_str().unwrap(), object["activity"].as_str().unwrap())).collect()
}

/// Rule H4, over several shards and in batches: each user once or again and again, in the order asked for.
#[tokio::test]
async fn h4_a_bulk_read_shows_each_user_in_its_place_however_many_there_are() {
    let most = Ids::MAX_COUNT;
    for shards in [1, 2, 3, 7] {
        let fixture = app_of(shards, most).await;
        for count in edges(16).into_iter().chain(edges(shards * 16)).chain([1, 127, 128, 129, most - 1, most]) {
            // In no order of shards or slots, and the first once more at the end.
            let mut order: Vec<_> = (0..count).map(|number| number * 7 % count).collect();
            order[count - 1] = order[0];
            let expected: Vec<_> = order
                .iter()
                .map(|number| (user(*number).to_string(), ["Away", "InACall", "Presenting"][*number % 3]))
                .collect();
            let ids: Vec<_> = expected.iter().map(|(id, _)| id).collect();
            let body = json!({ "ids": ids });
            let path = "/communications/getPresencesByUserId";
            let read = send(&fixture, "POST", path, &body).await;
            let batch = json!({"requests": [
                {"id": "1", "method": "GET", "url": format!("/users/{}/presence", ids[0])},
                {"id": "2", "method": "POST", "url": path, "body": body, "headers": {"content-type": "application/json"}},
            ]});
            let batch = send(&fixture, "POST", "/v1.0/$batch", &batch).await;
            for value in [&read["value"], &batch["responses"][1]["body"]["value"]] {
                let expected: Vec<_> = expected.iter().map(|(id, activity)| (id.as_str(), *activity)).collect();
                assert_eq!(shown(value), expected, "{count} users in {shards} shards");
            }
        }
    }
}

/// Rule H5: the elements of a batch are about their own users, whatever their number and the shards.
#[tokio::test]
async fn h5_each_element_of_a_batch_has_its_own_response() {
    let fixture = app_of(3, Batch::MAX_ELEMENTS).await;
    for count in [1, 2, 7, 8, 9, 15, 16, 17, Batch::MAX_ELEMENTS - 1, Batch::MAX_ELEMENTS] {
        for depends in [false, true] {
            let element = |number: usize| {
                let mut element = json!({"id": format!("n{number}"), "method": "GET", "url": format!("/users/{}/presence", user(number))});
                if depends && number > 0 {
                    element["dependsOn"] = json!([format!("n{}", number - 1)]);
                }
                element
            };
            let batch = json!({"requests": (0..count).map(element).collect::<Vec<_>>()});
            let responses = send(&fixture, "POST", "/v1.0/$batch", &batch).await;
            let responses = responses["responses"].as_array().unwrap();
            assert_eq!(responses.len(), count);
            for (number, response) in responses.iter().enumerate() {
                assert_eq!((&response["id"], &response["status"]), (&json!(format!("n{number}")), &json!(200)));
                assert_eq!(response["body"]["id"], user(number).to_string(), "{number} of {count}");
            }
        }
    }
}

/// Rule H5: an element waits for what it depends on, however many are before it, and fails with it.
#[tokio::test]
async fn h5_an_element_of_any_number_fails_with_what_it_depends_on() {
    let fixture = app_of(3, 1).await;
    for last in 1..Batch::MAX_ELEMENTS {
        for fails in [false, true] {
            let element = |number: usize| {
                let mut element = json!({"id": number.to_string(), "method": "GET", "url": format!("/users/{}/presence", user(number))});
                if fails && number + 1 == last {
                    // There is no such session.
                    element["method"] = json!("POST");
                    element["url"] = json!(format!("/users/{}/presence/clearPresence", user(number)));
                    element["headers"] = json!({"content-type": "application/json"});
                    element["body"] = json!({"sessionId": user(77).to_string()});
                }
                if number == last {
                    element["dependsOn"] = json!([(last - 1).to_string()]);
                }
                element
            };
            let batch = json!({"requests": (0..=last).map(element).collect::<Vec<_>>()});
            let responses = send(&fixture, "POST", "/v1.0/$batch", &batch).await;
            let status = |number: usize| responses["responses"][number]["status"].as_u64();
            let expected = if fails { (Some(404), Some(424)) } else { (Some(200), Some(200)) };
            assert_eq!((status(last - 1), status(last)), expected, "{last}: {responses}");
        }
    }
}

/// Receives so many changes on one connection, or each on a connection of its own. Returns the users, and the id after them.
async fn follow(fixture: &Fixture, id: &str, count: usize, breaks_off: bool) -> (Vec<UserId>, String) {
    let (mut changed, mut reader) = (Vec::new(), fixture.reader(Some(id)));
    while changed.len() < count {
        match reader.next().await.unwrap() {
            FeedEvent::Presence(view) => changed.push(view.user),
            event => panic!("{event:?} behind {} of {count} changes", changed.len()),
        }
        if breaks_off {
            reader = fixture.reader(Some(&reader.id()));
        }
    }
    (changed, reader.id())
}

/// Rule V2: a reader that resumes gets what it has missed, each change once, though it fills pieces to their edges.
#[tokio::test]
async fn v2_a_reader_that_resumes_behind_full_pieces_misses_nothing() {
    let most = MAX_BEHIND as usize;
    for shards in [1, 3] {
        let fixture = app_of(shards, most + 1).await;
        let mut times = vec![0; most + 1];
        let mut change = async |count: usize| {
            for (number, times) in times.iter_mut().enumerate().take(count) {
                *times += 1;
                fixture.set(user(number), PRESENCES[(number + *times) % 3]).await;
            }
        };
        let mut reader = fixture.reader(None);
        while !matches!(reader.next().await.unwrap(), FeedEvent::UpToDate) {}
        let mut id = reader.id();
        for behind in [1].into_iter().chain(edges(CHUNK)).chain(edges(shards * CHUNK)).chain([most - 1, most]) {
            change(behind).await;
            let expected: HashSet<_> = (0..behind).map(user).collect();
            let (changed, next) = follow(&fixture, &id, behind, false).await;
            assert_eq!(changed.into_iter().collect::<HashSet<_>>(), expected, "{behind} changes in {shards} shards");
            if behind <= 2 * CHUNK + 1 {
                let (changed, last) = follow(&fixture, &id, behind, true).await;
                assert_eq!((changed.into_iter().collect::<HashSet<_>>(), &last), (expected, &next), "{behind}");
            }
            id = next;
        }
        if shards == 1 {
            change(most + 1).await;
            let first = fixture.reader(Some(&id)).next().await.unwrap();
            assert!(matches!(first, FeedEvent::StartOver), "{first:?}");
        }
    }
}

/// Walks over the pages of the list; returns the users, and how many are on each page.
async fn walk(fixture: &Fixture, first: &str) -> (Vec<String>, Vec<usize>) {
    let (mut users, mut pages, mut path) = (Vec::new(), Vec::new(), first.to_owned());
    loop {
        let page = send(fixture, "GET", &path, &Value::Null).await;
        let listed = page["value"].as_array().unwrap();
        pages.push(listed.len());
        users.extend(listed.iter().map(|user| user["id"].as_str().unwrap().to_owned()));
        match page["@odata.nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => return (users, pages),
        }
    }
}

#[tokio::test]
async fn full_pages_of_the_list_have_each_user_once() {
    for (shards, count) in [1, 3].into_iter().flat_map(|shards| [99, 100, 101, 200, 201].map(|count| (shards, count))) {
        let fixture = app_of(shards, count).await;
        let expected: HashSet<_> = (0..count).map(|number| user(number).to_string()).collect();
        for (path, top) in [
            ("/admin/users".to_owned(), 100),
            ("/admin/users?$top=1".to_owned(), 1),
            ("/admin/users?$top=50".to_owned(), 50),
            (format!("/admin/users?$top={}", count - 1), count - 1),
            (format!("/admin/users?$top={count}"), count),
            ("/admin/users?$top=999".to_owned(), 999),
        ] {
            let (users, pages) = walk(&fixture, &path).await;
            assert_eq!((users.len(), users.into_iter().collect()), (count, expected.clone()), "{path} of {count}");
            assert_eq!(pages[0], top.min(count), "{path} of {count}");
        }
    }
}

/// A page ends behind so many pieces, whatever is in them, and the next one goes on where it ended.
#[tokio::test(start_paused = true)]
async fn a_page_of_many_empty_pieces_goes_on_where_it_ended() {
    for count in edges(MAX_JOBS) {
        let (fixture, queue) = Fixture::stalled();
        let shard = tokio::spawn(async move {
            let mut asked = Vec::new();
            while asked.len() < count {
                let Ok(job) = queue.try_recv() else {
                    tokio::task::yield_now().await;
                    continue;
                };
                let Job::List(offset, limit, to) = job else { panic!("{job:?}") };
                asked.push((offset, limit));
                // Nobody is stored but in the last piece.
                let next = Some(offset + 10).filter(|_| asked.len() < count);
                let view = UserView { user: user(7), presence: Presence::Away, version: 1, details: None };
                let listed = ListedUser { view, sessions: 1, has_preferred: false, creator: None };
                let users = if next.is_some() { Vec::new() } else { vec![listed] };
                to.send(UserList { users, next, generation: 0 }).unwrap();
            }
            asked
        });
        let (users, pages) = walk(&fixture, "/admin/users?$top=9").await;
        assert_eq!((users, pages.len()), (vec![user(7).to_string()], count.div_ceil(MAX_JOBS)), "{count}");
        let expected: Vec<_> = (0..count).map(|number| (10 * number, 9)).collect();
        assert_eq!(shard.await.unwrap(), expected, "{count}");
    }
}

/// A response is not there before all shards have answered, whose disks may stand still, and each in its turn.
#[tokio::test(start_paused = true)]
async fn a_response_waits_for_every_shard_that_it_shows() {
    let element = |number: usize| json!({"id": number.to_string(), "method": "GET", "url": format!("/users/{}/presence", user(number))});
    let batch = json!({"requests": (0..9).map(element).collect::<Vec<_>>()});
    let bulk = json!({"ids": (0..9).map(user).map(|user| user.to_string()).collect::<Vec<_>>()});
    for (path, body) in [("/v1.0/$batch", &batch), ("/communications/getPresencesByUserId", &bulk)] {
        let (fixture, queues) = Fixture::stalled_shards(3);
        let mut response = Box::pin(send(&fixture, "POST", path, body));
        assert!(tokio::time::timeout(Duration::ZERO, response.as_mut()).await.is_err());
        let view = |user| UserView { user, presence: Presence::Away, version: 1, details: None };
        let jobs: Vec<_> = queues.iter().flat_map(|queue| queue.try_iter()).collect();
        assert!(jobs.len() >= 3, "{path}: all shards are asked at once: {jobs:?}");
        // The last first.
        for job in jobs.into_iter().rev() {
            assert!(tokio::time::timeout(Duration::ZERO, response.as_mut()).await.is_err(), "{path}: before {job:?}");
            match job {
                Job::Read(user, to) => to.send(view(user)).unwrap(),
                Job::ReadMany(users, to) => to.send(users.into_iter().map(view).collect()).unwrap(),
                job => panic!("{job:?}"),
            }
        }
        let response = response.await;
        let ids: Vec<_> = match response["value"].as_array() {
            Some(users) => users.iter().map(|user| &user["id"]).collect(),
            None => response["responses"].as_array().unwrap().iter().map(|element| &element["body"]["id"]).collect(),
        };
        assert!(ids.into_iter().eq((0..9).map(|number| user(number).to_string()).collect::<Vec<_>>().iter()), "{path}");
    }
}

/// A page does not go on in a shard that was loaded anew, whichever of them it is.
#[tokio::test(start_paused = true)]
async fn a_page_goes_on_in_the_same_slots_of_every_shard() {
    for (shard, (generation, expected)) in (0..3).flat_map(|shard| [(7, 200), (8, 400)].map(|other| (shard, other))) {
        let (fixture, queues) = Fixture::stalled_shards(3);
        let position = PagePosition { slot: ScanPosition { shard, offset: 5 }, generation: 7 };
        let path = format!("/admin/users?$top=1&$skiptoken={}", fixture.app.feed_ids.format_page(position));
        let mut response = Box::pin(send_as(&fixture, "dev", "GET", &path, Body::empty()));
        assert!(tokio::time::timeout(Duration::ZERO, response.as_mut()).await.is_err());
        let Ok(Job::List(5, 1, to)) = queues[shard].try_recv() else { panic!("shard {shard} is asked") };
        let view = UserView { user: user(7), presence: Presence::Away, version: 1, details: None };
        let listed = ListedUser { view, sessions: 1, has_preferred: false, creator: None };
        to.send(UserList { users: vec![listed], next: Some(6), generation }).unwrap();
        assert_eq!(response.await.0, expected, "shard {shard}");
    }
}

/// Users are in other slots when their shard is loaded anew, between two pieces of a page or between two pages.
#[tokio::test(start_paused = true)]
async fn a_page_of_a_shard_that_was_loaded_anew_is_rejected() {
    for (first, second) in [(0, 0), (0, 7), (7, 7), (7, 8)] {
        for is_next_page in [false, true] {
            let (fixture, queue) = Fixture::stalled();
            let users = if is_next_page { 1 } else { 0 };
            let shard = tokio::spawn(async move {
                for (users, next, generation) in [(users, Some(10), first), (0, None, second)] {
                    let to = loop {
                        match queue.try_recv() {
                            Ok(Job::List(_, _, to)) => break to,
                            Ok(job) => panic!("{job:?}"),
                            Err(_) => tokio::task::yield_now().await,
                        }
                    };
                    let view = UserView { user: user(7), presence: Presence::Away, version: 1, details: None };
                    let users = (0..users).map(|_| ListedUser {
                        view: view.clone(),
                        sessions: 1,
                        has_preferred: false,
                        creator: None,
                    });
                    to.send(UserList { users: users.collect(), next, generation }).unwrap();
                }
            });
            let mut path = "/admin/users?$top=1".to_owned();
            if is_next_page {
                let page = send(&fixture, "GET", &path, &Value::Null).await;
                path = page["@odata.nextLink"].as_str().unwrap().to_owned();
            }
            let (status, body) = send_as(&fixture, "dev", "GET", &path, Body::empty()).await;
            assert_eq!(status, if first == second { 200 } else { 400 }, "{body:?}");
            shard.await.unwrap();
        }
    }
}

/// An advance of the clock reaches the users of all shards.
#[tokio::test]
async fn an_advance_reaches_every_shard() {
    for shards in [1, 2, 3, 17, 64] {
        let users = 4 * shards;
        let fixture = app_of(shards, users).await;
        let mut notify = fixture.app.shards.subscribe();
        send(&fixture, "POST", "/dev/advance?seconds=100000", &Value::Null).await;
        let ids: Vec<_> = (0..users).map(|number| user(number).to_string()).collect();
        let read = send(&fixture, "POST", "/communications/getPresencesByUserId", &json!({ "ids": ids })).await;
        assert!(shown(&read["value"]).iter().all(|(_, activity)| *activity == "Offline"), "{shards}: {read}");
        notify.changed().await.unwrap();
    }
}

/// As many sessions as a user may have are all explained, counted, and ended by an operator.
#[tokio::test]
async fn every_session_of_a_user_counts() {
    for count in [1, 2, 3, 7, 8] {
        let fixture = Fixture::new(1, 2);
        for number in 0..count {
            let (to, outcome) = channel();
            let session = SessionId::from_bytes([1 + number as u8; 16]);
            let command = Command::SetPresence { session, presence: PRESENCES[number % 3], lease: None };
            fixture.app.shards.send(0, Job::Execute(user(1), command, &Policy::GRAPH, None, to)).unwrap();
            outcome.await.unwrap().unwrap();
        }
        let path = format!("/users/{}/presence/explain", user(1));
        let sessions = |explained: &Value| explained["sessions"].as_array().unwrap().len();
        assert_eq!(sessions(&send(&fixture, "GET", &path, &Value::Null).await), count);
        let listed = send(&fixture, "GET", "/admin/users", &Value::Null).await;
        assert_eq!(listed["value"][0]["sessions"], count, "{listed}");
        let before = listed["value"][0]["sequenceNumber"].clone();
        let sign_out = format!("/admin/users/{}/signOut", user(1));
        assert_eq!(send_as(&fixture, "dev", "POST", &sign_out, Body::empty()).await.0, 204);
        let explained = send(&fixture, "GET", &path, &Value::Null).await;
        assert_eq!((sessions(&explained), &explained["lastEnded"]), (0, &json!("cleared")));
        let read = send(&fixture, "GET", &format!("/users/{}/presence", user(1)), &Value::Null).await;
        let number = |text: &Value| u64::from_str_radix(&text.as_str().unwrap()[1..], 16).unwrap();
        assert_eq!(number(&read["sequenceNumber"]), number(&before) + 1, "one change, however many sessions end");
    }
}

/// Rule H2: a body of the greatest size is read, or discarded, and one byte more is too large, in one piece or in many.
#[tokio::test]
async fn h2_bodies_have_a_greatest_size() {
    let fixture = Fixture::new(1, 2);
    let most = RawRequest::MAX_BODY;
    let path = "/communications/getPresencesByUserId";
    for (length, token, expected) in [
        (most - 1, "dev", 200),
        (most, "dev", 200),
        (most + 1, "dev", 413),
        (2 * most, "dev", 413),
        (most - 1, "unknown", 401),
        (most, "unknown", 401),
        (most + 1, "unknown", 413),
        (2 * most + 1, "unknown", 413),
    ] {
        let ids = format!(r#"{{"ids":["{}"]}}"#, user(1));
        let text = format!("{ids}{}", " ".repeat(length - ids.len()));
        for piece in [length, 1000, most / 2, most / 2 + 1] {
            let pieces: Vec<_> = text
                .as_bytes()
                .chunks(piece)
                .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
                .collect();
            let body = Body::from_stream(futures_util::stream::iter(pieces));
            let (status, body) = send_as(&fixture, token, "POST", path, body).await;
            assert_eq!(status, expected, "{length} in pieces of {piece}: {body:?}");
        }
    }
}

/// A step of the clock wakes every shard, since deadlines of any of them may have come.
#[tokio::test]
async fn a_wake_reaches_every_shard() {
    for shards in [1, 2, 7] {
        let (fixture, queues) = Fixture::stalled_shards(shards);
        fixture.app.shards.wake();
        for (shard, queue) in queues.iter().enumerate() {
            assert!(matches!(queue.try_recv(), Ok(Job::Wake)), "shard {shard} of {shards}");
        }
    }
}
