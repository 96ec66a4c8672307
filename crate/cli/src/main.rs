//! Turns the process's arguments into its exit code.

fn main() -> std::process::ExitCode {
    // Rust ignores SIGPIPE, so printing to `head` would panic.
    sigpipe::reset();
    anchorite_cli::main()
}
