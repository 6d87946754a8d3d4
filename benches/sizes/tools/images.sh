# Toolchain, emulator and images, for measure: what is needed, building, playing.

# --- what is needed ------------------------------------------------------------------------------------------------

packages=(qemu-system-arm qemu-system-misc llvm gcc libc6-dev python3)
install_packages() {
  dpkg -s "${packages[@]}" >/dev/null 2>&1 && return
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

has_rust() {
  local installed
  installed=$(rustup "+$rust" target list --installed 2>/dev/null) || return 1
  ! printf '%s\n' "${targets[@]}" | grep -qvxFf <(echo "$installed")
}

# The toolchain comes with rustup. Where it cannot download, Debian's Rust builds `core` itself.
install_rust() {
  if has_rust || rustup toolchain install "$rust" --profile minimal --no-self-update "${targets[@]/#/--target=}" >&2; then
    compiler=$(rustc "+$rust" --version | cut -d' ' -f2)
    build=(cargo "+$rust" build)
    document=(cargo "+$rust" rustdoc)
    return
  fi
  echo "rustup has no toolchain: falling back to Debian's Rust" >&2
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends rustc-web cargo-web rust-web-src lld >/dev/null
  compiler=debian
  document=(cargo rustdoc)
  build=(env RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/debian)
  local target
  for target in "${targets[@]^^}"; do
    build+=("CARGO_TARGET_${target//-/_}_LINKER=ld.lld")
  done
  build+=(/usr/bin/cargo build -Zbuild-std=core)
}

# --- building and playing ------------------------------------------------------------------------------------------

# Builds images of a target with some features, and puts them under target/images, with an end to their names that says which.
build_images() {
  local target=$1 suffix=$2 features=$3 directory=target image
  shift 3
  [[ ${build[*]} != *target/debian* ]] || directory=target/debian
  "${build[@]}" -q --release --locked "${@/#/--bin=}" --target "$target" --features "$features"
  for image; do cp "$directory/$target/release/$image" "target/images/$target/$image$suffix"; done
}

# All images of a target. What plays nothing links what is measured, and no more.
images() {
  mkdir -p "target/images/$1"
  build_images "$1" "" "" base "${machines[@]}" "${wires[@]}" "${beside[@]}"
  build_images "$1" -batch batch "${wires[@]}"
  build_images "$1" -whole batch,details "${wires[@]}" details
  build_images "$1" -scenario scenario "${machines[@]}" "${wires[@]}"
  build_images "$1" -every every "${machines[@]}" "${wires[@]}" "${beside[@]}"
  build_images "$1" -whole-every every,batch,details "${wires[@]}" details
  build_images "$1" "" everything everything
}

symbol() { llvm-nm "$1" | awk -v name="$2" '$3 == name { print "0x" $1 }'; }

# Plays an image; a line a probe and label: probe, label, the most instructions, the most stack, number of calls.
play() {
  local target=$1 image=target/images/$1/$2 emulator out=$PWD/target/images/$1/$2.calls
  case $target in
    thumbv6m-*) emulator=(qemu-system-arm -M microbit) ;;
    thumbv7m-*) emulator=(qemu-system-arm -M lm3s6965evb) ;;
    thumbv7em-*) emulator=(qemu-system-arm -M mps2-an386) ;;
    riscv32*) emulator=(qemu-system-riscv32 -M virt -bios none) ;;
  esac
  timeout 180 "${emulator[@]}" -display none -monitor none -serial none -semihosting-config enable=on,target=native \
    -plugin "$PWD/target/libmeasure.so,out=$out,lo=$(symbol "$image" __sheap),hi=$(symbol "$image" _stack_start)" \
    -kernel "$image" </dev/null || { echo "$image: it did not go as it should" >&2; return 1; }
  [ -s "$out" ] || { echo "$image: no calls were seen" >&2; return 1; }
  cat "$out"
}

