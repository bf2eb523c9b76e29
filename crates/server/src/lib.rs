//! The server: FHIR, pages, sign-in, command line. The only HTTP and HTML.

pub mod assets;
pub mod backup;
pub mod case;
pub mod chance;
pub mod chart;
pub mod cli;
pub mod clock;
pub mod cosigning;
pub mod demo;
pub mod erasure;
pub mod error;
pub mod fhir;
mod handing_out;
pub mod import;
pub mod log;
pub mod metrics;
pub mod pages;
pub mod programme;
pub mod release;
pub mod router;
pub mod sign_in;
pub mod signature;
pub mod site;
pub mod transparency;
pub mod users;
pub mod web;
pub mod witnessing;
