//! Following over real connections that fail, with the clock set forward instead of waiting where a loop allows it.

use super::graph::{self, Graph};
use super::mirror::Mirror;
use super::server::{self, ServerOptions};
use super::*;
use crate::http::{Address, Http};
use crate::testing::{Ends, FakeServer, Reaction};
use presence_core::client::Step;
use std::sync::mpsc::channel;
use std::thread;

const BUSY: &str = r#"{"availability":"Busy","activity":"InACall"}"#;

fn presence(presence: Presence, lease: u64) -> News {
    News::Presence { presence, lease: Duration::from_secs(lease), is_out_of_office: false }
}

/// Asks once, when it is time, and returns the status and what the hub is told.
fn poll(mirror: &mut Mirror<'_>, ends: &Ends, server: &FakeServer) -> (Option<u16>, Vec<News>) {
    while let Step::Wait(until) = mirror.next() {
        ends.reporter.clock.skip(until.saturating_duration_since(ends.reporter.clock.now()));
    }
    let http = Http::new(ends.reporter.console.clone());
    let status = mirror.poll(&http, &Address::parse(&server.address).unwrap(), "Bearer t");
    mirror.tell_link(false);
    (status, ends.all())
}

#[test]
fn f1_answers_are_mirrored_and_f2_failures_are_told_apart() {
    let (server, ends) = (FakeServer::start(), Ends::of(Source::Graph, Clock::stopped()));
    let mut mirror = Mirror::new(&ends.reporter, Duration::from_secs(30));
    server.will(Reaction::json(200, BUSY));
    let first = poll(&mut mirror, &ends, &server);
    assert_eq!(first, (Some(200), vec![presence(Presence::InACall, 90), News::Link(Link::Ok)]));
    let request = server.request();
    assert_eq!(request.line, "GET /me/presence HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("Bearer t"));
    // One lost answer changes nothing; the second says that the link is down; none says anything about the presence.
    server.will(Reaction::json(200, "<html>sign in to the network</html>"));
    assert_eq!(poll(&mut mirror, &ends, &server), (Some(200), vec![]));
    server.will(Reaction::Answer(302, "Location: http://127.0.0.1:9/\r\n", String::new()));
    assert_eq!(poll(&mut mirror, &ends, &server), (Some(302), vec![News::Link(Link::Down)]));
    server.will(Reaction::Cut);
    assert_eq!(poll(&mut mirror, &ends, &server), (None, vec![]));
    server.will(Reaction::json(200, r#"{"availability":"Offline","activity":"Offline"}"#));
    assert_eq!(poll(&mut mirror, &ends, &server), (Some(200), vec![News::Ended, News::Link(Link::Ok)]));
}

#[test]
fn f1_retry_after_is_kept_to() {
    let (server, ends) = (FakeServer::start(), Ends::of(Source::Graph, Clock::stopped()));
    let mut mirror = Mirror::new(&ends.reporter, Duration::from_secs(1));
    server.will(Reaction::Answer(429, "Retry-After: 600\r\n", String::new()));
    let before = ends.reporter.clock.now();
    assert_eq!(poll(&mut mirror, &ends, &server).0, Some(429));
    let Step::Wait(until) = mirror.next() else { panic!("it asks again at once") };
    assert!(until.saturating_duration_since(before) >= Duration::from_secs(600));
}

#[test]
fn f3_an_account_without_a_sign_in_says_so_and_ends_when_it_is_told_to() {
    let (issuer, ends) = (FakeServer::start(), Ends::of(Source::Graph, Clock::start()));
    let directory = tempfile::tempdir().unwrap();
    let options = crate::sign_in::AccountOptions {
        client_id: Some("7".into()),
        tenant: String::new(),
        issuer: Some(issuer.address.clone()),
        scope: String::new(),
        device_code: false,
        no_browser: true,
        token_file: Some(directory.path().join("tokens.json")),
    };
    let Reporter { clock, console, stop, .. } = ends.reporter.clone();
    let http = Http::new(console.clone());
    let account = crate::sign_in::Account::new(&options, http.clone(), clock, console).unwrap();
    let server = Address::parse(&issuer.address).unwrap();
    let graph = Graph { account, http, server, interval: Duration::from_secs(1), way: None };
    let reporter = ends.reporter.clone();
    let thread = thread::spawn(move || graph::run(&reporter, graph));
    assert_eq!(ends.news(), News::Link(Link::SignIn));
    stop.request();
    thread.join().unwrap();
    assert!(issuer.is_quiet());
}

#[test]
fn a_feed_that_is_cut_goes_on_where_it_was() {
    const USER: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";
    let event = |id: u8, pair: &str| {
        let (availability, activity) = pair.split_once('/').unwrap();
        let object = serde_json::json!({ "id": USER, "availability": availability, "activity": activity });
        format!("event: presence\nid: {id}\ndata: {object}\n\n")
    };
    let (server, ends) = (FakeServer::start(), Ends::of(Source::Server, Clock::start()));
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, "secret\n").unwrap();
    let options = ServerOptions {
        follow_server: Some(server.address.clone()),
        follow_user: Some(USER.parse().unwrap()),
        follow_token_file: Some(token),
    };
    let http = Http::new(ends.reporter.console.clone());
    let followed = options.server(&http, Duration::from_secs(30)).unwrap().unwrap();
    let (first, rest) = channel();
    let start = "retry: 1000\n\nevent: start-over\ndata: {}\n\n".to_string() + &event(1, "Busy/InACall");
    server.will(Reaction::Stream(start + "event: up-to-date\nid: 2\ndata: {}\n\n", Some(rest)));
    let reporter = ends.reporter.clone();
    let thread = thread::spawn(move || server::run(&reporter, &followed));
    assert_eq!(ends.news(), presence(Presence::InACall, 90));
    let request = server.request();
    assert_eq!((request.line.as_str(), request.header("last-event-id")), ("GET /presence/changes HTTP/1.1", None));
    assert_eq!(request.header("authorization"), Some("Bearer secret"));
    // Up to date, and the link is well.
    assert_eq!((ends.news(), ends.news()), (presence(Presence::InACall, 90), News::Link(Link::Ok)));
    first.send(event(3, "Away/Away")).unwrap();
    assert_eq!(ends.news(), presence(Presence::Away, 90));
    server.will(Reaction::Stream(event(4, "Offline/Offline"), None));
    drop(first);
    assert_eq!(server.request().header("last-event-id"), Some("3"));
    assert_eq!(ends.news(), News::Ended);
    ends.reporter.stop.request();
    thread.join().unwrap();
}
