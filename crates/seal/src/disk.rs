//! What must be true of the place where key files lie.

use std::io;

/// Small files that are replaced whole and can be destroyed.
///
/// Every call that has returned `Ok` has to outlive a loss of power. A call that has failed may or
/// may not have happened; whoever gets the failure must assume either, and look again.
pub trait Disk: Send + Sync {
    /// The whole file; `None` if there is none.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Puts `bytes` in place of the file, or makes it: afterwards a reader finds the old bytes or
    /// the new ones, never a mixture. The old bytes are overwritten where they lay, as far as the
    /// medium does that.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Overwrites the file where it lies and takes it away. No file is no failure.
    fn destroy(&self, name: &str) -> io::Result<()>;

    /// Destroys what calls that were interrupted have left behind. Only for whoever alone changes
    /// these files; on a disk that leaves nothing there is nothing to do.
    fn sweep(&self) -> io::Result<()> {
        Ok(())
    }
}
