//! Compiles bpf/killsnoop.bpf.c and generates its skeleton into `OUT_DIR`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // a build script ends by saying why

use std::env;
use std::path::{Path, PathBuf};

use libbpf_cargo::SkeletonBuilder;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("killsnoop.skel.rs");
    let arch = match env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets the architecture").as_str() {
        "x86_64" => "x86",
        "aarch64" => "arm64",
        other => panic!(
            "killsnoop has no register file for {other}: bpf/include/signal/syscall.h knows x86_64 and aarch64"
        ),
    };
    println!("cargo:rerun-if-changed=bpf");
    assert!(
        Path::new("bpf/killsnoop.bpf.c").exists(),
        "bpf/killsnoop.bpf.c is missing: build from a whole checkout"
    );
    // names of source files are in the object; wherever the checkout is, the object is the same
    let checkout = env::var("CARGO_MANIFEST_DIR").expect("cargo sets the directory");
    SkeletonBuilder::new()
        .source("bpf/killsnoop.bpf.c")
        .clang_args([
            "-Ibpf/include",
            "-mcpu=v3",
            "-Wall",
            "-Wextra",
            "-Werror",
            &format!("-D__TARGET_ARCH_{arch}"),
            &format!("-ffile-prefix-map={checkout}=."),
        ])
        .build_and_generate(&out)
        .unwrap_or_else(|error| panic!("bpf/ does not compile (is clang >= 14 installed?):\n{error:?}"));
}
