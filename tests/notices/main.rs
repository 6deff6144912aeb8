//! Lists of the people to tell: what stands in them, where, and who learns nothing from them.

mod changes;
mod contents;
mod folder;
#[path = "../schemas/mod.rs"]
mod schemas;
#[allow(
    dead_code,
    reason = "shared by test programs that use different parts of it"
)]
#[path = "../postgres/server.rs"]
mod server;
mod town;
