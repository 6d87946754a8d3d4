//! The README says what the code does.

use presence_core::{Policy, Presence};

#[test]
fn m3_the_readme_shows_the_table_of_presences() {
    let readme = include_str!("../../README.md");
    let rows: Vec<Vec<&str>> = readme
        .lines()
        .filter(|line| line.starts_with("| ") && line[2..].starts_with(|first: char| first.is_ascii_digit()))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let yes = |is: bool| if is { "yes" } else { "" }.to_owned();
    let expected: Vec<Vec<String>> = Presence::ALL
        .into_iter()
        .map(|presence| {
            vec![
                presence.as_byte().to_string(),
                format!("{presence:?}"),
                format!("{} / {}", presence.availability(), presence.activity()),
                yes(Policy::GRAPH.sessions.contains(presence)),
                yes(Policy::DESK.sessions.contains(presence)),
                yes(Policy::GRAPH.preferred.contains(presence)),
            ]
        })
        .collect();
    assert_eq!(rows, expected);
}

/// The table of sizes, as the compiler has them. `.ci/figures` writes it into the README.
fn sizes() -> String {
    use presence_core::directory::Slot;
    use presence_core::{SessionId, Transition, User, UserId};
    use std::mem::size_of;
    let four = |bytes: [usize; 4]| bytes.map(|bytes| bytes.to_string()).join(" | ");
    let user = [
        size_of::<User<u8, 1>>(),
        size_of::<User<u8, 4>>(),
        size_of::<User<SessionId, 3>>(),
        size_of::<User<SessionId, 16>>(),
    ];
    let in_directory = [
        Slot::<u8, u8, 1>::BYTES_PER_USER,
        Slot::<u8, u8, 4>::BYTES_PER_USER,
        Slot::<UserId, SessionId, 3>::BYTES_PER_USER,
        Slot::<UserId, SessionId, 16>::BYTES_PER_USER,
    ];
    let session = [
        size_of::<User<u8, 2>>() - size_of::<User<u8, 1>>(),
        size_of::<User<SessionId, 2>>() - size_of::<User<SessionId, 1>>(),
    ];
    let transition = [size_of::<Transition<u8>>(), size_of::<Transition<SessionId>>()];
    format!(
        "| ids | `u8` | `u8` | GUID | GUID |\n| --- | --- | --- | --- | --- |\n| sessions of a user | 1 | 4 | 3 | 16 |\n\
         | one session more | {} |\n| a `Transition` | {} |\n| a `User` alone | {} |\n| a user of a `Directory` | {} |\n",
        four([session[0], session[0], session[1], session[1]]),
        four([transition[0], transition[0], transition[1], transition[1]]),
        four(user),
        four(in_directory),
    )
}

#[test]
fn the_readme_shows_the_sizes() {
    let readme = include_str!("../../README.md");
    let (before, rest) = readme.split_once("<!-- sizes: written by .ci/figures -->\n").unwrap();
    let (shown, after) = rest.split_once("<!-- end -->").unwrap();
    let expected = format!("\n{}\n", sizes());
    if std::env::var_os("WRITE_FIGURES").is_some() {
        let begin = "<!-- sizes: written by .ci/figures -->\n";
        std::fs::write("README.md", format!("{before}{begin}{expected}<!-- end -->{after}")).unwrap();
    } else if cfg!(target_pointer_width = "64") {
        assert_eq!(shown, expected, "run .ci/figures");
    }
}

/// The manifest's features are the README's, and the other way round.
#[test]
fn the_readme_shows_every_feature() {
    let manifest = include_str!("../../Cargo.toml");
    let features = manifest.split("[features]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    let in_manifest: Vec<_> = features
        .lines()
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
        .filter(|name| *name != "default")
        .collect();
    let readme = include_str!("../../README.md");
    let table = readme.split("## Features").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let in_readme: Vec<_> =
        table.lines().filter_map(|line| line.strip_prefix("| `").and_then(|rest| rest.split('`').next())).collect();
    assert_eq!(in_readme, in_manifest);
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(readme.contains(&format!("The oldest Rust that builds it is {version}.")));
}
