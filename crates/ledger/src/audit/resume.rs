//! How far an audit has come, in a small file, so that one that was interrupted goes on. Each log has its own.
//!
//! Opening contents is what takes the time, so only that is remembered: "every content before this
//! position was opened". The lines themselves are read, hashed and chained anew in every run, and
//! nothing of what they say is ever taken from the file. So the file cannot make an audit pass a
//! line, a chain, a version or a root that it did not see; and what it says of the contents holds
//! only for the tree whose root it names, which the lines of this run must give again at that
//! position. A file that is torn, of another log, of another history or of another copy of the log is not
//! used; and a run that opens contents does not use what one without keys left, which only held them against their
//! lines.
//!
//! Whoever can write the file can claim that contents were opened which were not. So a report says
//! up to where it took an earlier run's word, and `--fresh` takes nobody's. Keep the file on a disk
//! of your own (`--resume FILE`) to audit somebody else's machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};
use tlog::Hash;

use super::How;
use super::faults::{Fault, Faults};
use crate::witnessed::LogName;

/// The name of the file in the data directory; the access log's has a word behind it.
const FILE: &str = "audit.progress";

/// Where the progress of one of the logs is kept.
pub(super) fn file(dir: &Path, how: &How, log: LogName) -> PathBuf {
    let mut file = how.resume.clone().unwrap_or_else(|| dir.join(FILE));
    if log == LogName::Access {
        file.as_mut_os_string().push(".access");
    }
    file
}

const FIRST_LINE: &str = "homecoming audit progress 2";

/// Which file of which disk one of the logs lies in, on one line. A copy of it is another one.
pub(super) fn place(dir: &Path, log: LogName) -> String {
    let file = dir.join(match log {
        LogName::Record => "ledger.sqlite",
        LogName::Access => "access.sqlite",
    });
    let (device, number) = numbers(&file).unwrap_or_default();
    let path = fs::canonicalize(&file).unwrap_or(file);
    format!("{device} {number} {path:?}")
}

#[cfg(unix)]
fn numbers(file: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(file).map(|about| (about.dev(), about.ino()))
}

#[cfg(not(unix))]
fn numbers(_: &Path) -> io::Result<(u64, u64)> {
    Ok((0, 0))
}

/// What an interrupted run came to.
#[derive(Debug)]
pub(super) struct Reached {
    /// The log that was read.
    pub(super) origin: String,
    /// Where it lies: what [`place`] says of it.
    pub(super) place: String,
    /// Whether contents were opened, or only held against their lines.
    pub(super) opened: bool,
    /// Every content before this was opened.
    pub(super) done: u64,
    /// The root of the tree over the entries before it.
    pub(super) root: Hash,
    /// How many bytes the contents have, unpacked.
    pub(super) bytes: u64,
    /// What did not fit in them.
    pub(super) faults: Faults,
}

impl Reached {
    /// Reads the file; anything but what [`save`](Reached::save) wrote is as good as no file.
    pub(super) fn load(file: &Path, log: LogName) -> Option<Reached> {
        let text = fs::read_to_string(file).ok()?;
        let (body, sum) = text.trim_end().rsplit_once("\nsum ")?;
        if sum != check_sum(body) {
            return None;
        }
        let mut lines = body.lines();
        if lines.next() != Some(FIRST_LINE) {
            return None;
        }
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let origin = field("origin")?.to_owned();
        let place = field("place")?.to_owned();
        let opened = match field("opened")? {
            "yes" => true,
            "no" => false,
            _ => return None,
        };
        let done = field("done")?.parse().ok()?;
        let root = STANDARD_NO_PAD.decode(field("root")?).ok()?;
        let root = root.try_into().ok()?;
        let bytes = field("bytes")?.parse().ok()?;
        let mut faults = Faults::of(log);
        for line in lines {
            let (position, what) = line.strip_prefix("fault ")?.split_once(' ')?;
            faults.push(Fault {
                position: match position {
                    "-" => None,
                    number => Some(number.parse().ok()?),
                },
                what: what.to_owned(),
            });
        }
        Some(Reached {
            origin,
            place,
            opened,
            done,
            root,
            bytes,
            faults,
        })
    }

    /// Writes the file anew: whole, or not at all.
    pub(super) fn save(&self, file: &Path) -> io::Result<()> {
        let mut body = format!(
            "{FIRST_LINE}\norigin {}\nplace {}\nopened {}\ndone {}\nroot {}\nbytes {}",
            self.origin,
            self.place,
            match self.opened {
                true => "yes",
                false => "no",
            },
            self.done,
            STANDARD_NO_PAD.encode(self.root),
            self.bytes
        );
        for fault in self.faults.iter() {
            let position = fault.position.map_or("-".to_owned(), |at| at.to_string());
            let what = fault.what.replace('\n', " ");
            body.push_str(&format!("\nfault {position} {what}"));
        }
        let whole = format!("{body}\nsum {}\n", check_sum(&body));
        let mut aside = PathBuf::from(file);
        aside.as_mut_os_string().push(".new");
        fs::write(&aside, whole)?;
        fs::rename(&aside, file)
    }
}

fn check_sum(body: &str) -> String {
    STANDARD_NO_PAD.encode(Sha256::digest(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_and_no_altered_byte_of_it() {
        let folder = std::env::temp_dir().join(format!("audit-progress-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(FILE);
        let mut faults = Faults::default();
        faults.at(7, "its content is missing");
        faults.say("`tile` cannot be read:\ntwice");
        let reached = Reached {
            origin: "test.example/log".to_owned(),
            place: place(Path::new("a\nplace"), LogName::Record),
            opened: true,
            done: 512,
            root: [7; 32],
            bytes: 12_345,
            faults,
        };
        reached.save(&file).unwrap();
        let loaded = Reached::load(&file, LogName::Record).unwrap();
        assert_eq!(
            (loaded.done, loaded.root, loaded.bytes),
            (512, [7; 32], 12_345)
        );
        assert_eq!(loaded.origin, "test.example/log");
        assert_eq!((&loaded.place, loaded.opened), (&reached.place, true));
        let said: Vec<_> = loaded
            .faults
            .iter()
            .map(|fault| (fault.position, fault.what.clone()))
            .collect();
        assert_eq!(
            said,
            [
                (Some(7), "Entry 7: its content is missing".to_owned()),
                (None, "`tile` cannot be read: twice".to_owned())
            ]
        );
        let sound = fs::read(&file).unwrap();
        // The last byte is the line's end, which says nothing.
        for at in 0..sound.len() - 1 {
            let mut altered = sound.clone();
            altered[at] ^= 1;
            fs::write(&file, &altered).unwrap();
            assert!(Reached::load(&file, LogName::Record).is_none(), "byte {at}");
            fs::write(&file, &sound[..at]).unwrap();
            assert!(
                Reached::load(&file, LogName::Record).is_none(),
                "cut off after {at}"
            );
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
