//! Invented data: what is generated, and what the repository holds.

mod committed;
mod generated;
mod judged;
