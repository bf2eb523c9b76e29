//! The index against a naive model, and against crashes and damage.

mod concurrent;
mod forgetting;
mod killed;
mod model;
mod opening;
mod property;
mod reading;
mod scratch;
mod searching;
