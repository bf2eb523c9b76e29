//! Tests of the whole product: the built binary, its files, its pages.

mod answers;
mod backups;
mod browser;
mod crash;
mod faults;
mod persons;
mod races;
mod scripts;
mod served;
mod tidy;
mod webdriver;
