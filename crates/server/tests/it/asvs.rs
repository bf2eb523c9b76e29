//! `docs/asvs.md` names what there is: its counts are those of its lines, and every test or piece of code in it
//! can be found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const TEXT: &str = include_str!("../../../../docs/asvs.md");

/// The lines of the tables: number, level, what is asked, how it stands, where.
fn lines() -> Vec<[&'static str; 5]> {
    TEXT.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let cells: [&str; 5] = cells.try_into().ok()?;
            let is_line = cells[0].starts_with(|c: char| c.is_ascii_digit());
            is_line.then_some(cells)
        })
        .collect()
}

#[test]
fn the_counts_are_those_of_the_lines() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let lines = lines();
    for [line, level, _, stands, place] in &lines {
        assert!(["1", "2", "3"].contains(level), "{line}: level {level}");
        assert!(
            ["met", "in part", "not met", "does not apply"].contains(stands),
            "{line}: {stands}"
        );
        assert!(!place.is_empty(), "{line} says neither where nor why");
        *counts.entry(stands).or_default() += 1;
    }
    let of = |stands: &str| counts.get(stands).copied().unwrap_or_default();
    let sentence = format!(
        "{} lines: {} met, {} in part, {} not met, {} do not apply.",
        lines.len(),
        of("met"),
        of("in part"),
        of("not met"),
        of("does not apply")
    );
    assert!(TEXT.contains(&sentence), "it should say: {sentence}");
}

#[test]
fn what_is_named_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    walk(&root.join("crates"), &mut files);
    assert!(files.len() > 200, "the sources are not found any more");
    let sources: Vec<(String, String)> = files
        .iter()
        .map(|path| {
            let stem = path.file_stem().unwrap_or_default();
            let text = std::fs::read_to_string(path).unwrap_or_default();
            (stem.to_string_lossy().into_owned(), text)
        })
        .collect();
    let mut looked_for = 0;
    for [line, .., place] in lines() {
        for named in place.split('`').skip(1).step_by(2) {
            let Some((_, last)) = named.rsplit_once("::") else {
                continue;
            };
            looked_for += 1;
            let (function, module) = (format!("fn {last}("), format!("mod {last}"));
            let (kind, other) = (format!("struct {last}"), format!("enum {last}"));
            let there = sources.iter().any(|(stem, text)| {
                stem == last
                    || [&function, &module, &kind, &other]
                        .iter()
                        .any(|word| text.contains(*word))
            });
            assert!(there, "{line} names `{named}`, which is not there");
        }
    }
    assert!(looked_for > 80, "only {looked_for} names were looked for");
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}
