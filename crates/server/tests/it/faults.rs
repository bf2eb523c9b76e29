//! A disk that is full, an fsync that fails, a port in use, a second server, a directory of another
//! version: each is said in words, with its exit code, and nothing is half written.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;

use ledger::access::AccessLog;

use crate::disclosures::keys;
use crate::served::{Folder, HOMECOMING, Served, homecoming, homecoming_done, programme};

const COULD_NOT_RUN: Option<i32> = Some(3);

fn put(served: &Served, token: &str, id: &str) -> Option<(u16, String)> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let body = format!(r#"{{"resourceType":"Basic","id":"{id}","code":{{"text":"a fact"}}}}"#);
    let mut answer = agent
        .put(served.url(&format!("/fhir/Basic/{id}")))
        .header("Authorization", &format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json")
        .send(body)
        .ok()?;
    Some((
        answer.status().as_u16(),
        answer.body_mut().read_to_string().ok()?,
    ))
}

fn words(output: &std::process::Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A server whose calls on a write-ahead log fail under strace: those that `when` numbers. It is strace's parent
/// (`-D`), so that killing the server is killing the server.
fn failing(data: &str, log: &str, calls: &str, error: &str, when: &str) -> Served {
    let log = format!("{data}/{log}");
    let trace = format!("--trace={calls}");
    let inject = format!("--inject={calls}:error={error}:when={when}");
    let under = [
        "strace",
        "-D",
        "-f",
        "-o",
        "/dev/null",
        "-P",
        &log,
        &trace,
        &inject,
    ];
    Served::start_under(&under, data)
}

/// A programme with somebody whom a client can read.
fn programme_with_patient(folder: &Folder) -> (String, String) {
    let (data, token) = programme(folder);
    let served = Served::start(&data);
    let put = ureq::put(served.url("/fhir/Patient/p"))
        .header("Authorization", &format!("Bearer {token}"))
        .header("Content-Type", "application/fhir+json")
        .send(r#"{"resourceType":"Patient","id":"p"}"#)
        .expect("it is written");
    assert_eq!(put.status().as_u16(), 201);
    (data, token)
}

/// Reads somebody; the status and the body, or nothing if the server is gone. Every read has an address of its own.
fn read(served: &Served, token: &str, path: &str) -> Option<(u16, String)> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent
        .get(served.url(path))
        .header("Authorization", &format!("Bearer {token}"))
        .call()
        .ok()?;
    let status = answer.status().as_u16();
    // An answer whose head has come has been let go.
    let body = answer.body_mut().read_to_string().unwrap_or_default();
    Some((status, body))
}

/// What was asked and answered, as the access log has it.
fn logged(data: &str) -> HashSet<String> {
    let log = AccessLog::open(Path::new(data), keys(data)).expect("the access log opens");
    let all = log.before(u64::MAX, 10_000).expect("it reads");
    all.into_iter()
        .filter_map(|one| one.told)
        .map(|told| told.address)
        .collect()
}

#[test]
fn a_failed_fsync_stops_the_server_and_nothing_unsynced_is_acknowledged() {
    let folder = Folder::new("fsync");
    let (data, token) = programme(&folder);
    let served = failing(&data, "ledger.sqlite-wal", "fsync,fdatasync", "EIO", "8+");
    let mut acknowledged = Vec::new();
    for number in 0..40 {
        let id = format!("fact-{number}");
        match put(&served, &token, &id) {
            Some((201, _)) => acknowledged.push(id),
            Some((status, body)) => {
                assert_eq!(status, 503, "{body}");
                break;
            }
            None => break,
        }
    }
    assert!(
        !acknowledged.is_empty(),
        "no write went through before the failure"
    );
    assert!(acknowledged.len() < 40, "the failing fsync was not noticed");
    assert_eq!(
        served.wait(),
        COULD_NOT_RUN,
        "the server must stop, not retry"
    );

    let served = Served::start(&data);
    for id in &acknowledged {
        let (status, body) = put(&served, &token, id).expect("the server answers");
        assert_eq!(
            status, 200,
            "{id} was acknowledged, so it is there to be updated: {body}"
        );
    }
    drop(served);
    assert!(homecoming(&["audit", "--data", &data]).status.success());
}

#[test]
fn a_full_disk_refuses_the_write_and_goes_on_when_there_is_room() {
    let folder = Folder::new("full");
    let (data, token) = programme(&folder);
    let before = {
        let served = failing(&data, "ledger.sqlite-wal", "pwrite64", "ENOSPC", "60+");
        let mut acknowledged = 0;
        let mut full = 0;
        for number in 0..60 {
            match put(&served, &token, &format!("fact-{number}")).expect("the server goes on") {
                (201, _) => {
                    assert_eq!(full, 0, "the disk does not empty itself");
                    acknowledged += 1;
                }
                (507, body) => {
                    assert!(body.contains("full"), "{body}");
                    full += 1;
                }
                (status, body) => panic!("{status}: {body}"),
            }
        }
        assert!(
            acknowledged > 0 && full > 0,
            "{acknowledged} acknowledged, {full} refused"
        );
        acknowledged
    };
    let served = Served::start(&data);
    let (status, body) = put(&served, &token, &format!("fact-{before}")).expect("an answer");
    assert_eq!(status, 201, "what was refused is not there: {body}");
    drop(served);
    assert!(homecoming(&["audit", "--data", &data]).status.success());
}

#[test]
fn a_failed_fsync_of_the_access_log_stops_the_server_and_nothing_was_shown_without_its_leaf() {
    const READS_MAX: u32 = 200;
    let folder = Folder::new("access-fsync");
    let (data, token) = programme_with_patient(&folder);
    let served = failing(&data, "access.sqlite-wal", "fsync,fdatasync", "EIO", "8+");
    let shown = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        // Some wait for the flush that fails while others read.
        for client in 0..4 {
            let (served, token, shown) = (&served, &token, &shown);
            scope.spawn(move || {
                for number in 0..READS_MAX {
                    let path = format!("/fhir/Patient?_id=p,n{client}-{number}");
                    match read(served, token, &path) {
                        Some((200, _)) => shown.lock().expect("no client panics").push(path),
                        Some((status, body)) => {
                            assert_eq!(status, 503, "{body}");
                            return;
                        }
                        None => return,
                    }
                }
                panic!("the failing fsync was not noticed");
            });
        }
    });
    let shown = shown.into_inner().expect("no client panics");
    assert!(!shown.is_empty(), "nothing was read before the failure");
    assert_eq!(
        served.wait(),
        COULD_NOT_RUN,
        "the server must stop, not retry"
    );

    let served = Served::start(&data);
    let (status, body) = read(&served, &token, "/fhir/Patient?_id=p").expect("an answer");
    assert_eq!(status, 200, "{body}");
    drop(served);
    let logged = logged(&data);
    for path in &shown {
        assert!(logged.contains(path), "{path} was shown and left no trace");
    }
    assert!(homecoming(&["audit", "--data", &data]).status.success());
}

