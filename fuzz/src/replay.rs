//! Tests that replay every file of the corpora.

use std::fs;
use std::path::PathBuf;

fn corpora() -> PathBuf {
    // This file is part of two packages: the tests', and the fuzzers'.
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    if package.join("corpus").is_dir() { package.join("corpus") } else { package.join("../fuzz/corpus") }
}

/// Returns the files of a target's corpus, in order. Each must have a line in corpus/README.md.
fn files(target: &str) -> Vec<PathBuf> {
    let corpus = corpora().join(target);
    let mut files: Vec<_> = fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let page = fs::read_to_string(corpora().join("README.md")).unwrap();
    let section = page.split("\n## ").find_map(|section| section.strip_prefix(target)).expect("a section");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    let mut described: Vec<_> = rows.skip(1).map(|(name, about)| (corpus.join(name), about.trim())).collect();
    described.sort();
    assert!(described.iter().all(|(_, about)| !about.is_empty()));
    assert!(described.iter().map(|(file, _)| file).eq(&files), "corpus/README.md does not describe {corpus:?}");
    files
}

/// Runs a target over its corpus, and names the file that fails.
fn replay(name: &str, target: fn(&[u8])) {
    let files = files(name);
    assert!(files.len() >= 10, "{} files of {name}", files.len());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        if std::panic::catch_unwind(|| target(&bytes)).is_err() {
            panic!("{} fails", file.display());
        }
    }
    target(&[]);
}

#[test]
fn history() {
    replay("history", crate::history);
}

#[test]
fn user() {
    replay("user", crate::user);
}

#[test]
fn details() {
    replay("details", crate::details);
}

#[test]
fn wire() {
    replay("wire", crate::wire);
}

#[cfg(feature = "client")]
#[test]
fn client() {
    replay("client", crate::client);
}

#[cfg(feature = "lines")]
#[test]
fn lines() {
    replay("lines", crate::lines);
}

#[test]
fn duration() {
    replay("duration", crate::duration);
}

#[test]
fn snapshot() {
    replay("snapshot", crate::snapshot);
}
