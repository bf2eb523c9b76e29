//! Fuzzes `homecoming_fuzz::disclosure`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::disclosure(data));
