//! Fuzzes `homecoming_fuzz::entry`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::entry(data));
