//! The README says what the code does.

use presence_core::{Policy, Presence};

#[test]
fn m3_the_readme_shows_the_table_of_presences() {
    let readme = include_str!("../README.md");
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

/// The manifest's features are the README's, and the other way round.
#[test]
fn the_readme_shows_every_feature() {
    let manifest = include_str!("../Cargo.toml");
    let features = manifest.split("[features]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    let in_manifest: Vec<_> = features
        .lines()
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
        .filter(|name| *name != "default")
        .collect();
    let readme = include_str!("../README.md");
    let table = readme.split("## Features").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let in_readme: Vec<_> =
        table.lines().filter_map(|line| line.strip_prefix("| `").and_then(|rest| rest.split('`').next())).collect();
    assert_eq!(in_readme, in_manifest);
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(readme.contains(&format!("The oldest Rust that builds it is {version}.")));
}
