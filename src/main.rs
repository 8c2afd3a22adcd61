//! The command `abigate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    abigate::cli::main()
}
