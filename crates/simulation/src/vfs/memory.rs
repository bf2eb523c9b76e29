//! SQLite's memory: what was given back is kept by its thread for the next block of that size.
//!
//! A server that starts has SQLite parse its tables again for each connection, and most of what that takes is asking
//! the system for small blocks and giving them back. A thread plays one seed after the other, so it asks for the same
//! blocks again and again.
//!
//! A block is a head of [`HEAD_BYTES`] that holds the number of its size, and behind it the bytes that SQLite gets.
//! While it is kept, these begin with the address of the next one kept.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;

use rusqlite::ffi;

/// What SQLite gets behind it is aligned as the block is.
const HEAD_BYTES: usize = 16;

/// The smallest size, and the largest that is kept, in bytes.
const SMALLEST: usize = 64;
const LARGEST_KEPT: usize = 1 << 20;

/// How many sizes there are: four to each power of two.
const SIZES: usize = 4 * usize::BITS as usize;

thread_local! {
    static KEPT: Kept = const { Kept([const { Cell::new(ptr::null_mut()) }; SIZES]) };
}

/// By the number of the size, the first block that is kept.
struct Kept([Cell<*mut u8>; SIZES]);

impl Drop for Kept {
    fn drop(&mut self) {
        for (number, first) in self.0.iter().enumerate() {
            while let Some(block) = take(first) {
                // SAFETY: it is kept here alone, and was allocated with this size.
                unsafe { dealloc(block, layout(size_of_number(number))) };
            }
        }
    }
}

/// The number of the smallest size that so many bytes fit into.
fn number_of(bytes: usize) -> usize {
    let last = bytes.max(SMALLEST) - 1;
    let power = last.ilog2();
    let quarter = last >> (power - 2) & 3;
    power as usize * 4 + quarter
}

fn size_of_number(number: usize) -> usize {
    (5 + number % 4) << (number / 4 - 2)
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(HEAD_BYTES + size, HEAD_BYTES).expect("SQLite asks for less than 2 GB")
}

/// Takes the first block off a list.
fn take(first: &Cell<*mut u8>) -> Option<*mut u8> {
    let block = first.get();
    if block.is_null() {
        return None;
    }
    // SAFETY: a block that is kept begins, behind its head, with the address of the next.
    first.set(unsafe { block.add(HEAD_BYTES).cast::<*mut u8>().read() });
    Some(block)
}

/// The block that SQLite knows by this address, and the number of its size.
///
/// # Safety
/// `given` came from [`x_malloc`] and was not given back.
unsafe fn block_of(given: *mut c_void) -> (*mut u8, usize) {
    // SAFETY: what was given lies behind a head, which holds the number.
    unsafe {
        let block = given.cast::<u8>().sub(HEAD_BYTES);
        (block, block.cast::<usize>().read())
    }
}

unsafe extern "C" fn x_malloc(bytes: c_int) -> *mut c_void {
    let number = number_of(bytes as usize);
    let kept = KEPT.try_with(|kept| take(&kept.0[number])).ok().flatten();
    let block = kept.unwrap_or_else(|| {
        // SAFETY: the layout is not empty.
        unsafe { alloc(layout(size_of_number(number))) }
    });
    if block.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the block has room for its head, and is aligned for a number.
    unsafe {
        block.cast::<usize>().write(number);
        block.add(HEAD_BYTES).cast()
    }
}

unsafe extern "C" fn x_free(given: *mut c_void) {
    // SAFETY: SQLite gives back what it was given, once.
    let (block, number) = unsafe { block_of(given) };
    let size = size_of_number(number);
    let keep = |kept: &Kept| {
        let first = &kept.0[number];
        // SAFETY: nobody else has the block now, and an address fits behind its head.
        unsafe { given.cast::<*mut u8>().write(first.get()) };
        first.set(block);
    };
    if size > LARGEST_KEPT || KEPT.try_with(keep).is_err() {
        // SAFETY: it was allocated with this size, and is not kept.
        unsafe { dealloc(block, layout(size)) };
    }
}

unsafe extern "C" fn x_realloc(given: *mut c_void, bytes: c_int) -> *mut c_void {
    // SAFETY: SQLite still has it.
    let (_, number) = unsafe { block_of(given) };
    if number == number_of(bytes as usize) {
        return given;
    }
    // SAFETY: both have so many bytes and do not overlap; the old one is given back once.
    unsafe {
        let new = x_malloc(bytes);
        if !new.is_null() {
            let both = size_of_number(number).min(bytes as usize);
            ptr::copy_nonoverlapping(given.cast::<u8>(), new.cast::<u8>(), both);
            x_free(given);
        }
        new
    }
}

unsafe extern "C" fn x_size(given: *mut c_void) -> c_int {
    // SAFETY: SQLite still has it.
    let (_, number) = unsafe { block_of(given) };
    c_int::try_from(size_of_number(number)).unwrap_or(c_int::MAX)
}

unsafe extern "C" fn x_roundup(bytes: c_int) -> c_int {
    c_int::try_from(size_of_number(number_of(bytes as usize))).unwrap_or(bytes)
}

unsafe extern "C" fn x_init(_: *mut c_void) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_shutdown(_: *mut c_void) {}

/// Has SQLite take its memory from here, if it was not used before; otherwise it goes on with the system's.
pub(super) fn set() {
    let methods = ffi::sqlite3_mem_methods {
        xMalloc: Some(x_malloc),
        xFree: Some(x_free),
        xRealloc: Some(x_realloc),
        xSize: Some(x_size),
        xRoundup: Some(x_roundup),
        xInit: Some(x_init),
        xShutdown: Some(x_shutdown),
        pAppData: ptr::null_mut(),
    };
    // SAFETY: the option takes one pointer to the methods, which SQLite copies; it refuses once it was used.
    unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw const methods) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_holds_what_it_is_for_and_little_more() {
        for bytes in (1..10_000).chain([(1 << 20) - 1, 1 << 20, (1 << 20) + 1, c_int::MAX as usize])
        {
            let size = size_of_number(number_of(bytes));
            assert!(
                size >= bytes && number_of(size) == number_of(bytes),
                "{bytes}: {size}"
            );
            assert!(
                bytes < SMALLEST || size - bytes <= bytes / 4,
                "{bytes}: {size}"
            );
        }
    }

    #[test]
    fn blocks_are_apart_keep_their_bytes_and_come_again() {
        // SAFETY: what is given back was given, once, and nothing is used afterwards.
        unsafe {
            let blocks: Vec<_> = [1, 64, 65, 100, 8_192, 3 << 20]
                .map(|bytes| {
                    let block = x_malloc(bytes).cast::<u8>();
                    block.write_bytes(bytes as u8, bytes as usize);
                    (block, bytes)
                })
                .into();
            for (block, bytes) in &blocks {
                let (now, more) = (*bytes as usize, bytes * 3);
                let grown = x_realloc(block.cast(), more).cast::<u8>();
                let held = std::slice::from_raw_parts(grown, now);
                assert!(held.iter().all(|byte| *byte == *bytes as u8), "{bytes}");
                assert!(x_size(grown.cast()) >= more && grown.addr() % 16 == 0);
                x_free(grown.cast());
            }
            let block = x_malloc(700);
            x_free(block);
            assert_eq!(x_malloc(700), block);
            x_free(block);
        }
    }
}
