//! The target: its tables, the run, and everything committed to it.
