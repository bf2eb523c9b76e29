//! The append-only record: append, read back, sequence, audit.
