// SPDX-License-Identifier: MIT

//! Where libkvmirqx is: in the directory `KVMIRQX_LIB_DIR`, or else where pkg-config says, or else
//! where the linker looks. With `KVMIRQX_STATIC` it becomes part of the program.

use std::env;
use std::path::Path;
use std::process::Command;

/// Directories by pkg-config; none if there is no pkg-config or it does not know the library.
fn by_pkg_config() -> Vec<String> {
    let output = Command::new("pkg-config")
        .args(["--libs-only-L", "kvmirqx"])
        .output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split_whitespace()
            .filter_map(|flag| flag.strip_prefix("-L").map(String::from))
            .collect(),
        _ => Vec::new(),
    }
}

fn main() {
    println!("cargo:rerun-if-env-changed=KVMIRQX_LIB_DIR");
    println!("cargo:rerun-if-env-changed=KVMIRQX_STATIC");
    println!("cargo:rerun-if-changed=build.rs");
    let dirs = match env::var("KVMIRQX_LIB_DIR") {
        Ok(dir) => vec![dir],
        Err(_) => by_pkg_config(),
    };
    for dir in dirs {
        println!("cargo:rustc-link-search=native={}", dir);
        println!(
            "cargo:rerun-if-changed={}",
            Path::new(&dir).join("libkvmirqx.a").display()
        );
    }
    let kind = match env::var_os("KVMIRQX_STATIC") {
        Some(_) => "static",
        None => "dylib",
    };
    println!("cargo:rustc-link-lib={}=kvmirqx", kind);
}
