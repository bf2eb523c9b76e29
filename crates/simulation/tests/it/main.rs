//! The simulation, played: that nothing is found in the ledger, and that everything planted is.

mod seeds;
