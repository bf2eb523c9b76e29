//! The server: FHIR, pages, sign-in, command line. The only HTTP and HTML.

pub mod demo;
