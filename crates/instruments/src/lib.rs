//! Questionnaires as data, scoring, and change rules with their citations. Pure.
