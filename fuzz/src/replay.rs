//! Every file of the corpora, as plain tests.

use std::fs;
use std::path::PathBuf;

/// Runs a target over its corpus, and tells which file it was that failed.
fn replay(name: &str, target: fn(&[u8])) {
    // This file is part of two packages: the library's, where it is a test, and the fuzzers'.
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let fuzz = if package.join("fuzz").is_dir() { package.join("fuzz") } else { package };
    let corpus = fuzz.join("corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{} files in {}", files.len(), corpus.display());
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

#[test]
fn duration() {
    replay("duration", crate::duration);
}

#[test]
fn snapshot() {
    replay("snapshot", crate::snapshot);
}

#[test]
fn cut() {
    replay("cut", crate::cut);
}
