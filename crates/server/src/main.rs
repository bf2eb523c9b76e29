//! The `homecoming` command.
fn main() {}
