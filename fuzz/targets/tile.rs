//! Fuzzes `homecoming_fuzz::tile`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("tile"), |data: &[u8]| {
    homecoming_fuzz::tile(data);
});