#[test]
fn a_full_disk_shows_nothing_that_it_cannot_record_and_goes_on_when_there_is_room() {
    let folder = Folder::new("access-full");
    let (data, token) = programme_with_patient(&folder);
    let served = failing(&data, "access.sqlite-wal", "pwrite64", "ENOSPC", "30..49");
    // Nothing of a write that fails here is done, so no commit can be whole in the log that is not known of.
    let (mut shown, mut refused) = (Vec::new(), Vec::new());
    let mut again = 0;
    for number in 0..60 {
        let path = format!("/fhir/Patient?_id=p,n{number}");
        match read(&served, &token, &path).expect("the server goes on") {
            (200, _) => {
                again += u32::from(!refused.is_empty());
                shown.push(path);
            }
            (503, body) => {
                assert!(body.contains("The disk is full: make room."), "{body}");
                assert_eq!(again, 0, "there was room already");
                refused.push(path);
            }
            (status, body) => panic!("{status}: {body}"),
        }
    }
    drop(served);
    assert!(
        !refused.is_empty() && again > 0 && shown.len() as u32 > again,
        "{} shown, {} refused, {again} after there was room",
        shown.len(),
        refused.len()
    );
    drop(Served::start(&data));
    let logged = logged(&data);
    for path in &shown {
        assert!(logged.contains(path), "{path} was shown and left no trace");
    }
    for path in &refused {
        assert!(!logged.contains(path), "{path} was refused");
    }
    assert!(homecoming(&["audit", "--data", &data]).status.success());
}

