//! Rule H5: batches, over HTTP and in a line.

use super::server::{ADELE, OTHER, Server, TEAMS, message, user};
use presence_core::graph::{
    Batch, Buffer, Caller, Context, Element, Error, Line, Request, Trace, json::Value as Written, serve_line,
};
use presence_core::{Instant, Policy};
use serde_json::{Value, json};

fn set(id: &str) -> Value {
    let body = json!({"sessionId": TEAMS, "availability": "Busy", "activity": "InACall"});
    json!({"id": id, "method": "POST", "url": format!("/users/{ADELE}/presence/setPresence"), "body": body})
}

fn clear(id: &str) -> Value {
    let url = format!("/users/{ADELE}/presence/clearPresence");
    json!({"id": id, "method": "POST", "url": url, "body": {"sessionId": TEAMS}})
}

fn get(id: &str) -> Value {
    json!({"id": id, "method": "GET", "url": format!("/users/{ADELE}/presence")})
}

fn depending(mut element: Value, on: &[&str]) -> Value {
    element["dependsOn"] = json!(on);
    element
}

fn send(server: &mut Server, requests: &[Value]) -> (u16, Value) {
    server.post("/v1.0/$batch", &json!({"requests": requests}))
}

fn statuses(body: &Value) -> Vec<(String, u64)> {
    let responses = body["responses"].as_array().unwrap_or_else(|| panic!("{body}"));
    let one = |response: &Value| (response["id"].as_str().unwrap().to_owned(), response["status"].as_u64().unwrap());
    responses.iter().map(one).collect()
}

fn expect(requests: &[Value], expected: &[(&str, u64)]) {
    let (status, body) = send(&mut Server::new(), requests);
    assert_eq!(status, 200);
    let expected: Vec<_> = expected.iter().map(|(id, status)| ((*id).to_owned(), *status)).collect();
    assert_eq!(statuses(&body), expected);
}

#[test]
fn h5_responses_come_in_order_one_for_each_element() {
    expect(&[set("a"), clear("b"), clear("c"), get("d")], &[("a", 200), ("b", 200), ("c", 404), ("d", 200)]);
    let (_, body) = send(&mut Server::new(), &[set("a"), get("b")]);
    assert_eq!(body["responses"][0], json!({"id": "a", "status": 200}));
    assert_eq!(body["responses"][1]["body"]["activity"], "InACall", "an element sees those before it");
}

fn bulk(id: &str, ids: &[&str]) -> Value {
    json!({"id": id, "method": "POST", "url": "/communications/getPresencesByUserId", "body": {"ids": ids}})
}

#[test]
fn h5_a_bulk_read_is_an_element_like_any_other() {
    let requests = [set("a"), bulk("b", &[OTHER, ADELE, ADELE]), bulk("c", &[]), depending(get("d"), &["b", "c"])];
    expect(&requests, &[("a", 200), ("b", 200), ("c", 400), ("d", 424)]);
    let (_, body) = send(&mut Server::new(), &requests);
    let read = body["responses"][1]["body"]["value"].as_array().unwrap();
    let read: Vec<_> = read.iter().map(|presence| (presence["id"].as_str(), presence["activity"].as_str())).collect();
    let expected = [(OTHER, "Offline"), (ADELE, "InACall"), (ADELE, "InACall")];
    assert_eq!(read, expected.map(|(id, activity)| (Some(id), Some(activity))));
}

/// Rule H6: a response that is too long gives 507 in its place, and leaves space for the rest.
#[test]
fn h6_a_bulk_read_in_a_batch_that_does_not_fit() {
    let mut server = Server::new();
    server.capacity = 1000;
    let requests = [set("a"), bulk("b", &[ADELE; 3]), bulk("c", &[ADELE; 6]), clear("d")];
    let (status, body) = send(&mut server, &requests);
    let expected = [("a", 200), ("b", 200), ("c", 507), ("d", 200)].map(|(id, status)| (id.to_owned(), status));
    assert_eq!((status, statuses(&body)), (200, expected.to_vec()));
}

