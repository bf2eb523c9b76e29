//! Fuzzes `homecoming_fuzz::export`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("export"), |data: &[u8]| {
    homecoming_fuzz::export(data);
});
