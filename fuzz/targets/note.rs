//! Fuzzes `homecoming_fuzz::note`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("note"), |data: &[u8]| {
    homecoming_fuzz::note(data);
});