/// Rule H6: with whatever capacity, a batch is answered element by element, actions as ever, and reads that do not fit with 507;
/// or, if not even the bare statuses fit, as a whole, and nothing is done.
#[test]
fn h6_a_full_batch_in_every_capacity() {
    let id = |number: usize| "x".repeat(1 + number * 7 % 40) + &number.to_string();
    let requests: Vec<_> = (0..Batch::MAX_ELEMENTS)
        .map(|number| match number % 5 {
            0 => set(&id(number)),
            1 | 3 => bulk(&id(number), &[ADELE; 5][..number % 6]),
            2 => clear(&id(number)),
            _ => get(&id(number)),
        })
        .collect();
    let (_, whole) = send(&mut Server::new(), &requests);
    let whole = statuses(&whole);
    let (mut seen, mut is_whole) = ([0; 3], false);
    for capacity in (0..20_000).step_by(53) {
        let mut server = Server::new();
        server.capacity = capacity;
        let (status, body) = send(&mut server, &requests);
        if status == 507 {
            assert!(server.directory.is_empty() && seen[1] + seen[2] == 0, "{capacity}");
            seen[0] += 1;
            continue;
        }
        let answered = statuses(&body);
        for (number, (answered, expected)) in answered.iter().zip(&whole).enumerate() {
            let is_read = number % 5 % 2 == 1 || number % 5 == 4;
            let is_left_out = is_read && expected.1 == 200 && answered.1 == 507;
            assert!(answered == expected || answered.0 == expected.0 && is_left_out, "{capacity}: {answered:?}");
        }
        assert_eq!(answered.len(), whole.len());
        is_whole = answered == whole;
        seen[1 + usize::from(is_whole)] += 1;
    }
    assert!(is_whole && seen.iter().all(|times| *times > 5), "{seen:?}");
}

#[test]
fn h5_errors_of_the_whole_batch() {
    let nested = json!({"id": "x", "method": "POST", "url": "/$batch", "body": {"requests": [get("y")]}});
    let mut without_id = get("x");
    without_id.as_object_mut().unwrap().remove("id");
    let many: Vec<_> = (0..21).map(|place| get(&place.to_string())).collect();
    for (requests, expected) in [
        (vec![set("a"), without_id], "[Id]: The Id field is required."),
        (vec![set("a"), clear("a")], "The same [Id] is given twice."),
        (vec![], "The number of [Requests] is out of range."),
        (many.clone(), "The number of [Requests] is out of range."),
        (vec![set("a"), nested], "A batch must not contain a batch."),
        (vec![set("a"), json!(5)], "The request is not a JSON object."),
        (vec![set("a"), json!({"id": 5})], "The provided [Id] is not valid."),
    ] {
        let mut server = Server::new();
        let (status, body) = send(&mut server, &requests);
        assert_eq!((status, message(&body)), (400, expected));
        assert!(server.directory.is_empty(), "nothing of it was done");
    }
    assert_eq!(send(&mut Server::new(), &many[..20]).0, 200);
    let (_, body) = Server::new().post("/$batch", &json!({}));
    assert_eq!(message(&body), "[Requests]: The Requests field is required.");
    let (status, body) = Server::new().post("/$batch", &json!({"requests": {"0": get("a")}}));
    assert_eq!((status, message(&body)), (400, "The provided [Requests] is not valid."));
    // The same id, spelled differently.
    let spelled = r#"{"requests":[{"id":"a","method":"GET","url":"/x"},{"id":"\u0061","method":"GET","url":"/x"}]}"#;
    let (status, body) = Server::new().send("POST", "/$batch", None, spelled.as_bytes());
    assert_eq!((status, message(&body)), (400, "The same [Id] is given twice."));
}

#[test]
fn h5_an_element_that_depends_on_a_failure_gives_424() {
    expect(&[clear("a"), depending(set("b"), &["a"]), get("c")], &[("a", 404), ("b", 424), ("c", 200)]);
    expect(&[set("a"), depending(clear("b"), &["a"])], &[("a", 200), ("b", 200)]);
    expect(
        &[clear("a"), depending(set("b"), &["a"]), depending(set("c"), &["b"])],
        &[("a", 404), ("b", 424), ("c", 424)],
    );
    expect(
        &[set("a"), clear("x"), clear("y"), depending(get("z"), &["a", "y"])],
        &[("a", 200), ("x", 200), ("y", 404), ("z", 424)],
    );
}

