//! Fuzzes `homecoming_fuzz::cosignature`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::cosignature(data));
