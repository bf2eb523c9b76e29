//! Merkle tree, checkpoints, signed notes and proofs, as C2SP specifies them. No clock, no IO, no async.
