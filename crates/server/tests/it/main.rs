//! Tests of the whole product: the built binary, its files, its pages.

mod answers;
mod attacks;
mod backups;
mod browser;
mod consenting;
mod crash;
mod disclosures;
mod erased_bytes;
mod erasing;
mod exports;
mod faults;
mod heads;
mod keys;
mod permits;
mod persons;
mod races;
mod routes;
mod scripts;
mod served;
mod tidy;
mod unrecorded;
mod webdriver;
mod witnesses;
