//! The crate from outside, on the samples in `tests/data`.

mod samples;
