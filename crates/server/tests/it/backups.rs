//! Backups made while a server serves, and restoring them: whole or not at all, and never back behind what
//! somebody has proof of without saying so for good.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::served::{Folder, Served, homecoming, homecoming_done, programme};

fn put(served: &Served, token: &str, id: &str) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let body = format!(r#"{{"resourceType":"Basic","id":"{id}","code":{{"text":"a fact"}}}}"#);
    agent
        .put(served.url(&format!("/fhir/Basic/{id}")))
        .header("Authorization", &format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json")
        .send(body)
        .map_or(0, |answer| answer.status().as_u16())
}

fn get(served: &Served, token: &str, path: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent
        .get(served.url(path))
        .header("Authorization", &format!("Bearer {token}"))
        .call()
        .expect("the server answers");
    let body = answer.body_mut().read_to_string().expect("text");
    (answer.status().as_u16(), body)
}

fn words(output: &std::process::Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn audited(data: &str, more: &[&str]) -> serde_json::Value {
    let mut line = vec!["audit", "--data", data, "--json"];
    line.extend(more);
    serde_json::from_str(&homecoming_done(&line)).expect("JSON")
}

/// A programme with so many facts, at rest.
fn with_facts(folder: &Folder, facts: u32) -> (String, String) {
    let (data, token) = programme(folder);
    let served = Served::start(&data);
    for number in 0..facts {
        assert_eq!(put(&served, &token, &format!("fact-{number}")), 201);
    }
    (data, token)
}

#[test]
fn a_backup_made_while_others_write_is_whole_and_opens_like_a_programme() {
    let folder = Folder::new("backup");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    let stop = AtomicBool::new(false);
    let (to, keys_to) = (folder.join("copy"), folder.join("keys-copy"));
    let written = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let (served, token, stop) = (&served, &token, &stop);
                scope.spawn(move || {
                    let mut number = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let id = format!("fact-{writer}-{number}");
                        assert_eq!(put(served, token, &id), 201);
                        number += 1;
                    }
                    number
                })
            })
            .collect();
        while std::fs::metadata(format!("{data}/ledger.sqlite-wal")).map_or(0, |wal| wal.len())
            < 400_000
        {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        homecoming_done(&[
            "backup",
            "--data",
            &data,
            "--to",
            &to,
            "--keys-to",
            &keys_to,
        ]);
        stop.store(true, Ordering::Relaxed);
        writers
            .into_iter()
            .map(|writer| writer.join().expect("a writer"))
            .sum::<u64>()
    });
    let manifest: serde_json::Value = serde_json::from_slice(
        &std::fs::read(Path::new(&to).join("manifest.json")).expect("a manifest"),
    )
    .expect("JSON");
    let size = manifest["size"].as_u64().expect("a size");
    assert!(size > 0 && size <= written + 1_000, "{size} of {written}");
    assert_eq!(audited(&to, &["--keys-from", &data])["entries"], size);
    // What must never be in a backup, and what must.
    let files = |dir: &str| -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(dir)
            .expect("a folder")
            .map(|file| {
                file.expect("a file")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    };
    let keys = files(&format!("{keys_to}/keys"));
    assert!(
        !keys
            .iter()
            .any(|name| name == "programme.key" || name == "provider.key"),
        "{keys:?}"
    );
    for name in ["alias.key", "ledger.keyring", "log.key"] {
        assert!(
            keys.iter().any(|key| key == name),
            "{name} is not in {keys:?}"
        );
    }
    assert!(
        !files(&to)
            .iter()
            .any(|name| name == "keys" || name == "index")
    );
    drop(served);

    // Another machine's directory, with this one's way to the wrapping key.
    let fresh = folder.join("fresh");
    std::fs::create_dir_all(format!("{fresh}/keys")).expect("a folder");
    for name in ["programme.key", "provider.key"] {
        std::fs::copy(
            format!("{data}/keys/{name}"),
            format!("{fresh}/keys/{name}"),
        )
        .expect("copied");
    }
    homecoming_done(&[
        "restore",
        "--from",
        &to,
        "--keys-from",
        &keys_to,
        "--data",
        &fresh,
    ]);
    // The restoration is an entry; a map of heads may be another.
    assert!(audited(&fresh, &[])["entries"].as_u64() > Some(size));
    let served = Served::start(&fresh);
    let (status, body) = get(&served, &token, "/fhir/Basic/fact-0-0");
    assert_eq!(status, 200, "{body}");
    assert_eq!(put(&served, &token, "another"), 201);
}

