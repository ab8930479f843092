//! `cargo run -p atelier-plugin-build --example build -- FOLDER`: builds a project, as
//! `atelier plugin build` does, without the rest of the program.

use std::path::PathBuf;
use std::process::ExitCode;

use atelier_plugin_build::{BuildOptions, build};

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    match build(&folder.unwrap_or_default(), &BuildOptions::default()) {
        Ok(built) => {
            println!("{}: {} bytes", built.component.display(), built.bytes);
            for import in built.imports {
                println!("imports {import}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error} [{}]", error.code());
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}
