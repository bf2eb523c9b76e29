//! Tests of the whole product: the built binary, its files, its pages.

mod answers;
mod attacks;
mod browser;
mod crash;
mod faults;
mod heads;
mod persons;
mod races;
mod scripts;
mod served;
mod tidy;
mod webdriver;
mod witnesses;
