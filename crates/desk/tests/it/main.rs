//! The desk from outside.

mod apps;
mod clients;
mod opening;
mod signing_in;
mod users;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use desk::{Desk, NewUser};

pub(crate) const NOW: i64 = 1_767_225_600_000_000;
pub(crate) const HOUR: i64 = 3_600_000_000;

pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Dir {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("desk-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Dir(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Counts up: every draw is another.
pub(crate) fn chance() -> impl FnMut(&mut [u8]) {
    let mut next = 0u64;
    move |bytes| {
        for chunk in bytes.chunks_mut(8) {
            next = next
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A desk with two users, and their ids.
pub(crate) fn desk(dir: &Dir) -> (Desk, i64, i64) {
    let desk = Desk::open(dir.path()).unwrap();
    let mut ids = [("Dana Whitfield", "caseworker"), ("R. Osei", "officer")].map(|(name, role)| {
        let new = NewUser {
            name,
            role,
            ..NewUser::default()
        };
        desk.add_user(&new, NOW, |_| None).unwrap()
    });
    ids.sort_unstable();
    (desk, ids[0], ids[1])
}
