//! Fuzzes `homecoming_fuzz::policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::policy(data));
