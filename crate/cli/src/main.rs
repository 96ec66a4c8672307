//! Turns the process's arguments into its exit code.

fn main() -> std::process::ExitCode {
    // Rust ignores the signal, and printing for `head` would then panic.
    sigpipe::reset();
    anchorite_cli::main()
}
