//! Tests of the whole product: the built binary, its files, its pages.

mod answers;
mod attacks;
mod backups;
mod browser;
mod crash;
mod disclosures;
mod erased_bytes;
mod erasing;
mod exports;
mod faults;
mod heads;
mod keys;
mod passkeys;
mod people;
mod persons;
mod provider;
mod races;
mod scripts;
mod served;
mod signing_in;
mod tidy;
mod unrecorded;
mod webdriver;
mod witnesses;
