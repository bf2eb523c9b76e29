//! `homecoming audit`, killed and run again: it goes on where it was, says so, and begins anew if it is told to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::served::{Folder, HOMECOMING, homecoming_done, programme};

/// So many that the progress is written down twice before the end.
const RESOURCES: u64 = 20_000;

/// After so many the progress is written down.
const SAVED_EVERY: u64 = 8_192;

/// An audit can be done before anybody looks.
const TRIES: u32 = 20;

/// Begins an audit and kills it when it has written down how far it is.
fn interrupted(data: &str, more: &[&str], progress: &Path) {
    for _ in 0..TRIES {
        let mut audit = Command::new(HOMECOMING)
            .args(["audit", "--data", data])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the audit starts");
        while !progress.exists() && audit.try_wait().expect("it can be asked").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = audit.kill();
        audit.wait().expect("it ends");
        if progress.exists() {
            return;
        }
    }
    panic!("{TRIES} audits were done before they could be killed");
}

fn report(data: &str, more: &[&str]) -> serde_json::Value {
    let line = ["audit", "--data", data, "--without-index", "--json"];
    let said = homecoming_done(&[&line[..], more].concat());
    serde_json::from_str(&said).expect("JSON")
}

#[test]
fn an_audit_that_was_killed_goes_on_and_a_fresh_one_does_not() {
    let folder = Folder::new("resumed");
    let (data, _) = programme(&folder);
    let input = folder.join("many.ndjson");
    let lines: Vec<String> = (0..RESOURCES)
        .map(|at| format!(r#"{{"resourceType":"Basic","id":"b-{at}","code":{{"text":"x"}}}}"#))
        .collect();
    std::fs::write(&input, lines.join("\n")).expect("written");
    homecoming_done(&["import", "--data", &data, &input]);

    // The progress lies beside the ledger, and is gone when the audit is done.
    let beside = Path::new(&data).join("audit.progress");
    interrupted(&data, &[], &beside);
    let said = homecoming_done(&["audit", "--data", &data]);
    let opened = "entries were opened by an earlier audit that was interrupted";
    assert!(said.contains(opened), "{said}");
    assert!(
        said.contains("Every entry, content, tile and chain is as the signed checkpoint says"),
        "{said}"
    );
    assert!(!beside.exists());

    // Or where the auditor wants it.
    let elsewhere = PathBuf::from(folder.join("elsewhere"));
    let resume = ["--resume", elsewhere.to_str().expect("text")];
    interrupted(&data, &resume, &elsewhere);
    assert!(!beside.exists());
    let resumed = report(&data, &resume);
    // And one entry that says where the chains end.
    let entries = RESOURCES + 1;
    let at = resumed["resumed_at"].as_u64().expect("a number");
    assert!((SAVED_EVERY..=entries).contains(&at), "{resumed}");
    assert!(!elsewhere.exists());

    interrupted(&data, &[], &beside);
    let fresh = report(&data, &["--fresh"]);
    assert_eq!(fresh["resumed_at"], 0, "{fresh}");
    assert!(!beside.exists());
    // However much of it an earlier one had done, it is an audit of the whole.
    for report in [&resumed, &fresh] {
        assert_eq!(report["entries"], entries, "{report}");
        assert_eq!(report["bytes"], fresh["bytes"], "{report}");
        assert_eq!(report["faults"], serde_json::json!([]), "{report}");
    }
}
