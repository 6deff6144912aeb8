//! Reading legacy databases and extracts, and locking them.
