//! The corpus of the fuzz target `cut`, as a plain test.

use crate::cut;
use std::fs;
use std::path::Path;

#[test]
fn every_file_of_the_corpus_passes_and_is_described() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut files: Vec<_> = fs::read_dir(corpus.join("cut")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let page = fs::read_to_string(corpus.join("README.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    // The first row is the table's empty head, the second one the line below it.
    let mut described: Vec<_> = rows.skip(1).map(|(name, _)| corpus.join("cut").join(name)).collect();
    described.sort();
    assert_eq!(described, files, "fuzz/corpus/README.md has one line for each file");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let passes = std::panic::catch_unwind(|| cut::run(&bytes)).is_ok();
        assert!(passes, "{} fails", file.display());
    }
    cut::run(&[]);
}