#[test]
fn h5_an_element_can_only_depend_on_one_before_it() {
    expect(&[depending(set("a"), &["b"]), set("b")], &[("a", 400), ("b", 200)]);
    expect(&[depending(set("a"), &["a"])], &[("a", 400)]);
    let mut malformed = set("a");
    malformed["dependsOn"] = json!("b");
    expect(&[malformed], &[("a", 400)]);
}

/// It may name as many as a batch can have, repeated or not; further ones are rejected.
#[test]
fn h5_an_element_depends_on_no_more_than_a_batch_has() {
    for (count, status) in [(20, 200), (21, 400)] {
        expect(&[set("a"), depending(get("b"), &vec!["a"; count])], &[("a", 200), ("b", status)]);
    }
}

/// Only its media type counts, and null is as good as none.
#[test]
fn h5_other_headers_of_an_element_are_ignored() {
    for (headers, status) in [
        (json!({"Accept": "text/plain", "Content-Type": "application/json"}), 200),
        (json!({"Accept": "text/plain"}), 200),
        (json!({"Content-Type": null}), 200),
        (json!({"Accept": "application/json", "content-type": "text/plain"}), 415),
    ] {
        let mut element = set("a");
        element["headers"] = headers;
        expect(&[element], &[("a", status)]);
    }
}

