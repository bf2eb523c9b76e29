//! The attacks of whoever runs the server, each carried out for real against a running server's files: refused,
//! or found, with a message that says what was done. Their numbers are those of docs/threat-model.md.

mod clock;
mod erasure;
mod forger;
mod fork;
mod old_backup;
mod rollback;
mod stolen_key;

use std::path::Path;

use crate::served::{
    Folder, Outside, Served, access_log_key, homecoming, log_key, programme, set_witnesses,
};

/// A programme, its client's token and its one witness.
struct Ward {
    folder: Folder,
    data: String,
    token: String,
    witness: Outside,
}

impl Ward {
    fn new(name: &str) -> Ward {
        let folder = Folder::new(name);
        let (data, token) = programme(&folder);
        let logs = [log_key(&data), access_log_key(&data)];
        let witness = Outside::start(&folder.join("witness"), &[&logs[0], &logs[1]]);
        set_witnesses(&data, &[&witness], "1");
        Ward {
            folder,
            data,
            token,
            witness,
        }
    }

    /// Serves it, writes so many facts, waits until they are cosigned, and stops.
    fn record(&self, prefix: &str, count: u64, size: u64) {
        let served = Served::start(&self.data);
        crate::witnesses::put_all(&served, &self.token, prefix, count);
        served.until_cosigned(size);
    }
}

/// Starts a server that must refuse; what it says.
fn refused(data: &str) -> String {
    let output = homecoming(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "it started: {said}");
    said
}

/// Whether a sentence says each of these.
fn says(sentence: &str, parts: &[&str]) {
    for part in parts {
        assert!(
            sentence.contains(part),
            "it does not say {part:?}: {sentence}"
        );
    }
}

/// Copies a folder with all that is in it.
fn copy(from: &str, to: &str) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = Path::new(to).join(entry.file_name());
        let (from, to) = (entry.path(), to.display().to_string());
        if from.is_dir() {
            copy(&from.display().to_string(), &to);
        } else {
            std::fs::copy(&from, &to).expect("copied");
        }
    }
}
