//! Turns the process's arguments into its exit code.

fn main() -> std::process::ExitCode {
    anchorite_cli::main()
}
