//! Tests of the whole product: the built binary, its files, its pages.

mod crash;
mod served;
mod tidy;
