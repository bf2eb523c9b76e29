//! House rules that a reader would otherwise have to watch for.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the repository")
}

/// Every file that git tracks, or would.
fn tracked() -> Vec<PathBuf> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the repository's files");
    assert!(listed.status.success(), "git ls-files failed");
    String::from_utf8(listed.stdout)
        .expect("file names are UTF-8")
        .lines()
        .map(PathBuf::from)
        .filter(|path| root().join(path).is_file())
        .collect()
}

fn is_vendored(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "vendor")
}

fn text(path: &Path) -> Option<String> {
    std::fs::read_to_string(root().join(path)).ok()
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let empty = [
        "mod", "utils", "util", "common", "helpers", "helper", "manager", "service",
    ];
    for path in tracked()
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
    {
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        assert!(
            !empty.contains(&stem),
            "{}: name it for what it does",
            path.display()
        );
    }
}

#[test]
fn every_rust_file_begins_with_what_it_is_and_is_not_too_long() {
    for path in tracked()
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
    {
        let text = text(path).expect("Rust files are UTF-8");
        assert!(
            text.starts_with("//!"),
            "{}: begin with a `//!` that tells the story",
            path.display()
        );
        let lines = text.lines().count();
        assert!(
            lines <= 1_000,
            "{}: {lines} lines; are there two subjects?",
            path.display()
        );
    }
}

#[test]
fn nothing_is_ignored_or_left_for_later() {
    let later = [
        concat!("#[ig", "nore"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("d", "bg!("),
    ];
    for path in tracked()
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
    {
        let text = text(path).expect("Rust files are UTF-8");
        for word in later {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn the_repository_names_no_machine_and_no_registry() {
    let forbidden = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("shared", "/reference"),
        concat!("index.", "crates.io-"),
        concat!("registry.", "npmjs.org"),
        concat!("files.", "pythonhosted.org"),
    ];
    for path in tracked().iter().filter(|path| !is_vendored(path)) {
        let Some(text) = text(path) else { continue };
        for word in forbidden {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn only_their_crates_name_the_engines() {
    for path in tracked() {
        if path.extension().is_none_or(|end| end != "rs") || path.ends_with("tidy.rs") {
            continue;
        }
        let text = text(&path).expect("Rust files are UTF-8");
        let within = |folder: &str| path.starts_with(folder);
        if text.contains("lsm_tree::") || text.contains("fjall::") {
            assert!(
                within("crates/index"),
                "{}: only `index` knows its engine",
                path.display()
            );
        }
        if text.contains("rusqlite::") {
            let allowed = within("crates/ledger")
                || within("crates/desk")
                || within("crates/server/tests")
                || within("crates/simulation");
            assert!(
                allowed,
                "{}: SQL lives in `ledger` and `desk` (and `simulation` is a disk for SQLite)",
                path.display()
            );
        }
        if text.contains("axum::") || text.contains("maud::") {
            assert!(
                within("crates/server"),
                "{}: HTTP and HTML live in `server`",
                path.display()
            );
        }
    }
}
