//! Fuzzes `homecoming_fuzz::share`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| homecoming_fuzz::share(data));
