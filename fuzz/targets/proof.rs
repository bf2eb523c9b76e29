//! Fuzzes `homecoming_fuzz::proof`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("proof"), |data: &[u8]| {
    homecoming_fuzz::proof(data);
});
