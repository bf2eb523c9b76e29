//! Fuzzes `homecoming_fuzz::note`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::note(data));
