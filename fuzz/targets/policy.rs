//! Fuzzes `homecoming_fuzz::policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("policy"), |data: &[u8]| {
    homecoming_fuzz::policy(data);
});
