//! Fuzzes `homecoming_fuzz::body`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("body"), |data: &[u8]| {
    homecoming_fuzz::body(data);
});
