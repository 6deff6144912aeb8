//! PostgreSQL: what one connection promises to whoever reads, writes and locks over it, and the commands.

mod commands;
mod encryption;
#[allow(
    dead_code,
    reason = "shared by test programs that use different parts of it"
)]
mod server;
mod session;
mod target;
