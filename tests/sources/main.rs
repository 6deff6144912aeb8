//! Reading sources, and saying what is wrong with them.

mod csv;
mod csv_refused;
mod extract;
mod fingerprint;
mod sqlite;
