//! SQLite's files, led to the simulated disk: the only module with `unsafe`, because SQLite's interface is C.
//!
//! [`mount`] says which paths lie on which disk. The first one makes this the default VFS of the process, so that
//! the ledger opens its files as it always does; every path that is on no simulated disk goes to the VFS that was
//! the default before, with a file of that VFS's own, untouched.
//!
//! What is here only turns pointers into references and results into SQLite's numbers; what the disk does is safe
//! code in [`crate::disk`]. SQLite's memory is kept for it in `vfs/memory.rs`. The arguments for soundness are few and the same throughout:
//!
//! * SQLite hands every method the `sqlite3_file` that `x_open` filled, until `x_close`, and never two calls at once
//!   for one file. `x_open` put a [`Handle`] there that it owns, `x_close` takes it back.
//! * Buffers are as long as SQLite says, names end with a zero byte; both are its documented contract.
//! * Shared memory is made of atomics in boxes that neither move nor shrink while a handle has them, and a handle
//!   keeps them alive as long as its connection has them mapped.
#![expect(
    unsafe_code,
    reason = "SQLite's VFS interface is C; nothing else in the workspace has a reason"
)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use rusqlite::ffi;

use crate::disk::{Disk, Failed, Handle, Lock, REGION_BYTES};

mod memory;

static MOUNTED: RwLock<Vec<(String, Arc<Disk>)>> = RwLock::new(Vec::new());

/// The VFS that was the default before this one.
static SYSTEM: LazyLock<System> = LazyLock::new(register);

struct System(*mut ffi::sqlite3_vfs);

// SAFETY: the pointer leads to a VFS that stays registered for the life of the process and that SQLite itself calls
// from every thread.
unsafe impl Send for System {}
// SAFETY: as above.
unsafe impl Sync for System {}

/// A folder whose SQLite files lie on a simulated disk, as long as this value lives.
#[derive(Debug)]
pub struct Mounted(PathBuf);

/// Leads the SQLite files in a folder to a disk. Their names there are what follows the folder's path.
///
/// # Panics
/// If the path is not UTF-8, or SQLite does not let us register.
pub fn mount(folder: &Path, disk: Arc<Disk>) -> Mounted {
    assert!(!SYSTEM.0.is_null(), "SQLite has a default VFS");
    let prefix = format!("{}/", folder.to_str().expect("a path in UTF-8"));
    let mut mounted = MOUNTED.write().unwrap_or_else(PoisonError::into_inner);
    mounted.retain(|(before, _)| *before != prefix);
    mounted.push((prefix, disk));
    Mounted(folder.to_owned())
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let prefix = format!("{}/", self.0.display());
        let mut mounted = MOUNTED.write().unwrap_or_else(PoisonError::into_inner);
        mounted.retain(|(before, _)| *before != prefix);
    }
}

/// The disk that a path lies on, and its name there.
///
/// # Safety
/// `path` is null or ends with a zero byte.
unsafe fn found(path: *const c_char) -> Option<(Arc<Disk>, String)> {
    if path.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller says that it ends.
    let path = unsafe { CStr::from_ptr(path) }.to_str().ok()?;
    let mounted = MOUNTED.read().unwrap_or_else(PoisonError::into_inner);
    mounted.iter().find_map(|(prefix, disk)| {
        let name = path.strip_prefix(prefix.as_str())?;
        Some((disk.clone(), name.to_owned()))
    })
}

/// A `sqlite3_file` of ours. SQLite looks at the first field only.
#[repr(C)]
struct Opened {
    methods: *const ffi::sqlite3_io_methods,
    /// From `Box::into_raw` in `x_open`; taken back in `x_close`.
    handle: *mut Handle,
    /// Whether SQLite expects the first sync to make the name durable: so it does with its journals on Unix.
    with_name: bool,
}

