//! Fuzzes `homecoming_fuzz::receipt`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("receipt"), |data: &[u8]| {
    homecoming_fuzz::receipt(data);
});
