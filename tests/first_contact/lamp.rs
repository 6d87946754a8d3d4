//! `cargo run --example lamp`: what its LED shows, and what a firmware may copy of it.

use std::process::Command;

#[test]
fn the_led_follows_the_applications() {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "presence-core", "--example", "lamp"])
        .output()
        .expect("cargo runs");
    assert!(output.status.success());
    let expected = "
 0.0 s  LED #1a1a1a
 0.1 s  LED #000000
 1.0 s  the calendar sets a meeting for 40 s
 1.0 s  LED #ff2000
10.0 s  the phone sets “do not disturb”
10.0 s  LED #a638d1
25.0 s  the phone clears its session
25.0 s  LED #ff2000
41.0 s  LED #1a1a1a
41.1 s  LED #000000
46.0 s  LED #1a1a1a
46.1 s  LED #000000
50.0 s  the phone is available
50.0 s  LED #006a23
55.0 s  the phone clears its session
55.0 s  LED #000000
";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected.trim_start_matches('\n'));
}

#[test]
fn the_part_to_copy_needs_nothing_of_a_host() {
    let example = include_str!("../../examples/lamp.rs");
    let (copied, simulation) = example.split_once("// --- second part").expect("two parts");
    let code: String = copied.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    for word in ["std", "alloc", "print", "Vec", "String", "Box", "graph"] {
        assert!(!code.contains(word), "{word}");
    }
    assert!(simulation.contains("println!"));
}
