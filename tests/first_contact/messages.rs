//! What the compiler says to the mistakes of a first program: its words lead to what is missing.
//!
//! Each program is checked by the cargo that runs the tests. Only the library's own words are looked for, for the compiler's
//! change from version to version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the errors that the compiler prints for the body of a `main`; `None` if there are none.
fn errors(name: &str, body: &str) -> Option<String> {
    let package = package(name, body);
    // The programs share what they are built with, and nothing with the tests that run meanwhile.
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("messages"))
        .env("CARGO_TERM_COLOR", "never")
        .output()
        .expect("cargo runs");
    (!output.status.success()).then(|| String::from_utf8(output.stderr).expect("UTF-8"))
}

/// Writes a package whose only program has this body, and returns where it is.
fn package(name: &str, body: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(package.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\npresence-core = {{ path = {root:?}, default-features = false }}\n"
    );
    let program = format!(
        "use presence_core::*;\n\nfn main() -> Result<(), Box<dyn std::error::Error>> {{\n    {body}\n    Ok(())\n}}\n"
    );
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    fs::write(package.join("src/main.rs"), program).unwrap();
    // The dependencies that are there already: nothing is downloaded.
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    package
}

#[test]
fn a_user_without_a_moment_leads_to_at() {
    let user = "let user: User<u8, 4> = User::new();";
    let right = format!("{user} let _ = clear_presence(user.at(Instant::ZERO)?, 1);");
    assert_eq!(errors("moment", &right), None);
    for wrong in [
        "let _ = set_presence(&user, 1, Presence::Away, None, &Policy::GRAPH);",
        "let _ = clear_presence(&user, 1);",
        "let _ = set_preferred_presence(user, Presence::Away, None, &Policy::GRAPH);",
        "let _ = clear_preferred_presence(&user);",
        "let _ = decide(&user, Command::ClearPresence { session: 1 }, &Policy::GRAPH);",
        // The question mark alone is missing.
        "let _ = clear_presence(user.at(Instant::ZERO), 1);",
    ] {
        let said = errors("moment", &format!("{user} {wrong}")).expect("an error");
        for words in ["decisions take a user at a moment", "`user.at(now)?`", "apply `next_due` first"] {
            assert!(said.contains(words), "{wrong} is answered without {words:?}:\n{said}");
        }
    }
}

/// The compiler has no message of the library's here, but names the parameter and where to write it.
#[test]
fn a_user_without_a_capacity_leads_to_the_parameter() {
    assert_eq!(errors("capacity", "let user: User<u8, 4> = User::new(); let _ = user.revision();"), None);
    for wrong in [
        "let user = User::new(); let _ = user.session(1u8);",
        "let lamp = SingleUser::new(Policy::DESK); let _ = lamp.user().session(1u8);",
    ] {
        let said = errors("capacity", wrong).expect("an error");
        assert!(said.contains("SESSIONS"), "{wrong} is answered without SESSIONS:\n{said}");
    }
}
