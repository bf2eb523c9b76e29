//! FHIR JSON as the document: parsing, validation, search-parameter extraction, references, the two times. Pure.
