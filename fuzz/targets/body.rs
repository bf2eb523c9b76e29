//! Fuzzes `homecoming_fuzz::body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::body(data));
