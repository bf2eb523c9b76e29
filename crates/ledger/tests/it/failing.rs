//! A disk that fails: the appender stops for good, and what was acknowledged is there afterwards.

#![cfg(unix)]

use std::path::PathBuf;
use std::process::Command;

use ledger::audit::{How, audit};
use ledger::{Appender, CommitError, Expect, Head, Heads, Keys};
use record::time::RecordedAt;

use crate::world::{Dir, START_US, put, transaction};

struct Nothing;

impl Heads for Nothing {
    fn head(&self, _: &str, _: &str) -> Option<Head> {
        None
    }
}

const CHILD: &str = "LEDGER_FAILING_DIR";

/// The system refuses to let a file grow past a limit, with an error that is not "disk full".
///
/// The limit is the process's, so the test runs itself in another one.
#[test]
fn a_failed_write_stops_the_appender_for_good() {
    if let Some(dir) = std::env::var_os(CHILD) {
        return child(&PathBuf::from(dir));
    }
    let dir = Dir::new();
    ledger::create(dir.path(), "test.example/log", None, &mut |bytes| {
        bytes.fill(7)
    })
    .unwrap();
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 1000; exec "$0" --exact failing::a_failed_write_stops_the_appender_for_good --nocapture"#])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let acknowledged: u64 = said
        .lines()
        .find_map(|line| line.split_once("acknowledged ")?.1.parse().ok())
        .unwrap_or_else(|| panic!("{said}"));
    assert!(acknowledged > 0);
    // The next process finds everything that was acknowledged, and whole transactions only.
    let keys = Keys::open(dir.path(), None).unwrap();
    let appender = Appender::open(dir.path(), keys.clone()).unwrap();
    assert!(
        appender.size() >= acknowledged,
        "{} of {acknowledged}",
        appender.size()
    );
    assert_eq!(
        audit(dir.path(), &How::with(&keys), &mut |_| {})
            .unwrap()
            .faults,
        []
    );
}

fn child(dir: &std::path::Path) {
    let mut appender = Appender::open(dir, Keys::open(dir, None).unwrap()).unwrap();
    let mut commit = |i: u64| {
        let group = [transaction(vec![put(
            &format!("Task/t{i}"),
            Expect::Absent,
        )])];
        appender.commit(
            &group,
            &mut || RecordedAt(START_US),
            &mut |salt| salt.fill(1),
            &Nothing,
        )
    };
    for i in 0..10_000 {
        match commit(i) {
            Ok(outcomes) => assert!(outcomes[0].is_ok()),
            Err(CommitError::Fatal(Some(_))) => {
                // For good, and without trying.
                for again in 0..3 {
                    let refused = commit(i + again);
                    assert!(
                        matches!(refused, Err(CommitError::Fatal(None))),
                        "{refused:?}"
                    );
                }
                println!("\nacknowledged {i}");
                return;
            }
            Err(other) => panic!("after {i}: {other:?}"),
        }
    }
    panic!("the limit was never met");
}