#[test]
fn a_half_backup_or_an_altered_one_is_not_restored() {
    let folder = Folder::new("half");
    let (data, _) = with_facts(&folder, 20);
    let to = folder.join("copy");
    homecoming_done(&["backup", "--data", &data, "--to", &to]);
    let refused = |says: &str| {
        let target = folder.join("target");
        let output = homecoming(&[
            "restore",
            "--from",
            &to,
            "--keys-from",
            &data,
            "--data",
            &target,
        ]);
        assert!(!output.status.success(), "{}", words(&output));
        assert!(words(&output).contains(says), "{says}: {}", words(&output));
        assert!(!Path::new(&target).exists(), "something was left");
    };
    // Each is refused with the reason; then it is put back.
    let ledger = format!("{to}/ledger.sqlite");
    let sound = std::fs::read(&ledger).expect("read");
    for at in [100, sound.len() / 2, sound.len() - 1] {
        let mut altered = sound.clone();
        altered[at] ^= 0x10;
        std::fs::write(&ledger, &altered).expect("written");
        refused("`ledger.sqlite` is not as the backup was made");
    }
    std::fs::write(&ledger, &sound[..sound.len() - 8192]).expect("written");
    refused("`ledger.sqlite` is not as the backup was made");
    std::fs::remove_file(&ledger).expect("removed");
    refused("`ledger.sqlite` of the backup cannot be read");
    std::fs::write(&ledger, &sound).expect("written");
    let manifest = std::fs::read(format!("{to}/manifest.json")).expect("read");
    std::fs::remove_file(format!("{to}/manifest.json")).expect("removed");
    refused("never finished");
    // A manifest is signed by nobody: it brings nothing along that no backup holds.
    for name in [
        "audit.progress",
        "audit.progress.access",
        "keys/log.key",
        "index.audit/ledger.sqlite",
    ] {
        let mut listing: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
        let more = serde_json::json!({ "name": name, "bytes": 0, "sha256": "" });
        listing["files"].as_array_mut().expect("files").push(more);
        std::fs::write(format!("{to}/manifest.json"), listing.to_string()).expect("written");
        refused(&format!("lists {name:?}, which no backup holds"));
    }
    std::fs::write(format!("{to}/manifest.json"), &manifest).expect("written");
    // Twice into the same folder: the first stays as it is.
    let output = homecoming(&["backup", "--data", &data, "--to", &to]);
    assert!(
        words(&output).contains("is there already"),
        "{}",
        words(&output)
    );
    // Keys beside the record would open it for whoever finds it.
    let output = homecoming(&[
        "backup",
        "--data",
        &data,
        "--to",
        &folder.join("b"),
        "--keys-to",
        &folder.join("b/keys"),
    ]);
    assert!(
        words(&output).contains("must not lie in one place"),
        "{}",
        words(&output)
    );
    homecoming_done(&[
        "restore",
        "--from",
        &to,
        "--keys-from",
        &data,
        "--data",
        &folder.join("target"),
    ]);
}

#[test]
fn a_backup_killed_at_any_point_leaves_none_behind_and_the_next_one_works() {
    let folder = Folder::new("killed");
    let (data, _) = with_facts(&folder, 30);
    let to = folder.join("copy");
    let mut unfinished = 0;
    for round in 0..12u64 {
        let mut child = std::process::Command::new(crate::served::HOMECOMING)
            .args(["backup", "--data", &data, "--to", &to])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        std::thread::sleep(std::time::Duration::from_millis(4 * round));
        let _ = child.kill();
        child.wait().expect("it ends");
        if Path::new(&to).exists() {
            // Whatever has the name is whole.
            assert!(audited(&to, &["--keys-from", &data])["entries"].as_u64() >= Some(30));
            std::fs::remove_dir_all(&to).expect("removed");
        } else {
            unfinished += 1;
        }
    }
    assert!(unfinished > 0, "none was stopped in the middle");
    homecoming_done(&["backup", "--data", &data, "--to", &to]);
}

