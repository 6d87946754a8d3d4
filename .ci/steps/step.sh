# shellcheck shell=bash
# shellcheck disable=SC2034 # Used where this file is sourced.
# What the scripts in .ci share.

# Runs a step: prints its name, what it says, and how many seconds it took. A failure ends the script.
step() {
  local began=$SECONDS
  printf '\n== %s\n' "$1"
  "${@:2}"
  printf -- '-- %s s\n' "$((SECONDS - began))"
}

bare_metal=(thumbv6m-none-eabi thumbv7em-none-eabihf riscv32imc-unknown-none-elf)
# The oldest Rust that builds the library.
oldest_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
# The oldest Rust that builds the server.
server_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' examples/server/Cargo.toml)
# Every feature of the library but `defmt`, which does not link on a host, and `arbitrary`, which needs `std`.
features=$(awk '/^\[/ { on = $0 == "[features]" } on && /^[a-z].* = / { print $1 }' Cargo.toml | grep -vxE 'default|defmt|arbitrary')
all_features=${features//$'\n'/,}
# None; each alone, with what it needs; details on the wire; all.
mapfile -t feature_sets <<<$'\n'"$features"$'\ndetails,graph\n'"$all_features"