#[test]
fn a_second_server_and_an_import_are_told_who_has_the_directory() {
    let folder = Folder::new("second");
    let (data, _) = programme(&folder);
    let _served = Served::start(&data);
    for line in [
        vec!["serve", "--data", &data, "--listen", "127.0.0.1:0"],
        vec!["import", "--data", &data, &folder.join("data")],
        vec!["rebuild", "--data", &data],
    ] {
        let output = homecoming(&line);
        assert_eq!(
            output.status.code(),
            COULD_NOT_RUN,
            "{line:?}: {}",
            words(&output)
        );
        assert!(
            words(&output).contains("in use"),
            "{line:?}: {}",
            words(&output)
        );
    }
}

#[test]
fn a_port_in_use_is_said_with_what_to_do() {
    let folder = Folder::new("port");
    let (data, _) = programme(&folder);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let output = homecoming(&["serve", "--data", &data, "--listen", &address]);
    assert_eq!(output.status.code(), COULD_NOT_RUN);
    assert!(words(&output).contains(&address) && words(&output).contains("--listen"));
}

#[test]
fn wrong_words_are_wrong_use_and_missing_programmes_are_named() {
    let folder = Folder::new("words");
    let missing = folder.join("nothing");
    for (line, code, says) in [
        (vec!["fly"], 2, "fly"),
        (vec!["serve"], 2, "--data"),
        (vec!["serve", "--data", &missing], 3, "homecoming init"),
        (
            vec!["token", "--data", &missing, "--client", "x"],
            3,
            "homecoming init",
        ),
        (vec!["verify", &missing], 3, "cannot be read"),
    ] {
        let output = homecoming(&line);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{line:?}: {}",
            words(&output)
        );
        assert!(
            words(&output).contains(says),
            "{line:?}: {}",
            words(&output)
        );
    }
    let (data, _) = programme(&folder);
    let output = homecoming(&["init", "--data", &data, "--name", "Again"]);
    assert_eq!(output.status.code(), COULD_NOT_RUN, "{}", words(&output));
    let output = homecoming(&[
        "client",
        "add",
        "x",
        "--data",
        &data,
        "--scope",
        "everything",
    ]);
    assert_eq!(output.status.code(), Some(2), "{}", words(&output));
}