#[test]
fn going_back_behind_what_somebody_can_prove_takes_words_and_another_log() {
    let folder = Folder::new("behind");
    let (data, token) = with_facts(&folder, 10);
    let old = folder.join("old");
    homecoming_done(&["backup", "--data", &data, "--to", &old]);
    let kept = folder.join("kept.txt");
    {
        let served = Served::start(&data);
        for number in 0..5 {
            assert_eq!(put(&served, &token, &format!("later-{number}")), 201);
        }
    }
    let new = folder.join("new");
    homecoming_done(&["backup", "--data", &data, "--to", &new]);
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(format!("{new}/manifest.json")).expect("read"))
            .expect("JSON");
    std::fs::write(&kept, manifest["checkpoint"].as_str().expect("text")).expect("written");
    let size_of = |dir: &str| -> u64 {
        let manifest = std::fs::read(format!("{dir}/manifest.json")).expect("read");
        serde_json::from_slice::<serde_json::Value>(&manifest).expect("JSON")["size"]
            .as_u64()
            .expect("a size")
    };
    let (old_size, new_size) = (size_of(&old), size_of(&new));
    assert!(old_size < new_size);

    let target = folder.join("target");
    let restore = |from: &str, more: &[&str]| {
        let mut line = vec![
            "restore",
            "--from",
            from,
            "--keys-from",
            &data,
            "--data",
            &target,
        ];
        line.extend(more);
        homecoming(&line)
    };
    let refused = restore(&old, &["--cosigned", &kept]);
    assert_eq!(refused.status.code(), Some(3), "{}", words(&refused));
    let says = format!("Entries {old_size} to {} of homecoming/", new_size - 1);
    assert!(words(&refused).contains(&says), "{}", words(&refused));
    let refused = restore(&old, &["--cosigned", &kept, "--lose-entries", "yes"]);
    assert!(
        words(&refused).contains("do not name all that is lost"),
        "{}",
        words(&refused)
    );
    let refused = restore(
        &new,
        &[
            "--cosigned",
            &kept,
            "--lose-entries",
            "the disk failed and the board decided",
        ],
    );
    assert!(
        words(&refused).contains("has nothing to say"),
        "{}",
        words(&refused)
    );
    assert!(!Path::new(&target).exists());

    let said = &format!(
        "The disk failed on 3 May, and {} entries are lost; the director decided to go on from the backup.",
        new_size - old_size
    );
    let done = restore(&old, &["--cosigned", &kept, "--lose-entries", said]);
    assert!(done.status.success(), "{}", words(&done));
    assert!(
        words(&done).contains("homecoming/test-programme.2"),
        "{}",
        words(&done)
    );
    assert!(audited(&target, &[])["entries"].as_u64() > Some(old_size));
    let served = Served::start(&target);
    let (status, body) = get(&served, &token, "/fhir/Basic?_count=50");
    assert_eq!(status, 200);
    for part in [said, "restore-with-loss", "homecoming/test-programme.2"] {
        assert!(body.contains(part), "{part} is not on the record");
    }
    assert_eq!(get(&served, &token, "/fhir/Basic/later-0").0, 404);
    assert_eq!(put(&served, &token, "after"), 201);
    drop(served);
    assert!(audited(&target, &[])["entries"].as_u64() > Some(old_size + 1));

    // A directory that has more than the backup is known as well, and is kept.
    let output = homecoming(&["restore", "--from", &old, "--data", &data]);
    assert!(
        words(&output).contains("the ledger that lies here now"),
        "{}",
        words(&output)
    );
    let done = homecoming(&["restore", "--from", &new, "--data", &data]);
    assert!(done.status.success(), "{}", words(&done));
    assert!(Path::new(&folder.join("data.before-restore")).is_dir());
    assert!(audited(&data, &[])["entries"].as_u64() > Some(new_size));
}

#[test]
fn a_backup_of_another_history_is_never_restored() {
    let folder = Folder::new("history");
    let (data, token) = with_facts(&folder, 5);
    // The same log goes two ways.
    let other = folder.join("other");
    let copy = |from: &str, to: &str| {
        let output = std::process::Command::new("cp")
            .args(["-r", from, to])
            .output();
        assert!(output.expect("cp runs").status.success());
    };
    copy(&data, &other);
    for (data, fact) in [(&data, "one"), (&other, "another")] {
        let served = Served::start(data);
        assert_eq!(put(&served, &token, fact), 201);
    }
    let to = folder.join("copy");
    homecoming_done(&["backup", "--data", &other, "--to", &to]);
    let output = homecoming(&[
        "restore",
        "--from",
        &to,
        "--data",
        &data,
        "--lose-entries",
        "The director would rather have the other one.",
    ]);
    assert!(!output.status.success());
    assert!(
        words(&output).contains("this is another record under the same name"),
        "{}",
        words(&output)
    );
    assert_eq!(audited(&data, &[])["faults"], serde_json::json!([]));
}
