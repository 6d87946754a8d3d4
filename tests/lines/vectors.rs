//! Lines as data, for those who implement a host or a light: rules L2 and L4, under the policy for devices.

use super::{SAID, light, outcome, serve};
use presence_core::lines::{MIRROR_SESSION, OWN_SESSION};
use presence_core::{Instant, Presence};
use serde_json::Value;

#[test]
fn l4_the_vectors() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/lines.json")).unwrap();
    for vector in &vectors {
        let text = |name: &str| vector[name].as_str();
        let line = text("line").unwrap();
        let mut light = light();
        // Both sessions are there.
        for said in ["Away PT9M", r#"{"availability":"Away","activity":"Away","expirationDuration":"PT9M"}"#] {
            assert_eq!(serve(&mut light, said).last().unwrap(), SAID);
        }
        let before = light.user.user().clone();
        let said = serve(&mut light, line);
        let user = light.user.user();
        let Some(session) = text("session") else {
            assert_eq!(said.first().map(|response| outcome(response).0), vector["status"].as_u64(), "{line}");
            assert!(*user == before && (!said.is_empty() || vector["answered"] == false), "{line}");
            continue;
        };
        assert_eq!(said.last().unwrap(), SAID, "{line}");
        let (own, other) =
            if session == "line" { (OWN_SESSION, MIRROR_SESSION) } else { (MIRROR_SESSION, OWN_SESSION) };
        assert_eq!(user.session(other), before.session(other), "{line}");
        let is = user.session(own);
        if vector["clears"] == true {
            assert_eq!(is, None, "{line}");
        } else if vector["nothing"] == true {
            assert_eq!(is, before.session(own), "{line}");
        } else {
            let is = is.expect("a session");
            let presence = Presence::from_names(text("availability").unwrap(), text("activity").unwrap()).unwrap();
            let end = Instant::from_secs(vector["seconds"].as_u64().unwrap());
            assert_eq!((is.presence(), is.expires_at()), (presence, end), "{line}");
        }
    }
    assert!(vectors.len() > 50);
}
