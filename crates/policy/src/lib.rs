//! Who may do what with whose record, and for which purpose.
