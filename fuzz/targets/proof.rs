//! Fuzzes `homecoming_fuzz::proof`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::proof(data));
