//! `atelier-componentize CORE.wasm OUT.wasm`: makes a plugin's component and prints what it
//! imports and exports. Exit status as everywhere in Atelier: 0 done, 1 failed, 2 wrong usage.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: atelier-componentize CORE.wasm OUT.wasm";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let [core, out] = arguments.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match atelier_componentize::convert_file(Path::new(core), Path::new(out)) {
        Ok(interfaces) => {
            for name in interfaces.imports {
                println!("imports {name}");
            }
            for name in interfaces.exports {
                println!("exports {name}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("atelier-componentize: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}
