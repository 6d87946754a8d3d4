//! Tests of the pages for tools: who may read them, and the two formats of the metrics.

use crate::support::Server;
use std::collections::BTreeSet;

/// As a proxy asks for somebody else, which counts as another machine.
const FORWARDED: (&str, &str) = ("x-forwarded-for", "192.0.2.1");

#[test]
fn pages_need_a_token_for_other_machines_unless_they_are_open() {
    for (options, metrics, openapi) in [
        (&[] as &[&str], 401, 401),
        (&["--open", "metrics"], 200, 401),
        (&["--open", "openapi"], 401, 200),
        (&["--open", "metrics", "--open", "openapi"], 200, 200),
    ] {
        let server = Server::start_with(options);
        for (path, expected) in [("/metrics", metrics), ("/openapi.json", openapi)] {
            assert_eq!(server.send("GET", path, &[], b"").status, 200, "this machine needs none");
            assert_eq!(server.send("GET", path, &[FORWARDED], b"").status, expected, "{options:?} {path}");
            let with_token = [FORWARDED, ("authorization", "Bearer reader")];
            assert_eq!(server.send("GET", path, &with_token, b"").status, 200, "{options:?} {path}");
            // A wrong method tells as much as a right one.
            let wrong = if expected == 200 { 405 } else { 401 };
            assert_eq!(server.send("PUT", path, &[FORWARDED], b"").status, wrong, "{options:?} {path}");
        }
    }
}

#[test]
fn metrics_come_in_the_format_that_is_asked_for() {
    let server = Server::start();
    let names = |text: &str| -> BTreeSet<String> {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
    };
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    let mut found = Vec::new();
    for (accept, is_open) in [
        (None, true),
        (Some("*/*"), true),
        (Some(prometheus), true),
        (Some("text/plain"), false),
        (Some("Text/Plain; version=0.0.4"), false),
    ] {
        let headers: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
        let response = server.send("GET", "/metrics", &headers, b"");
        let media_type =
            if is_open { "application/openmetrics-text; version=1.0.0" } else { "text/plain; version=0.0.4" };
        assert!(response.header("content-type").unwrap().starts_with(media_type), "{accept:?} {response:?}");
        assert_eq!(response.text.ends_with("# EOF\n"), is_open, "{accept:?}");
        assert_eq!(response.header("vary"), Some("accept"));
        found.push(names(&response.text));
    }
    found.dedup();
    // Reading them counts as a request, from the second time on.
    found.remove(0);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(server.metric("presence_build_info{version=") >= 1.0);
    let started = server.metric("presence_start_time_seconds");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((now - 3600.0..=now).contains(&started), "{started}");
    for (name, expected) in
        [("users_limit", 100_000.0), ("requests_limit", 4096.0), ("users_stored", 0.0), ("change_reader_lag", 0.0)]
    {
        assert_eq!(server.metric(&format!("presence_{name} ")), expected, "{name}");
    }
    server.set(crate::support::ADELE, crate::support::TEAMS, "Away", "PT1H");
    assert_eq!(server.metric("presence_users_stored "), 1.0);
    assert!(server.metric("presence_data_bytes ") > 4096.0 && server.metric("presence_disk_free_bytes ") > 4096.0);
}
