//! A directory of the file system as the disk that key files lie on.
//!
//! A replaced file's old bytes are overwritten where they lie, after the new ones are durable under
//! the name. Until then they keep a second name, `NAME.old`, so that a crash in between leaves
//! something to find: sweeping overwrites it at the next start. What the file system or a
//! flash drive copies elsewhere by itself is out of reach of any of this.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use seal::Disk;

/// Key files in one directory, readable by their owner alone.
pub struct Folder(PathBuf);

impl Folder {
    /// On a directory that is there, or will be.
    pub fn new(directory: PathBuf) -> Folder {
        Folder(directory)
    }

    fn with_end(&self, name: &str, end: &str) -> PathBuf {
        self.0.join(format!("{name}.{end}"))
    }

    /// Makes the names in the directory durable.
    fn sync(&self) -> io::Result<()> {
        #[cfg(unix)]
        File::open(&self.0)?.sync_all()?;
        Ok(())
    }
}

impl Disk for Folder {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        absent(fs::read(self.0.join(name)))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (file, new, old) = (
            self.0.join(name),
            self.with_end(name, "new"),
            self.with_end(name, "old"),
        );
        clear(&new, &file)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut made = options.open(&new)?;
        made.write_all(bytes)?;
        made.sync_all()?;
        let before = absent(OpenOptions::new().write(true).open(&file))?;
        if before.is_some() {
            clear(&old, &file)?;
            // Where there are no second names, only a crash before the overwriting leaves the bytes.
            match fs::hard_link(&file, &old) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                outcome => outcome?,
            }
        }
        fs::rename(&new, &file)?;
        self.sync()?;
        if let Some(mut before) = before {
            overwrite(&mut before)?;
            absent(fs::remove_file(&old))?;
            self.sync()?;
        }
        Ok(())
    }

    fn destroy(&self, name: &str) -> io::Result<()> {
        let file = self.0.join(name);
        let Some(mut open) = absent(OpenOptions::new().write(true).open(&file))? else {
            return Ok(());
        };
        overwrite(&mut open)?;
        fs::remove_file(&file)?;
        self.sync()
    }

    fn sweep(&self) -> io::Result<()> {
        let mut swept = false;
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if matches!(
                path.extension().and_then(|end| end.to_str()),
                Some("old" | "new")
            ) {
                clear(&path, &path.with_extension(""))?;
                swept = true;
            }
        }
        match swept {
            true => self.sync(),
            false => Ok(()),
        }
    }
}

/// Takes away what an interrupted call left under `left`; its bytes too, unless they are those of
/// the file that is kept, under a second name.
fn clear(left: &Path, kept: &Path) -> io::Result<()> {
    let Some(mut file) = absent(OpenOptions::new().write(true).open(left))? else {
        return Ok(());
    };
    if !is_same_file(left, kept)? {
        overwrite(&mut file)?;
    }
    fs::remove_file(left)
}

/// Zeros from end to end, flushed.
fn overwrite(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let zeros = [0; 8192];
    let mut rest = length;
    while rest > 0 {
        let now = rest.min(zeros.len() as u64);
        file.write_all(&zeros[..now as usize])?;
        rest -= now;
    }
    file.sync_all()
}

fn absent<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(there) => Ok(Some(there)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn is_same_file(one: &Path, other: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let id = |path: &Path| {
        let found = absent(fs::metadata(path))?;
        io::Result::Ok(found.map(|about| (about.dev(), about.ino())))
    };
    Ok(id(one)? == id(other)?)
}

#[cfg(not(unix))]
fn is_same_file(_: &Path, _: &Path) -> io::Result<bool> {
    // Not to be known: rather leave the bytes than overwrite a key that is in use.
    Ok(true)
}
