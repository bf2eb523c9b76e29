//! The as-of index and search execution; holds nothing that cannot be rebuilt.
