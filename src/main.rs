//! The command line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    let exit = pinferry::commands::run(std::env::args_os());
    ExitCode::from(exit.code())
}
