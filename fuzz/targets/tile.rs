//! Fuzzes `homecoming_fuzz::tile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::tile(data));
