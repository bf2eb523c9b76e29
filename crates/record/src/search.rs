//! Search parameters: what can be asked of a resource.
