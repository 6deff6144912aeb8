//! The command line program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(pinferry::exit::Exit::Done.code())
}
