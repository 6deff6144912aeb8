//! The rules of the judge, from outside: records in, rows out. Each case stands beside what is expected.

mod findings;
mod grants;
mod identity;
mod links;
mod properties;
mod quarantine;
mod standing;
mod support;
mod survivor;
