//! Writes the linker script of a board, and passes linker options.

use std::path::PathBuf;
use std::{env, fs, io};

/// The memories of boards whose support crates do not define them: board, flash, RAM.
const MEMORIES: [(&str, &str, &str); 3] = [
    ("LM3S6965EVB", "0x00000000, LENGTH = 256K", "0x20000000, LENGTH = 64K"),
    ("MPS2_AN386", "0x00000000, LENGTH = 4M", "0x20000000, LENGTH = 4M"),
    // One memory, divided into code and data so that their sizes can be measured.
    ("VIRT", "0x80000000, LENGTH = 1M", "0x80100000, LENGTH = 64K"),
];

/// The memory of the Pico: first its second boot loader, last its storage in four sectors of 4 KiB.
const PICO: &str = "
MEMORY
{
  BOOT2 : ORIGIN = 0x10000000, LENGTH = 0x100
  FLASH : ORIGIN = 0x10000100, LENGTH = 2048K - 0x100 - 16K
  RAM : ORIGIN = 0x20000000, LENGTH = 264K
}
";

/// The memory regions that RISC-V's runtime needs.
const ALIASES: &str = r#"
REGION_ALIAS("REGION_TEXT", FLASH);
REGION_ALIAS("REGION_RODATA", FLASH);
REGION_ALIAS("REGION_DATA", RAM);
REGION_ALIAS("REGION_BSS", RAM);
REGION_ALIAS("REGION_HEAP", RAM);
REGION_ALIAS("REGION_STACK", RAM);
"#;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PRESENCE_USER");
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    if !has("BARE") {
        return Ok(());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    for (board, flash, ram) in MEMORIES {
        if has(board) {
            let aliases = if board == "VIRT" { ALIASES } else { "" };
            let memory = format!("MEMORY\n{{\n  FLASH : ORIGIN = {flash}\n  RAM : ORIGIN = {ram}\n}}\n{aliases}");
            fs::write(out.join("memory.x"), memory)?;
            println!("cargo:rustc-link-search={}", out.display());
        }
    }
    if has("PICO") {
        fs::write(out.join("memory.x"), PICO)?;
        println!("cargo:rustc-link-search={}", out.display());
    }
    if has("VIRT") {
        println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    if has("PICO") {
        println!("cargo:rustc-link-arg-bins=-Tlink-rp.x");
    }
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    // Alignment to pages would only waste flash.
    println!("cargo:rustc-link-arg-bins=--nmagic");
    Ok(())
}
