//! `cargo run --example embed`: what the friends of a chat's user see.

use std::process::Command;

#[test]
fn friends_see_what_two_sockets_lead_to() {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "presence-core", "--example", "embed", "--features", "alloc"])
        .output()
        .expect("cargo runs");
    assert!(output.status.success());
    let expected = "
    0 s: the friends of 7 see Available/Available
    9 s: the friends of 7 see Busy/InACall
   39 s: the friends of 7 see Available/Available
  300 s: the friends of 7 see Away/Away
  600 s: the friends of 7 see Offline/Offline
Explanation { presence: Offline, layer: Nothing(Expired), since: Some(Instant(600000)), next: None }
";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected.trim_start_matches('\n'));
}
