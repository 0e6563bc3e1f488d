//! Says on native Windows what to do instead.
//!
//! A `compile_error!` would stand above a page of errors about signals and process groups; what a build script
//! refuses is not compiled at all.

#![forbid(unsafe_code)]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // What is compiled for, as Cargo says it: `cfg!(unix)` would be what this script runs on.
    if std::env::var_os("CARGO_CFG_UNIX").is_none() {
        println!(
            "cargo::error=this runs on Linux and macOS, and on Windows in WSL2: call `wsl --install`, then install \
             Rust, clone the repository and call `cargo xtask` in the shell of that Linux"
        );
    }
}
