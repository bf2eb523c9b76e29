//! Fuzzes `homecoming_fuzz::share`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("share"), |data: &[u8]| {
    homecoming_fuzz::share(data);
});
