//! Fuzzes `homecoming_fuzz::cosignature`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("cosignature"), |data: &[u8]| {
    homecoming_fuzz::cosignature(data);
});
