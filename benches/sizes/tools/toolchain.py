"""The packages and the Rust compiler that measuring needs, and the commands to build with them."""

import os
import shutil
import subprocess

from .commands import Failure, output_of, run, succeeds

# Another compiler makes other code, so the record keeps the sizes of each apart. The pages show this one's first.
RUST = "1.95.0"
DEBIAN = "debian"
COMPILERS = (RUST, DEBIAN)

CORTEX_M0 = "thumbv6m-none-eabi"
# By target: its name in tables.
TARGETS = {
    CORTEX_M0: "Cortex-M0",
    "thumbv7m-none-eabi": "Cortex-M3",
    "thumbv7em-none-eabihf": "Cortex-M4F",
    "riscv32imc-unknown-none-elf": "RV32IMC",
}

LLVM = ("llvm",)
ALL_PACKAGES = LLVM + ("qemu-system-arm", "qemu-system-misc", "gcc", "libc6-dev")
DEBIAN_RUST = ("rustc-web", "cargo-web", "rust-web-src", "lld")


def install_packages(packages):
    """Installs the Debian packages that are missing."""
    run("../../.ci/need", *packages)


class Compiler:
    """A Rust compiler: its name in the record, and its commands."""

    def __init__(self, name):
        self.name = name
        self.env = {**os.environ, "CARGO_TARGET_DIR": self.directory()}
        if name == DEBIAN:
            self.env.update(RUSTC="/usr/bin/rustc", RUSTC_BOOTSTRAP="1")
            for target in TARGETS:
                self.env[f"CARGO_TARGET_{target.upper().replace('-', '_')}_LINKER"] = "ld.lld"

    def directory(self):
        """Returns the directory that cargo builds in."""
        return os.path.abspath("target/debian" if self.name == DEBIAN else "target")

    def version(self):
        """Returns what the compiler says that it is."""
        rustc = ["/usr/bin/rustc"] if self.name == DEBIAN else ["rustc", f"+{self.name}"]
        return output_of(*rustc, "--version").strip()

    def build(self, target, images, features):
        """Builds images, and returns the directory that holds them."""
        # The image of planted faults allocates.
        cargo = ["/usr/bin/cargo", "build", "-Zbuild-std=core,alloc"] if self.name == DEBIAN else ["cargo", f"+{self.name}", "build"]
        chosen = [f"--bin={image}" for image in images]
        run(*cargo, "-q", "--release", "--locked", *chosen, "--target", target, "--features", features, env=self.env)
        return os.path.join(self.directory(), target, "release")

    def document(self, manifest, features):
        """Writes the library's documentation as JSON, and returns its path."""
        cargo = ["cargo"] if self.name == DEBIAN else ["cargo", f"+{self.name}"]
        env = {**os.environ, "CARGO_TARGET_DIR": os.path.abspath("target/doc"), "RUSTC_BOOTSTRAP": "1"}
        options = ["--lib", "--no-default-features", "--features", features]
        unstable = ["-Zunstable-options", "--output-format", "json"]
        run(*cargo, "rustdoc", "-q", "--manifest-path", manifest, *options, "--", *unstable, env=env)
        return "target/doc/doc/presence_core.json"


def has_rust():
    """Reports whether rustup has the toolchain with every target."""
    if not shutil.which("rustup"):
        return False
    listed = subprocess.run(["rustup", f"+{RUST}", "target", "list", "--installed"], capture_output=True, text=True)
    return listed.returncode == 0 and set(TARGETS) <= set(listed.stdout.split())


def install_rust(wanted):
    """Returns the wanted compiler; if none is wanted, rustup's, or Debian's where rustup cannot download."""
    targets = [f"--target={target}" for target in TARGETS]
    if wanted != DEBIAN:
        install = ["rustup", "toolchain", "install", RUST, "--profile", "minimal", "--no-self-update", *targets]
        if has_rust() or succeeds(*install):
            compiler = Compiler(RUST)
            if compiler.version().split()[1] != RUST:
                raise Failure(f"rustup's toolchain {RUST} says that it is {compiler.version()}")
            return compiler
        if wanted:
            raise Failure(f"rustup cannot install {RUST}")
        print("rustup has no toolchain: falling back to Debian's Rust", flush=True)
    # Debian's Rust brings no `core` for these targets, so cargo builds it.
    install_packages(DEBIAN_RUST)
    return Compiler(DEBIAN)
