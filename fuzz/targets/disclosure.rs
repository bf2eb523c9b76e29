//! Fuzzes `homecoming_fuzz::disclosure`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("disclosure"), |data: &[u8]| {
    homecoming_fuzz::disclosure(data);
});
