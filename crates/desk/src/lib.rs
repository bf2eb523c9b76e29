//! What is not the record: users, sign-in sessions, API clients and tokens.
