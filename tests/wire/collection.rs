//! Rule H8: the collection of presences, filtered by ids.

use super::server::{ADELE, BOB, Server, TEAMS, message};
use presence_core::graph::json::Value as Written;
use presence_core::graph::{Caller, Context, Element, Error, Field, Ids, RawRequest, Request};
use presence_core::{Instant, Policy, UserId};
use serde_json::{Value, json};

fn path(filter: &str) -> String {
    format!("/communications/presences?$filter={filter}")
}

/// Returns the ids of a read of the collection.
fn ids_of(request: Request<'_>) -> Vec<String> {
    match request {
        Request::GetPresences(ids) => ids.iter().map(|id: UserId| id.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

/// Parses a read of the collection over HTTP and in elements of a batch, and returns its ids.
fn ids(target: &str) -> Result<Vec<String>, Error> {
    let context = Context::new(Instant::ZERO, Caller::Trusted { me: None });
    let alone = Request::parse(&RawRequest::new("GET", target), &context, &Policy::GRAPH).map(ids_of);
    // As some writers of JSON escape it.
    let escaped = target.replace('\'', "\\u0027").replace('&', "\\u0026").replace('+', "\\u002B").replace('/', "\\/");
    for url in [target, &escaped] {
        let text = format!(r#"{{"id":"1","method":"GET","url":"{url}"}}"#);
        let element = Element::parse(Written::parse(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(element.request(&context, &Policy::GRAPH).map(ids_of), alone, "{url}");
    }
    alone
}

#[test]
fn h8_the_collection_answers_like_a_bulk_read() {
    let mut server = Server::new();
    server.set(BOB, TEAMS, "Away", "Away");
    let (_, bulk) = server.post("/communications/getPresencesByUserId", &json!({"ids": [BOB, ADELE, BOB]}));
    for path in [
        path(&format!("id in ('{BOB}','{ADELE}','{BOB}')")),
        path(&format!("id%20in%20(%27{BOB}%27%2C%27{ADELE}%27%2C%27{BOB}%27)")),
        format!("/v1.0/Communications/Presences/?$count=true&%24filter=id+IN+('{BOB}',+'{ADELE}','{BOB}')"),
    ] {
        assert_eq!(server.get(&path), (200, bulk.clone()), "{path}");
        let (status, body) = server.send("HEAD", &path, None, b"");
        assert_eq!((status, body), (200, Value::Null), "{path}");
    }
}

#[test]
fn h8_the_filter_in_every_spelling() {
    let both = Ok(vec![ADELE.to_owned(), BOB.to_owned()]);
    for filter in [
        "id in ('ADELE','BOB')",
        "id in('ADELE','BOB')",
        "ID In ('ADELE' , 'BOB')",
        " id  in  ( 'ADELE','BOB' ) ",
        "id+in+('ADELE',+'BOB')",
        "id%20in%20('ADELE','BOB')",
        "id%20in%20(%27ADELE%27,%27BOB%27)",
        "id%20in%20%28%27ADELE%27%2C%20%27BOB%27%29",
        "%69d%09in%09('ADELE','BOB')",
        "id in ('{ADELE}','%7BBOB%7d')",
        "id in ('ADELE','BOB')&$select=id",
        "id in ('ADELE','BOB')&$filter=x",
        "id in ('ADELE','BOB')#&$filter=x",
    ] {
        for (adele, bob) in [(ADELE, BOB), (&ADELE.to_uppercase(), &BOB.replace('-', "%2D"))] {
            let filter = filter.replace("ADELE", adele).replace("BOB", bob);
            assert_eq!(ids(&path(&filter)), both, "{filter}");
        }
    }
    for query in ["$FILTER=", "%24filter=", "%24%46ilter=", "x=$filter=&$top=1&&=&y&$filter="] {
        assert_eq!(
            ids(&format!("/communications/presences?{query}id in ('{ADELE}')")),
            Ok(vec![ADELE.to_owned()]),
            "{query}"
        );
    }
}

#[test]
fn h8_without_a_filter_or_with_another_one_it_is_a_bad_request() {
    let missing = Err(Error::Missing(Field::Filter));
    for target in [
        "/communications/presences",
        "/communications/presences/",
        "/communications/presences?",
        "/communications/presences?$select=id&$filters=x",
        "/communications/presences#?$filter=id in ('')",
        "/communications/presences?x#&$filter=id in ('')",
    ] {
        assert_eq!(ids(target), missing, "{target}");
    }
    let other = Err(Error::Malformed(Field::Filter));
    for filter in [
        "",
        "id",
        "id in",
        "id in (",
        "id in ('A'",
        "id in ('A",
        "id in ('A',",
        "id in ('A',)",
        "id in (,'A')",
        "id in ('A' 'A')",
        "id in ('A';'A')",
        "id in ('A'))",
        "id in ('A') x",
        "id in ('A') or id in ('A')",
        "not id in ('A')",
        "(id in ('A'))",
        "idin ('A')",
        "ids in ('A')",
        "id ni ('A')",
        "id inn ('A')",
        "id in 'A'",
        "id in [\"A\"]",
        "id in (A)",
        "id eq 'A'",
        "availability eq 'Busy'",
        "startswith(id,'A')",
    ] {
        let target = path(&filter.replace('A', ADELE)).replace('"', "%22");
        assert_eq!(ids(&target), other, "{filter}");
    }
    let ids_are_bad = Err(Error::Malformed(Field::Ids));
    for filter in
        ["id in ('')", "id in ('7')", "id in ('A','x')", "id in ('AA')", "id in ('adele@contoso.com')", "id in (' A')"]
    {
        assert_eq!(ids(&path(&filter.replace('A', ADELE))), ids_are_bad, "{filter}");
    }
    let mut server = Server::new();
    let (status, body) = server.get("/communications/presences");
    assert_eq!((status, message(&body)), (400, "[Filter]: The Filter field is required."));
    assert_eq!(body["error"]["code"], "InvalidArgument");
    assert_eq!(server.get(&path("id eq 1")).1["error"]["message"], "The provided [Filter] is not valid.");
    assert_eq!(server.send("POST", &path("x"), None, b"").0, 405, "the method before the filter");
    server.caller = Server::application().caller;
    assert_eq!(server.get(&path("x")).0, 400, "the filter before the permission");
}

#[test]
fn h8_one_to_650_ids() {
    let mut server = Server::new();
    server.capacity = Ids::MAX_RESPONSE;
    let list = |count: usize| vec![format!("%27{ADELE}%27"); count].join("%2C%20");
    for (count, expected) in [(0, 400), (1, 200), (649, 200), (650, 200), (651, 400), (2000, 400)] {
        let target = path(&format!("id%20in%20({})", list(count)));
        let (status, body) = server.get(&target);
        assert_eq!(status, expected, "{count}");
        if status == 200 {
            assert_eq!(body["value"].as_array().unwrap().len(), count);
        } else {
            assert_eq!(message(&body), "The number of [Ids] is out of range.");
        }
        // An element's URL is decoded as it is read, however long it is.
        let escaped = target.replace('%', "\\u0025");
        let body = format!(r#"{{"requests":[{{"id":"1","method":"GET","url":"{escaped}"}}]}}"#);
        let (_, batch) = server.send("POST", "/$batch", None, body.as_bytes());
        assert_eq!(batch["responses"][0]["status"], expected, "{count}");
    }
}

#[cfg(feature = "details")]
#[test]
fn h8_with_select() {
    let target = path(&format!("id in ('{ADELE}','{BOB}')&$select=availability"));
    let expected = json!({"value": [{"availability": "Offline"}, {"availability": "Offline"}]});
    assert_eq!(Server::new().get(&target), (200, expected.clone()));
    let url = target.replace('&', "\\u0026").replace('\'', "\\u0027");
    let body = format!(r#"{{"requests":[{{"id":"1","method":"GET","url":"{url}"}}]}}"#);
    let (_, batch) = Server::new().send("POST", "/$batch", None, body.as_bytes());
    assert_eq!(batch["responses"][0]["body"], expected);
    assert_eq!(Server::new().get(&target.replace("availability", "x")).0, 400);
}
