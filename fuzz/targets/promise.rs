//! Fuzzes `homecoming_fuzz::promise`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::promise(data));
