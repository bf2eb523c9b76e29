//! The server: FHIR, pages, sign-in, command line. The only HTTP and HTML.

pub mod chance;
pub mod clock;
pub mod error;
pub mod fhir;
pub mod programme;
pub mod router;
