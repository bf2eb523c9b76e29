//! Fuzzes `homecoming_fuzz::export`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::export(data));
