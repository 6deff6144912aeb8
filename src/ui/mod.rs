//! The terminal: progress, tables, errors.
