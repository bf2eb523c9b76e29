//! Fuzzes `homecoming_fuzz::bundle`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: homecoming_fuzz::check_seeds("bundle"), |data: &[u8]| {
    homecoming_fuzz::bundle(data);
});
