//! The server: FHIR, pages, sign-in, command line. The only HTTP and HTML.

pub mod assets;
pub mod chart;
pub mod web;
