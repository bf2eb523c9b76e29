//! Tests of the whole product: the built binary, its files, its pages.

mod crash;
mod faults;
mod races;
mod scripts;
mod served;
mod tidy;
