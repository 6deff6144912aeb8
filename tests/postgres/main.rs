//! One connection to PostgreSQL: what it promises to whoever reads, writes and locks over it.

#[allow(
    dead_code,
    reason = "shared by test programs that use different parts of it"
)]
mod server;
mod session;
