//! Ferries the PINs of a public body from a legacy single-profile authorization database into the
//! multi-profile model: one person, one PIN, any number of profiles.
//!
//! Data flows one way: [`source`] → [`domain`] → [`store`]. Only [`engine`] sees all three; [`commands`]
//! are thin and [`ui`] owns the terminal. [`postgres`] lies under source and store.

pub mod commands;
pub mod config;
pub mod domain;
pub mod engine;
pub mod exit;
pub mod failpoint;
pub mod postgres;
pub mod sample;
pub mod source;
pub mod store;
pub mod ui;
