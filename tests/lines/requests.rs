//! Requests behind the front of the line are those of the line of requests, details included.

use super::ME;
use presence_core::details::Details;
use presence_core::graph::{Buffer, Caller, Context, Line, SingleUserStore, Store, WithDetails, Writer, serve_line};
use presence_core::lines::Input;
use presence_core::{Instant, Policy, UserId};

type Light = WithDetails<SingleUserStore<7>, (UserId, Details<40>), 40>;

fn light() -> Light {
    WithDetails::new(SingleUserStore::new(ME, Policy::DESK), (ME, Details::new()))
}

fn written(serve: impl FnOnce(&mut dyn Writer)) -> String {
    let mut bytes = [0; 4000];
    let mut response = Buffer::new(&mut bytes);
    serve(&mut response);
    String::from_utf8(response.written().to_vec()).unwrap()
}

#[test]
fn requests_are_served_as_without_the_front() {
    let request = |method: &str, url: &str, body: &str| {
        let body = if body.is_empty() { String::new() } else { format!(r#","body":{body}"#) };
        format!(r#"{{"id":"1","method":"{method}","url":"{url}"{body}}}"#)
    };
    let set = r#"{"sessionId":"22222222-2222-2222-2222-222222222222","availability":"Busy","activity":"InACall"}"#;
    let get = r#"{"id":"a","method":"GET","url":"/me/presence"}"#;
    let (mut behind, mut alone) = (light(), light());
    let mut told = Vec::new();
    for (secs, line) in [
        (0, request("GET", "/me/presence", "")),
        (1, request("POST", "/me/presence/setPresence", set)),
        (2, request("POST", "/me/presence/setStatusMessage", r#"{"statusMessage":{"message":{"content":"Lunch"}}}"#)),
        (3, request("POST", "/me/presence/setManualLocation", r#"{"workLocationType":"remote"}"#)),
        (4, request("GET", "/me/presence", "")),
        (5, request("POST", "/communications/getPresencesByUserId", &format!(r#"{{"ids":["{ME}","{ME}"]}}"#))),
        (6, request("GET", "/me?$select=id", "")),
        (7, request("POST", "/$batch", &format!(r#"{{"requests":[{get}]}}"#))),
        (8, request("POST", "/me/presence/clearLocation", "")),
        (400, request("GET", "/me/presence", "")),
        (401, request("GET", "/nowhere", "")),
    ] {
        let context = Context::new(Instant::from_secs(secs), Caller::Trusted { me: Some(ME) });
        let expected =
            written(|out| serve_line(Line::parse(line.as_bytes()), &context, &mut alone, out, &mut |_, _| {}).unwrap());
        let input = Input::parse(line.as_bytes());
        told.push(written(|out| input.serve(&context, &mut behind, out, &mut |_, _| {}).unwrap()));
        assert_eq!(told.last(), Some(&expected), "{line}");
    }
    assert!(told[4].contains("Lunch") && told[5].matches("Lunch").count() == 2 && told[9].contains("\"Offline\""));
    assert_eq!(behind.policy(), &Policy::DESK);
}
