//! The ledger from outside: what goes in comes out, whatever happens in between.

mod access;
mod access_audits;
mod appending;
mod audits;
mod damage;
mod failing;
mod flips;
mod forging;
mod keys;
mod model;
mod opening;
mod receipts;
mod vouching;
mod world;
