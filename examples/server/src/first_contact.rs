//! What a start prints: the address and, for a first try, commands to paste.

use crate::listen::Place;
use std::io::Write;

/// A user to try the server with.
const USER: &str = "/v1.0/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence";
/// What the user's presence is set to.
const BODY: &str = r#"{"sessionId":"22553876-f5ab-4529-bffb-cfe50aa89f87","availability":"Busy","activity":"InACall","expirationDuration":"PT1H"}"#;

/// Prints the places, and with a token commands that set a presence, read it, and follow changes.
pub fn announce(places: &[Place], token: Option<&str>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let all: Vec<_> = places.iter().map(Place::to_string).collect();
    writeln!(out, "listening on {}", all.join(", "))?;
    if let (Some(token), Some(place)) = (token, places.first()) {
        for command in commands(place, token) {
            writeln!(out, "{command}")?;
        }
    }
    out.flush()
}

fn commands(place: &Place, token: &str) -> [String; 3] {
    let bearer = format!("-H 'Authorization: Bearer {token}'");
    let set = place.curl(&format!("{USER}/setPresence"));
    [
        format!("curl -i {bearer} -H 'Content-Type: application/json' -d '{BODY}' {set}"),
        format!("curl -i {bearer} {}", place.curl(USER)),
        format!("curl -N {bearer} {}", place.curl("/presence/changes")),
    ]
}
