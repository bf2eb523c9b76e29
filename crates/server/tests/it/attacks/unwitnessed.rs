//! Attacks 1 and 11, with what is noted of the witnesses taken away as well: the past is rewritten, hashed and signed
//! again, and nothing on the machine contradicts it any more.

use super::backdating::begun_a_week_ago;
use super::{audit, forger, says};
use crate::served::{
    Folder, Outside, Served, access_log_key, get, homecoming, homecoming_done, log_key,
    set_witnesses,
};

/// What an audit with these words says.
fn said(data: &str, words: &[&str]) -> (Option<i32>, String) {
    let words: Vec<&str> = ["audit", "--data", data]
        .iter()
        .chain(words)
        .copied()
        .collect();
    let output = homecoming(&words);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    (output.status.code(), format!("{said}{errors}"))
}

#[test]
fn a_rewritten_past_is_missed_by_whoever_asks_outside_and_never_passed_over_in_silence() {
    let folder = Folder::new("unwitnessed");
    let data = folder.join("data");
    begun_a_week_ago(&data);
    homecoming_done(&[
        "client", "add", "tests", "--data", &data, "--scope", "log.read",
    ]);
    let logs = [log_key(&data), access_log_key(&data)];
    let witness = Outside::start(&folder.join("witness"), &[&logs[0], &logs[1]]);

    // The client's registration is an entry of today, a week after the others.
    let entries = "homecoming_log_entries{log=\"record\"}";
    Served::start(&data).until(entries, |size| size >= 4.0);

    // Before anybody was asked: it says so, and with a policy that is amiss.
    let (code, text) = said(&data, &[]);
    assert_eq!(code, Some(0), "{text}");
    says(
        &text,
        &["Of the record, 0 cosigned", "No policy asks for witnesses"],
    );
    set_witnesses(&data, &[&witness], "1");
    says(&audit(&data), &["NOT WITNESSED: The policy asks for"]);

    let kept = folder.join("kept.txt");
    {
        let served = Served::start(&data);
        served.until_cosigned(4);
        let (_, note) = get(&served.url("/log/backdating/checkpoint"), None);
        std::fs::write(&kept, note).expect("it is kept");
    }
    let (code, text) = said(&data, &[]);
    assert_eq!(code, Some(0), "{text}");
    says(&text, &["The newest is of ", "cosigned by w0 at "]);
    let (code, text) = said(&data, &["--cosigned", &kept, "--ask-witnesses", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(
        report["witnessed"]["newest"]["by"],
        serde_json::json!(["w0"])
    );
    assert_eq!(report["witnessed"]["compared_from_elsewhere"], 2);
    let checkpoint = report["checkpoint"].as_str().expect("a note");
    assert!(
        checkpoint.starts_with("homecoming/backdating\n"),
        "{checkpoint}"
    );

    // The past is rewritten, and what is noted of the witnesses goes.
    let lines = forger::lines(&data);
    let forged = forger::rechained(&lines, |line, _| {
        if line.position == 1 {
            line.actor = "somebody-else";
        }
    });
    forger::replace(&data, &forged);
    forger::forget_witnesses(&data);
    says(&audit(&data), &["NOT WITNESSED: The policy asks for"]);
    let (code, text) = said(&data, &["--ask-witnesses"]);
    assert_eq!(code, Some(1), "{text}");
    says(
        &text,
        &["entries are not those that the witness w0 vouches for"],
    );
    let (code, text) = said(&data, &["--cosigned", &kept]);
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["entries are not those that the checkpoint in "]);
    // With the policy gone as well, the reader's own misses them.
    let policy = folder.join("ours.policy");
    std::fs::rename(format!("{data}/witness.policy"), &policy).expect("it is there");
    let (_, text) = said(&data, &["--without-index"]);
    assert!(!text.contains("NOT WITNESSED"), "{text}");
    let (code, text) = said(&data, &["--policy", &policy]);
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["NOT WITNESSED: The policy asks for"]);
    // A witness that is away is said; a file that is no checkpoint of these logs is refused.
    drop(witness);
    let (code, text) = said(&data, &["--policy", &policy, "--ask-witnesses"]);
    assert_eq!(code, Some(1), "{text}");
    says(&text, &["NOT WITNESSED: The witness w0 could not be asked"]);
    let (code, text) = said(&data, &["--cosigned", &policy]);
    assert_eq!(code, Some(2), "{text}");
    says(
        &text,
        &["is not a checkpoint of the log homecoming/backdating"],
    );
}
