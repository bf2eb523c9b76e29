//! Directories that are not there, not ours, of another version, in use, or damaged: a clear sentence, and nothing changed.