#[test]
fn a_directory_of_a_newer_version_is_left_alone() {
    let folder = Folder::new("newer");
    let (data, _) = programme(&folder);
    let ledger = Path::new(&data).join("ledger.sqlite");
    let connection = rusqlite::Connection::open(&ledger).expect("the ledger opens");
    connection
        .pragma_update(None, "user_version", 99)
        .expect("the version is set");
    drop(connection);
    let before = std::fs::read(&ledger).expect("the ledger is read");
    let output = homecoming(&["serve", "--data", &data, "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), COULD_NOT_RUN);
    assert!(words(&output).contains("newer"), "{}", words(&output));
    assert_eq!(before, std::fs::read(&ledger).expect("the ledger is read"));
}

#[test]
fn the_index_may_be_deleted_at_any_time() {
    let folder = Folder::new("index");
    let (data, token) = programme(&folder);
    let served = Served::start(&data);
    for number in 0..20 {
        assert_eq!(
            put(&served, &token, &format!("fact-{number}"))
                .expect("an answer")
                .0,
            201
        );
    }
    drop(served);
    std::fs::remove_dir_all(Path::new(&data).join("index")).expect("it is a folder");
    let served = Served::start(&data);
    for number in 0..20 {
        assert_eq!(
            put(&served, &token, &format!("fact-{number}"))
                .expect("an answer")
                .0,
            200
        );
    }
    drop(served);
    homecoming_done(&["rebuild", "--data", &data]);
    homecoming_done(&["audit", "--data", &data]);
}

#[test]
fn an_import_of_anything_hostile_names_the_place_and_writes_nothing() {
    let folder = Folder::new("hostile");
    let (data, _) = programme(&folder);
    let deep = "[".repeat(100_000);
    let cases: [(&str, &[u8], &str); 8] = [
        ("truncated.json", br#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient""#, "line 1"),
        ("deep.json", deep.as_bytes(), "deep"),
        ("binary.json", b"\x00\xff\xfe\x01", "line 1"),
        ("empty.json", b"", "empty"),
        ("unknown.json", br#"{"resourceType":"Soldier","id":"a"}"#, "resourceType"),
        ("twice.json", br#"{"resourceType":"Patient","id":"a","id":"b"}"#, "same key"),
        ("wrong.json", br#"{"resourceType":"Patient","id":"a","birthDate":"yesterday"}"#, "birthDate"),
        ("bad.ndjson", b"{\"resourceType\":\"Patient\",\"id\":\"a\"}\n{\"resourceType\":\"Patient\",\"id\":\"b\",\"gender\":7}\n", "line 2"),
    ];
    for (name, bytes, says) in cases {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("the file is written");
        let output = homecoming(&["import", "--data", &data, &path]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", words(&output));
        let words = words(&output);
        assert!(
            words.contains(name) && words.contains(says),
            "{name}: {words}"
        );
    }
    let report: serde_json::Value =
        serde_json::from_str(&homecoming_done(&["audit", "--data", &data, "--json"]))
            .expect("JSON");
    assert_eq!(
        report["entries"], 0,
        "something of a refused file was written"
    );
}

#[test]
fn an_import_killed_at_any_point_and_run_again_ends_with_the_same_record() {
    let folder = Folder::new("resume");
    let input = folder.join("input");
    std::fs::create_dir(&input).expect("a folder");
    for file in 0..30 {
        let entries: Vec<String> = (0..40)
            .map(|number| {
                format!(
                    r#"{{"fullUrl":"urn:uuid:00000000-0000-4000-8000-{file:06}{number:06}","resource":{{"resourceType":"Observation","status":"final","code":{{"text":"n {file} {number}"}}}},"request":{{"method":"POST","url":"Observation"}}}}"#
                )
            })
            .collect();
        let bundle = format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
            entries.join(",")
        );
        std::fs::write(format!("{input}/{file:02}.json"), bundle).expect("the file is written");
        let lines: Vec<String> = (0..40)
            .map(|number| {
                format!(
                    r#"{{"resourceType":"Basic","id":"b-{file}-{number}","code":{{"text":"x"}}}}"#
                )
            })
            .collect();
        std::fs::write(format!("{input}/{file:02}.ndjson"), lines.join("\n")).expect("written");
    }
    let (data, _) = programme(&folder);
    for round in 0..12u64 {
        let mut child = std::process::Command::new(HOMECOMING)
            .args(["import", "--data", &data, &input])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the import starts");
        std::thread::sleep(std::time::Duration::from_millis(4 + 5 * round));
        let _ = child.kill();
        child.wait().expect("it ends");
    }
    homecoming_done(&["import", "--data", &data, &input]);
    homecoming_done(&["import", "--data", &data, &input]);
    let report: serde_json::Value =
        serde_json::from_str(&homecoming_done(&["audit", "--data", &data, "--json"]))
            .expect("JSON");
    // And one entry that says where the chains end.
    assert_eq!(report["entries"], 30 * 40 * 2 + 1, "lost or doubled");
}

/// Whoever started the server may close their terminal, or stop reading after the first line.
#[test]
fn a_server_to_which_nobody_listens_serves_on() {
    let folder = Folder::new("deaf");
    let (data, _) = programme(&folder);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut child = std::process::Command::new(HOMECOMING)
        .args(["serve", "--data", &data])
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .stdin(std::process::Stdio::null())
        .stdout(writer)
        .spawn()
        .expect("the server starts");
    let answered = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        ureq::get(format!("http://127.0.0.1:{port}/fhir/metadata"))
            .call()
            .is_ok()
    });
    let ended = child.try_wait().expect("it can be asked");
    let _ = child.kill();
    let _ = child.wait();
    assert!(answered, "it did not answer, and ended with {ended:?}");
}
