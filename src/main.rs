//! The command line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Here and not in the library, which another commit does not change.
    let commit = option_env!("PINFERRY_COMMIT");
    let exit = pinferry::commands::run(std::env::args_os(), commit);
    ExitCode::from(exit.code())
}
