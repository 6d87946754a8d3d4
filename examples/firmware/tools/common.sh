# Functions of `build`, `run` and `test`, which source this file with the package as their working directory.

# Images are expected in the package's own target directory.
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR

target_of() {
  case $1 in
    microbit | pico) echo thumbv6m-none-eabi ;;
    lm3s6965evb) echo thumbv7m-none-eabi ;;
    mps2-an386) echo thumbv7em-none-eabihf ;;
    virt) echo riscv32imc-unknown-none-elf ;;
    *) echo "no such board: $1 (microbit, lm3s6965evb, mps2-an386, virt, pico)" >&2; return 2 ;;
  esac
}

image_of() { echo "target/$(target_of "$1")/release/$1"; }

# Installs Debian packages that are missing.
need() { ../../.ci/need "$@"; }

need_emulators() { need qemu-system-arm qemu-system-misc python3 gcc libc6-dev util-linux; }

# Installs targets with rustup. If it cannot download, Debian's Rust builds `core` itself and links with LLVM's linker.
need_targets() {
  cross=(cargo build)
  lint=(cargo clippy)
  if rustup target add "$@" >&2; then return; fi
  echo "rustup has no targets: falling back to Debian's Rust" >&2
  need rustc-web cargo-web rust-web-clippy rust-web-src lld
  local target debian=(env CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1)
  for target in "$@"; do
    target=${target//-/_}
    debian+=("CARGO_TARGET_${target^^}_LINKER=ld.lld")
  done
  cross=("${debian[@]}" /usr/bin/cargo build -Zbuild-std=core)
  lint=("${debian[@]}" /usr/bin/cargo-clippy clippy -Zbuild-std=core)
}

# Builds a board's image. Call need_targets before.
build_image() { "${cross[@]}" --locked --release --features "$1" --target "$(target_of "$1")" --bin "$1" "${@:2}"; }

# Builds the emulator's plugin. A running emulator keeps the one that it has.
build_plugin() {
  mkdir -p target
  local api
  api=$(qemu-system-arm --version | awk 'NR == 1 { print ($4 + 0 < 9) ? 1 : 2 }')
  gcc -O2 -Wall -Wextra -Werror -fPIC -shared -DAPI="$api" -o "target/halt.so.$$" tools/halt.c
  mv "target/halt.so.$$" target/halt.so
}
