//! The README says what the code does.

use presence_core::{Policy, Presence};

#[test]
fn m3_p1_the_behaviour_shows_the_table_of_presences() {
    let behaviour = include_str!("../../docs/behaviour.md");
    let rows: Vec<Vec<String>> = behaviour
        .lines()
        .filter(|line| line.starts_with("| ") && line[2..].starts_with(|first: char| first.is_ascii_digit()))
        .filter(|line| line.contains(" / "))
        .map(|line| line.trim_matches('|').split('|').take(5).map(|cell| cell.trim().replace("**", "")).collect())
        .collect();
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let expected: Vec<Vec<String>> = Presence::ALL
        .into_iter()
        .map(|presence| {
            vec![
                presence.as_byte().to_string(),
                format!("{presence:?}"),
                format!("{} / {}", presence.availability(), presence.activity()),
                yes(Policy::GRAPH.sessions.contains(presence)),
                yes(Policy::GRAPH.preferred.contains(presence)),
            ]
        })
        .collect();
    assert_eq!(rows, expected);
}

/// A front page is read in minutes: what is longer stands in docs/.
#[test]
fn the_readme_is_short() {
    let readme = include_str!("../../README.md");
    assert!(readme.lines().count() <= 150, "{} lines", readme.lines().count());
    assert!(readme.split_whitespace().count() <= 1200, "{} words", readme.split_whitespace().count());
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
