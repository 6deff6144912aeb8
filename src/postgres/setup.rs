//! What every session is told first.

use std::time::Duration;

use super::Limits;

/// PostgreSQL 15, as the server counts.
pub(super) const OLDEST_VERSION: u32 = 150_000;

/// The same output whatever server, database and role are set to. Whoever reads past a row level policy unawares
/// would lose rows: with `row_security` off that is an error. Nothing is compiled by the server: where a plan is
/// chosen by making the others dear, every statement looks expensive, and compiling it takes longer than running it.
/// A client that is gone, killed or cut off, ends its session within about a minute and a half.
pub(super) fn statements(limits: &Limits) -> String {
    format!(
        "SET timezone = 'UTC';
         SET datestyle = 'ISO, MDY';
         SET intervalstyle = 'postgres';
         SET bytea_output = 'hex';
         SET extra_float_digits = 1;
         SET standard_conforming_strings = on;
         SET row_security = off;
         SET jit = off;
         SET client_min_messages = 'error';
         SET client_connection_check_interval = '10s';
         SET tcp_keepalives_idle = 30;
         SET tcp_keepalives_interval = 10;
         SET tcp_keepalives_count = 6;
         {}",
        self::limits(limits)
    )
}

/// The limits the server keeps itself.
pub(super) fn limits(limits: &Limits) -> String {
    format!(
        "SET statement_timeout = {};
         SET lock_timeout = {};
         SET idle_in_transaction_session_timeout = {};",
        milliseconds(limits.statement),
        milliseconds(limits.lock),
        milliseconds(limits.idle_in_transaction),
    )
}

/// No limit is a limit of 0 to the server, so a tiny one must not become that.
fn milliseconds(limit: Duration) -> u128 {
    match limit {
        Duration::ZERO => 0,
        limit => limit.as_millis().max(1),
    }
}