/// Returns the status of a line whose element has these headers.
fn with_headers(headers: &str) -> Value {
    let url = format!("/users/{ADELE}/presence/clearUserPreferredPresence");
    let line = format!(r#"{{"id":"1","method":"POST","url":"{url}","headers":{headers},"body":{{}}}}"#);
    Server::new().line(&line).unwrap()["status"].take()
}

/// Rule H2: two media types are an error, in any spelling.
#[test]
fn h2_an_element_has_one_media_type() {
    for first in [r#""application/json""#, r#""text/plain""#, "null"] {
        for name in ["Content-Type", "content-type"] {
            let headers = format!(r#"{{"Content-Type":{first},"{name}":"application/json"}}"#);
            assert_eq!(with_headers(&headers), 400, "{headers}");
        }
    }
}

/// Some clients escape slashes, and send parameters longer than the type.
#[test]
fn h5_a_media_type_may_be_escaped_and_have_parameters() {
    let parameters = "odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8";
    for (media_type, status) in [("application/json", 200), (r"application\/json", 200), (r"text\/plain", 415)] {
        for parameters in [String::new(), ";".to_owned(), format!("; {parameters}")] {
            let headers = format!(r#"{{"Content-Type":"{media_type}{parameters}"}}"#);
            assert_eq!(with_headers(&headers), status, "{headers}");
        }
    }
}

#[test]
fn h5_elements_are_checked_one_by_one() {
    let mut no_method = get("a");
    no_method.as_object_mut().unwrap().remove("method");
    let mut text = set("b");
    text["headers"] = json!({"CONTENT-TYPE": "text/plain"});
    let mut json_header = set("c");
    json_header["headers"] = json!({"Content-Type": "application/json", "x": 1});
    let mut list = set("d");
    list["body"] = json!([]);
    let mut method = get("e");
    method["method"] = json!("PATCH");
    expect(
        &[no_method, text, json_header, list, method],
        &[("a", 400), ("b", 415), ("c", 200), ("d", 400), ("e", 405)],
    );
}

#[test]
fn h5_members_of_an_element_that_mean_nothing_are_named() {
    for (member, value, expected) in [
        ("method", json!(5), "The provided [Method] is not valid."),
        ("url", json!(["/x"]), "The provided [Url] is not valid."),
        ("headers", json!("Content-Type: text/plain"), "The provided [Headers] is not valid."),
        ("dependsOn", json!([1]), "The provided [DependsOn] is not valid."),
        ("url", Value::Null, "[Url]: The Url field is required."),
    ] {
        let mut element = set("a");
        element[member] = value;
        let (_, body) = send(&mut Server::new(), &[element]);
        let response = &body["responses"][0];
        assert_eq!((response["status"].as_u64(), message(&response["body"])), (Some(400), expected));
    }
}

/// Rule H1: a batch gives no permission that its elements lack.
#[test]
fn h5_elements_are_authorised_one_by_one() {
    let mut foreign = set("b");
    foreign["body"]["sessionId"] = json!(OTHER);
    let mut server = Server::application();
    let (_, body) = send(&mut server, &[set("a"), foreign, get("c")]);
    assert_eq!(statuses(&body), [("a".to_owned(), 200), ("b".to_owned(), 403), ("c".to_owned(), 200)]);
    assert_eq!(server.directory.get(user(ADELE)).unwrap().sessions().len(), 1);
}

/// An application that runs the elements of a batch itself sees each as it was written.
#[test]
fn h5_an_element_and_its_parts() {
    let text = r#"{"id":"a","method":"GET","url":"/me/presence","x":[1]}"#;
    let element = Element::parse(Written::parse(text.as_bytes()).unwrap()).unwrap();
    assert_eq!((element.value().as_str(), element.id().as_str()), (text, r#""a""#));
    let context = |me| Context::new(Instant::ZERO, Caller::Trusted { me });
    let request = element.request(&context(Some(user(ADELE))), &Policy::GRAPH);
    assert!(matches!(request, Ok(Request::Get { user: me, .. }) if me == user(ADELE)));
    assert_eq!(element.request(&context(None), &Policy::GRAPH), Err(Error::NoSignedInUser), "/me stands for no user");
}

#[test]
fn a_batch_works_in_a_line_as_well() {
    let line = json!({"id": "7", "method": "POST", "url": "/$batch", "body": {"requests": [set("a"), get("b")]}});
    let response = Server::new().line(&line.to_string()).unwrap();
    assert_eq!((&response["id"], &response["status"]), (&json!("7"), &json!(200)));
    assert_eq!(statuses(&response["body"]), [("a".to_owned(), 200), ("b".to_owned(), 200)]);
    let line = json!({"id": "7", "method": "POST", "url": "/$batch", "body": {"requests": []}});
    let response = Server::new().line(&line.to_string()).unwrap();
    assert_eq!(
        (&response["status"], message(&response["body"])),
        (&json!(400), "The number of [Requests] is out of range.")
    );
}

#[test]
fn a_blank_line_has_no_response() {
    for text in ["", " ", "\r", "\t \r"] {
        let line = Line::parse(text.as_bytes());
        assert_eq!(line, Line::Blank);
        let (mut server, mut bytes) = (Server::new(), [0; 9]);
        let context = Context::new(Instant::ZERO, server.caller);
        let mut buffer = Buffer::new(&mut bytes);
        assert_eq!(serve_line(line, &context, &mut server.directory, &mut buffer, &mut |_, _| {}), Ok(()));
        assert_eq!(buffer.written(), b"");
    }
}

/// An application may reject a line for reasons of its own.
#[test]
fn an_error_has_the_id_of_its_line() {
    let deep = format!(r#"{{"id":"8","body":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    for (text, id) in [(r#"{"id":"7"}"#, json!("7")), ("", Value::Null), ("not json", Value::Null), (&deep, json!("8"))]
    {
        let mut bytes = [0; 500];
        let mut buffer = Buffer::new(&mut bytes);
        Line::parse(text.as_bytes()).write_error(Error::OutOfOrder, &Trace::default(), &mut buffer).unwrap();
        let response: Value = serde_json::from_slice(buffer.written()).unwrap();
        assert_eq!((&response["id"], &response["status"]), (&id, &json!(400)), "{text}");
        assert_eq!(message(&response["body"]), "The provided [At] lies before that of an earlier line.");
    }
}

/// A line of 4096 bytes is accepted, its carriage return included, and one more byte is not.
#[test]
fn a_line_is_as_long_as_is_said() {
    let mut line = get("1").to_string();
    line.push_str(&" ".repeat(Line::MAX_LEN - line.len()));
    assert!(matches!(Line::parse(line.as_bytes()), Line::Element(_)));
    line.push(' ');
    assert_eq!(Line::parse(line.as_bytes()), Line::TOO_LONG);
}

#[test]
fn an_id_is_echoed_as_it_was_written() {
    let mut server = Server::new();
    let response = server.line(r#"{"id":"\u00e9\"😀","method":"GET","url":"/nowhere"}"#).unwrap();
    assert_eq!((&response["id"], &response["status"]), (&json!("é\"😀"), &json!(404)));
}

#[test]
fn the_response_to_a_line_without_an_id_has_null() {
    for (line, id, status) in [
        ("not json", Value::Null, 400),
        ("[]", Value::Null, 400),
        (r#"{"method":"GET","url":"/x"}"#, Value::Null, 400),
        (r#"{"id":5,"method":"GET","url":"/x"}"#, Value::Null, 400),
        (r#"{"id":"1","id":"2","method":"GET","url":"/x"}"#, Value::Null, 400),
        (r#"{"id":"1","method":"GET","url":"/x"}"#, json!("1"), 404),
    ] {
        let response = Server::new().line(line).unwrap();
        assert_eq!((&response["id"], &response["status"]), (&id, &json!(status)), "{line}");
    }
    let deep = format!(r#"{{"id":"1","body":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    let response = Server::new().line(&deep).unwrap();
    assert_eq!((&response["id"], &response["status"]), (&json!("1"), &json!(400)), "33 levels");
    let long = format!(r#"{{"id":"1","method":"GET","url":"/x","x":"{}"}}"#, "x".repeat(4096));
    let response = Server::new().line(&long).unwrap();
    assert_eq!((&response["id"], &response["status"]), (&Value::Null, &json!(400)));
}

/// An id has at most 128 bytes of text, however it is spelt; a longer one refuses the whole batch. Rule H5.
#[test]
fn h5_ids_have_a_longest_length() {
    let spellings = [("x", "x", 1), ("\\u0041", "A", 1), ("\\u00e9", "é", 2), ("é", "é", 2), ("\u{7f}", "\u{7f}", 1)];
    let others = [("\u{85}", "\u{85}", 2), ("😀", "😀", 4), ("\\ud83d\\ude00", "😀", 4)];
    for (written, text, bytes) in spellings.into_iter().chain(others) {
        let count = Batch::MAX_ID_LEN / bytes;
        let batch = |id: &str| {
            let set = set("set");
            format!(r#"{{"requests":[{set},{{"id":"{id}","method":"GET","url":"/users/{ADELE}/presence"}}]}}"#)
        };
        let longest = batch(&written.repeat(count));
        let parsed = Batch::parse(Some(Written::parse(longest.as_bytes()).unwrap())).unwrap();
        assert!(parsed.elements().all(|element| element.id_len() <= 6 * Batch::MAX_ID_LEN + 2), "{longest}");
        let send = |server: &mut Server, batch: &str| {
            server.send("POST", "/$batch", Some("application/json"), batch.as_bytes())
        };
        let (status, response) = send(&mut Server::new(), &longest);
        assert_eq!((status, &response["responses"][1]["id"]), (200, &json!(text.repeat(count))));
        let mut server = Server::new();
        let (status, response) = send(&mut server, &batch(&format!("{}x", written.repeat(count))));
        assert_eq!((status, message(&response)), (400, "The provided [Id] is out of range."));
        assert!(server.directory.is_empty(), "nothing was done");
    }
}

/// Python's client sends whole URLs in elements, and looks for the content type of each response that has a body.
#[test]
fn h5_what_official_clients_send_and_look_for() {
    let mut server = Server::delegated();
    let (_, body) = server.post(
        "/v1.0/$batch",
        &json!({"requests": [
            {"id": "1", "method": "GET", "url": "http://127.0.0.1:8080/v1.0/me/presence"},
            {"id": "2", "method": "POST", "url": "https://graph.microsoft.com/v1.0/me/presence/clearPresence",
             "headers": {"Content-Type": "application/json"}, "body": {"sessionId": TEAMS}},
            {"id": "3", "method": "POST", "url": "/me/presence/clearUserPreferredPresence"},
        ]}),
    );
    let content_type = json!({"Content-Type": "application/json"});
    let responses = body["responses"].as_array().unwrap();
    let statuses: Vec<_> = responses.iter().map(|response| response["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 404, 200]);
    assert_eq!([&responses[0]["headers"], &responses[1]["headers"]], [&content_type; 2]);
    assert_eq!(responses[2].get("headers"), None, "no body, no content type");
}