fn register() -> System {
    // Counting every allocation costs a lock each time. Whoever registers comes before anybody who opens a file, so
    // that nobody uses SQLite at this moment; if it was used before, it refuses, and counts.
    // SAFETY: the option takes one `int`.
    unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0 as c_int) };
    memory::set();
    // SAFETY: no pointer is passed but null, which asks for the default.
    let system = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
    if system.is_null() {
        return System(system);
    }
    // SAFETY: SQLite gave a registered VFS, which is valid for the life of the process; it is plain data.
    let mut ours = unsafe { *system };
    ours.zName = c"homecoming-simulation".as_ptr();
    ours.szOsFile = ours.szOsFile.max(size_of::<Opened>() as c_int);
    ours.pNext = std::ptr::null_mut();
    ours.xOpen = Some(x_open);
    ours.xDelete = Some(x_delete);
    ours.xAccess = Some(x_access);
    ours.xFullPathname = Some(x_full_pathname);
    ours.xSleep = Some(x_sleep);
    let ours = Box::leak(Box::new(ours));
    // SAFETY: the VFS and its name live for ever; its other methods are the system's, which do not look at it.
    match unsafe { ffi::sqlite3_vfs_register(ours, 1) } {
        ffi::SQLITE_OK => System(system),
        _ => System(std::ptr::null_mut()),
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // 2: with shared memory, without memory-mapped reads, which would go round the disk's faults.
    iVersion: 2,
    xClose: Some(x_close),
    xRead: Some(x_read),
    xWrite: Some(x_write),
    xTruncate: Some(x_truncate),
    xSync: Some(x_sync),
    xFileSize: Some(x_file_size),
    xLock: Some(x_lock),
    xUnlock: Some(x_unlock),
    xCheckReservedLock: Some(x_check_reserved_lock),
    xFileControl: Some(x_file_control),
    xSectorSize: Some(x_sector_size),
    xDeviceCharacteristics: Some(x_device_characteristics),
    xShmMap: Some(x_shm_map),
    xShmLock: Some(x_shm_lock),
    xShmBarrier: Some(x_shm_barrier),
    xShmUnmap: Some(x_shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// SQLite's number for a failure, given the one for an I/O error here.
fn code(failed: Failed, io: c_int) -> c_int {
    match failed {
        Failed::Io | Failed::Off => io,
        Failed::Full => ffi::SQLITE_FULL,
        Failed::Missing => ffi::SQLITE_CANTOPEN,
        Failed::Busy => ffi::SQLITE_BUSY,
    }
}

fn outcome(result: Result<(), Failed>, io: c_int) -> c_int {
    result.map_or_else(|failed| code(failed, io), |()| ffi::SQLITE_OK)
}

/// The handle of a file of ours.
///
/// # Safety
/// `file` was filled by `x_open`, was not closed, and no other reference to its handle is used meanwhile.
unsafe fn handle<'f>(file: *mut ffi::sqlite3_file) -> &'f mut Handle {
    // SAFETY: `x_open` wrote an `Opened` there with a handle that stays until `x_close`.
    unsafe { &mut *(*file.cast::<Opened>()).handle }
}

unsafe extern "C" fn x_open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's names end with a zero byte or are null.
    let Some((disk, name)) = (unsafe { found(name) }) else {
        let system = SYSTEM.0;
        // SAFETY: the system's VFS is called as SQLite would have, with a file that has room for its own kind.
        return unsafe {
            match (*system).xOpen {
                Some(open) => open(system, name, file, flags, out_flags),
                None => ffi::SQLITE_CANTOPEN,
            }
        };
    };
    let opened = disk.open(&name, flags & ffi::SQLITE_OPEN_CREATE != 0);
    let journal = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL;
    let (methods, handle, result) = match opened {
        Ok(mut handle) => {
            handle.only_read = flags & ffi::SQLITE_OPEN_READONLY != 0;
            (
                &raw const METHODS,
                Box::into_raw(Box::new(handle)),
                ffi::SQLITE_OK,
            )
        }
        Err(failed) => (
            std::ptr::null(),
            std::ptr::null_mut(),
            code(failed, ffi::SQLITE_IOERR),
        ),
    };
    let opened = Opened {
        methods,
        handle,
        with_name: flags & journal != 0,
    };
    // SAFETY: SQLite gives `szOsFile` bytes, aligned for any of its structures; that is enough for an `Opened`.
    unsafe { file.cast::<Opened>().write(opened) };
    if !out_flags.is_null() {
        // SAFETY: not null, so SQLite wants the flags there.
        unsafe { *out_flags = flags };
    }
    result
}

unsafe extern "C" fn x_delete(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_folder: c_int,
) -> c_int {
    // SAFETY: SQLite's names end with a zero byte.
    let Some((disk, on_disk)) = (unsafe { found(name) }) else {
        let system = SYSTEM.0;
        // SAFETY: the system's VFS is called as SQLite would have.
        return unsafe {
            match (*system).xDelete {
                Some(delete) => delete(system, name, sync_folder),
                None => ffi::SQLITE_IOERR_DELETE,
            }
        };
    };
    match disk.delete(&on_disk) {
        Ok(()) if sync_folder != 0 => outcome(disk.sync_folder(), ffi::SQLITE_IOERR_DIR_FSYNC),
        Err(Failed::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
        result => outcome(result, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn x_access(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    answer: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's names end with a zero byte.
    let Some((disk, on_disk)) = (unsafe { found(name) }) else {
        let system = SYSTEM.0;
        // SAFETY: the system's VFS is called as SQLite would have.
        return unsafe {
            match (*system).xAccess {
                Some(access) => access(system, name, flags, answer),
                None => ffi::SQLITE_IOERR_ACCESS,
            }
        };
    };
    match disk.exists(&on_disk) {
        Ok(there) => {
            // SAFETY: SQLite wants the answer there.
            unsafe { *answer = there.into() };
            ffi::SQLITE_OK
        }
        Err(failed) => code(failed, ffi::SQLITE_IOERR_ACCESS),
    }
}

unsafe extern "C" fn x_full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    length: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite's names end with a zero byte.
    if unsafe { found(name) }.is_none() {
        let system = SYSTEM.0;
        // SAFETY: the system's VFS is called as SQLite would have.
        return unsafe {
            match (*system).xFullPathname {
                Some(full) => full(system, name, length, out),
                None => ffi::SQLITE_CANTOPEN,
            }
        };
    }
    // Only absolute paths are mounted.
    // SAFETY: as above; not null, since it was found.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if name.len() > length as usize {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: SQLite gives `length` bytes, and the name is not longer; the two do not overlap.
    unsafe { std::ptr::copy_nonoverlapping(name.as_ptr().cast(), out, name.len()) };
    ffi::SQLITE_OK
}

/// Nobody waits for the clock in a simulation.
unsafe extern "C" fn x_sleep(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn x_close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes what `x_open` opened, once; the handle came from a box and nobody else has it.
    let handle = unsafe { Box::from_raw((*file.cast::<Opened>()).handle) };
    drop(handle);
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: an open file of ours; the buffer has `length` bytes, which may hold nothing yet.
    let (handle, into) = unsafe {
        let into = std::slice::from_raw_parts_mut(into.cast::<MaybeUninit<u8>>(), length as usize);
        (handle(file), into)
    };
    match handle.read_into(at as u64, into) {
        Ok(there) if there == into.len() => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(failed) => code(failed, ffi::SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn x_write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: an open file of ours; the buffer has `length` bytes.
    let (handle, bytes) = unsafe {
        let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), length as usize);
        (handle(file), bytes)
    };
    outcome(handle.write(at as u64, bytes), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn x_truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: an open file of ours.
    let handle = unsafe { handle(file) };
    outcome(handle.truncate(size as u64), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn x_sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let (handle, with_name) = unsafe { (handle(file), (*file.cast::<Opened>()).with_name) };
    outcome(handle.sync(with_name), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn x_file_size(
    file: *mut ffi::sqlite3_file,
    size: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: an open file of ours.
    match unsafe { handle(file) }.size() {
        Ok(found) => {
            // SAFETY: SQLite wants the size there.
            unsafe { *size = found as ffi::sqlite3_int64 };
            ffi::SQLITE_OK
        }
        Err(failed) => code(failed, ffi::SQLITE_IOERR_FSTAT),
    }
}

fn lock_of(number: c_int) -> Lock {
    match number {
        ffi::SQLITE_LOCK_NONE => Lock::None,
        ffi::SQLITE_LOCK_SHARED => Lock::Shared,
        ffi::SQLITE_LOCK_RESERVED => Lock::Reserved,
        ffi::SQLITE_LOCK_PENDING => Lock::Pending,
        _ => Lock::Exclusive,
    }
}

unsafe extern "C" fn x_lock(file: *mut ffi::sqlite3_file, lock: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let handle = unsafe { handle(file) };
    outcome(handle.lock(lock_of(lock)), ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn x_unlock(file: *mut ffi::sqlite3_file, lock: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let handle = unsafe { handle(file) };
    outcome(handle.unlock(lock_of(lock)), ffi::SQLITE_IOERR_UNLOCK)
}

unsafe extern "C" fn x_check_reserved_lock(
    file: *mut ffi::sqlite3_file,
    answer: *mut c_int,
) -> c_int {
    // SAFETY: an open file of ours.
    match unsafe { handle(file) }.is_reserved() {
        Ok(reserved) => {
            // SAFETY: SQLite wants the answer there.
            unsafe { *answer = reserved.into() };
            ffi::SQLITE_OK
        }
        Err(failed) => code(failed, ffi::SQLITE_IOERR_CHECKRESERVEDLOCK),
    }
}

unsafe extern "C" fn x_file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

/// As SQLite has it on Linux.
unsafe extern "C" fn x_sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// As SQLite has it on Linux: a write spoils nothing beside itself.
unsafe extern "C" fn x_device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn x_shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    if size as usize != REGION_BYTES {
        return ffi::SQLITE_IOERR_SHMMAP;
    }
    // SAFETY: an open file of ours.
    let handle = unsafe { handle(file) };
    let (address, result) = match handle.region(region as usize, extend != 0) {
        Ok(Some(address)) => (address.cast_mut().cast(), ffi::SQLITE_OK),
        Ok(None) => (std::ptr::null_mut(), ffi::SQLITE_OK),
        Err(failed) => (std::ptr::null_mut(), code(failed, ffi::SQLITE_IOERR_SHMMAP)),
    };
    // SAFETY: SQLite wants the address there. What it leads to is `REGION_BYTES` of atomics, which may be written
    // through any pointer, and which the handle keeps alive until it leaves the shared memory.
    unsafe { *out = address };
    result
}

unsafe extern "C" fn x_shm_lock(
    file: *mut ffi::sqlite3_file,
    from: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: an open file of ours.
    let handle = unsafe { handle(file) };
    let take = flags & ffi::SQLITE_SHM_LOCK != 0;
    let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
    let result = handle.shared_lock(from as usize, count as usize, take, exclusive);
    outcome(result, ffi::SQLITE_IOERR_SHMLOCK)
}

unsafe extern "C" fn x_shm_barrier(_: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn x_shm_unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file of ours.
    unsafe { handle(file) }.leave_shared();
    ffi::SQLITE_OK
}
