//! Fuzzes `homecoming_fuzz::promise`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("promise"), |data: &[u8]| {
    homecoming_fuzz::promise(data);
});
