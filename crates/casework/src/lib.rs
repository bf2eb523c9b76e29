//! The programme's rules: contact clocks, attention, discrepancies. Pure: state in, findings out.
