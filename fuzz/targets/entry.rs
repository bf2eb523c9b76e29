//! Fuzzes `homecoming_fuzz::entry`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("entry"), |data: &[u8]| {
    homecoming_fuzz::entry(data);
});
