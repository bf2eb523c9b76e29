//! The ledger from outside: what goes in comes out, whatever happens in between.

mod appending;
mod world;
