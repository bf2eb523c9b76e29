//! Attack 12: an old backup is put in the place of the record.

use super::{Ward, copy, refused, says};
use crate::served::{Served, get};
use crate::witnesses::put;

#[test]
fn an_old_copy_of_the_ledger_is_refused_at_the_start() {
    let ward = Ward::new("old-ledger");
    ward.record("fact", 2, 3);
    let backup = ward.folder.join("backup");
    copy(&ward.data, &backup);
    ward.record("later", 4, 7);
    for end in ["", "-wal", "-shm"] {
        let name = format!("ledger.sqlite{end}");
        let _ = std::fs::remove_file(format!("{}/{name}", ward.data));
        let _ = std::fs::copy(format!("{backup}/{name}"), format!("{}/{name}", ward.data));
    }
    let said = refused(&ward.data);
    says(
        &said,
        &[
            "cosigned 7 entries of the record",
            "only 3 here",
            "an older copy was put in the ledger's place",
            "Nothing was changed",
        ],
    );
    // Whatever opens it to write is refused alike.
    let file = ward.folder.join("one.ndjson");
    std::fs::write(
        &file,
        "{\"resourceType\":\"Basic\",\"id\":\"a\",\"code\":{\"text\":\"x\"}}\n",
    )
    .expect("written");
    let output = crate::served::homecoming(&["import", "--data", &ward.data, &file]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    says(&String::from_utf8_lossy(&output.stderr), &["only 3 here"]);
}

/// Who was shown what cannot be forgotten that way either.
#[test]
fn an_old_copy_of_the_access_log_is_refused_at_the_start() {
    let ward = Ward::new("old-access");
    ward.record("fact", 1, 2);
    let backup = ward.folder.join("backup");
    copy(&ward.data, &backup);
    let served = Served::start(&ward.data);
    for _ in 0..4 {
        assert_eq!(
            get(&served.url("/fhir/Basic/fact-0"), Some(&ward.token)).0,
            200
        );
    }
    served.until("homecoming_log_cosigned_entries{log=\"access\"}", |size| {
        size >= 4.0
    });
    drop(served);
    for end in ["", "-wal", "-shm"] {
        let name = format!("access.sqlite{end}");
        let _ = std::fs::remove_file(format!("{}/{name}", ward.data));
        let _ = std::fs::copy(format!("{backup}/{name}"), format!("{}/{name}", ward.data));
    }
    says(
        &refused(&ward.data),
        &[
            "entries of the access log",
            "at the end of the access log are missing",
        ],
    );
}

#[test]
fn an_old_copy_of_everything_is_found_by_the_witness() {
    let ward = Ward::new("old-everything");
    ward.record("fact", 2, 3);
    let backup = ward.folder.join("backup");
    copy(&ward.data, &backup);
    ward.record("later", 4, 7);
    std::fs::remove_dir_all(&ward.data).expect("removed");
    copy(&backup, &ward.data);

    let served = Served::start(&ward.data);
    served.until("homecoming_writes_refused", |value| value == 1.0);
    let (status, body) = put(&served, &ward.token, "after");
    assert_eq!(status, 503, "{body}");
    says(
        &body,
        &[
            "has cosigned 7 entries",
            "only 3 here",
            "an older copy was put in its place",
        ],
    );
    let (status, note) = get(&served.url("/log/test-programme/checkpoint"), None);
    assert_eq!(status, 200);
    says(&note, &["\n3\n"]);
    drop(served);
    says(
        &refused(&ward.data),
        &["has said that it cosigned 7 entries"],
    );
}
