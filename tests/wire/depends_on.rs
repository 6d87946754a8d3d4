//! Rule H5: what an element depends on, which ids a batch has, and which a bulk read: at every position, not at the first alone.

use super::server::{ADELE, BOB, Server, message};
use presence_core::graph::{Batch, Dependencies, Error, Field, Ids, json::Value as Written};
use serde_json::json;

const MOST: usize = Batch::MAX_ELEMENTS;

/// Spells a number with escapes if it is odd: an id is the same however it is written.
fn spelled(number: usize) -> String {
    let digits = number.to_string();
    if number.is_multiple_of(2) { digits } else { digits.bytes().map(|digit| format!("\\u00{digit:02x}")).collect() }
}

/// Returns the verdict about the last element of a batch, which names these; the statuses are those of the elements before it.
fn verdict(statuses: &[u16], named: &[String]) -> Result<(), Error> {
    let before = (0..statuses.len()).map(|number| format!(r#"{{"id":"{}"}}"#, spelled(number)));
    let last = format!(r#"{{"id":"last","dependsOn":{}}}"#, json!(named));
    let elements: Vec<_> = before.chain([last]).collect();
    let text = format!(r#"{{"requests":[{}]}}"#, elements.join(","));
    let batch = Batch::parse(Some(Written::parse(text.as_bytes()).unwrap())).unwrap();
    let mut dependencies = Dependencies::new();
    let mut verdict = Ok(());
    for (number, element) in batch.elements().enumerate() {
        verdict = dependencies.check(element);
        dependencies.record(element, statuses.get(number).copied().unwrap_or(200));
    }
    verdict
}

/// By the rule alone: whatever is named must be there, then it must have succeeded.
fn expected(statuses: &[u16], named: &[String]) -> Result<(), Error> {
    let status = |name: &String| name.parse::<usize>().ok().and_then(|number| statuses.get(number));
    if named.len() > MOST || named.iter().any(|name| status(name).is_none()) {
        Err(Error::Malformed(Field::DependsOn))
    } else if named.iter().any(|name| status(name).is_some_and(|status| *status >= 400)) {
        Err(Error::FailedDependency)
    } else {
        Ok(())
    }
}

/// As many elements as a batch can have, named in order and in reverse, with a failed one at each position, and an unknown
/// one, the element itself, or one that is named again at each position.
#[test]
fn h5_every_position_of_what_is_named_counts() {
    let mut seen = [0; 3];
    for count in 0..MOST {
        let in_order: Vec<_> = (0..count).map(|number| number.to_string()).collect();
        let reversed: Vec<_> = in_order.iter().rev().cloned().collect();
        for failed in (0..count).map(Some).chain([None]) {
            let statuses: Vec<_> = (0..count).map(|number| if Some(number) == failed { 404 } else { 200 }).collect();
            for names in [&in_order, &reversed] {
                for other in [None, Some("unknown"), Some("last"), names.first().map(String::as_str)] {
                    // Every position for a full batch, and the ends of the list for others.
                    let positions = (0..=count).filter(|at| count == MOST - 1 || [0, 1, count].contains(at));
                    for position in positions {
                        let mut named = names.clone();
                        named.splice(position..position, other.map(str::to_owned));
                        let verdict = verdict(&statuses, &named);
                        assert_eq!(verdict, expected(&statuses, &named), "{statuses:?} {named:?}");
                        seen[match verdict {
                            Ok(()) => 0,
                            Err(Error::FailedDependency) => 1,
                            Err(_) => 2,
                        }] += 1;
                    }
                }
            }
        }
    }
    assert!(seen.iter().all(|times| *times > 100), "{seen:?}");
}

/// Rule H1: from 400 on a status is a failure.
#[test]
fn h5_what_has_failed() {
    for (status, has_failed) in [(200, false), (399, false), (400, true), (404, true), (507, true)] {
        assert_eq!(verdict(&[status], &["0".to_owned()]).is_err(), has_failed, "{status}");
    }
}

/// One may be named as often as a batch has elements.
#[test]
fn h5_names_around_as_many_as_a_batch_has() {
    for count in [MOST - 1, MOST, MOST + 1, 2 * MOST, 2 * MOST + 1] {
        for status in [200, 404] {
            let named = vec!["0".to_owned(); count];
            assert_eq!(verdict(&[status], &named), expected(&[status], &named), "{count} names of a {status}");
        }
    }
}

/// Two elements of one id, one without an id and a batch inside the batch are found wherever they are.
#[test]
fn h5_faults_of_a_batch_are_found_at_every_position() {
    let parse = |elements: &[String]| {
        let text = format!(r#"{{"requests":[{}]}}"#, elements.join(","));
        Batch::parse(Some(Written::parse(text.as_bytes()).unwrap())).map(|batch| batch.elements().count())
    };
    let elements: Vec<_> = (0..MOST).map(|number| format!(r#"{{"id":"{number}","url":"/me"}}"#)).collect();
    assert_eq!(parse(&elements), Ok(MOST));
    for position in 0..MOST {
        for (wrong, error) in [
            (r#"{"url":"/me"}"#, Error::Missing(Field::Id)),
            (r#"{"id":7}"#, Error::Malformed(Field::Id)),
            (r#"{"id":"x","url":"/v1.0/$batch?x"}"#, Error::NestedBatch),
            ("5", Error::NotAnObject),
        ] {
            let mut elements = elements.clone();
            elements[position] = wrong.to_owned();
            assert_eq!(parse(&elements), Err(error), "{wrong} at {position}");
        }
        for other in (0..MOST).filter(|other| *other != position) {
            let mut elements = elements.clone();
            elements[position] = elements[other].clone();
            assert_eq!(parse(&elements), Err(Error::Repeated(Field::Id)), "{other} again at {position}");
        }
    }
}

/// Ids are told apart by all of their characters, however many there are.
#[test]
fn h5_ids_that_differ_in_one_character() {
    for length in [1, 7, 8, 9, 63, 64, 65, 127, 128] {
        for place in [0, length / 2, length - 1] {
            let (one, mut other) = ("x".repeat(length), "x".repeat(length));
            other.replace_range(place..=place, "y");
            let parse = |second: &str, named: &str| {
                let text = json!({"requests": [{"id": one}, {"id": second, "dependsOn": [named]}]}).to_string();
                let batch = Batch::parse(Some(Written::parse(text.as_bytes()).unwrap()))?;
                let mut dependencies = Dependencies::new();
                let mut elements = batch.elements();
                dependencies.record(elements.next().unwrap(), 404);
                dependencies.check(elements.next().unwrap())
            };
            assert_eq!(parse(&other, &one), Err(Error::FailedDependency), "{length} {place}");
            assert_eq!(parse(&other, &other), Err(Error::Malformed(Field::DependsOn)), "{length} {place}");
            assert_eq!(parse(&one, &one), Err(Error::Repeated(Field::Id)), "{length} {place}");
        }
    }
}

/// Rule H2: an id that is none is found wherever it is among others, in a body and in a filter.
#[test]
fn h2_a_wrong_id_is_found_at_every_position() {
    let mut server = Server::new();
    server.capacity = 1 << 20;
    let positions = (0..70).chain([320, Ids::MAX_COUNT - 2, Ids::MAX_COUNT - 1]);
    for (count, position) in positions.flat_map(|position| [(position + 1, position), (Ids::MAX_COUNT, position)]) {
        let mut ids: Vec<_> = (0..count).map(|number| if number % 2 == 0 { ADELE } else { BOB }).collect();
        ids[position] = "fa8bf3dc-eca7-46b7-bad1-db199b62afcg";
        let (status, body) = server.post("/communications/getPresencesByUserId", &json!({"ids": ids}));
        assert_eq!((status, message(&body)), (400, "The provided [Ids] is not valid."), "{position} of {count}");
        let filter = format!("/communications/presences?$filter=id in ('{}')", ids.join("','"));
        let (status, body) = server.get(&filter);
        assert_eq!((status, message(&body)), (400, "The provided [Ids] is not valid."), "{position} of {count}");
    }
}

/// Rule H2: too many ids are too many, however many more, in a body and in a filter.
#[test]
fn h2_ids_around_as_many_as_there_may_be() {
    const IDS: usize = Ids::MAX_COUNT;
    let mut server = Server::new();
    server.capacity = Ids::MAX_RESPONSE;
    for count in [IDS - 1, IDS, IDS + 1, 2 * IDS, 2 * IDS + 1] {
        let ids: Vec<_> = (0..count).map(|number| if number % 2 == 0 { ADELE } else { BOB }).collect();
        let filter = format!("/communications/presences?$filter=id in ('{}')", ids.join("','"));
        let bulk = server.post("/communications/getPresencesByUserId", &json!({"ids": ids}));
        assert_eq!(server.get(&filter), bulk);
        if count <= IDS {
            let value = bulk.1["value"].as_array().unwrap();
            assert!(value.iter().map(|one| one["id"].as_str().unwrap()).eq(ids), "{count} ids");
        } else {
            assert_eq!((bulk.0, message(&bulk.1)), (400, "The number of [Ids] is out of range."), "{count} ids");
        }
    }
}
