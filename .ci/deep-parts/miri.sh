# Miri runs tests in an interpreter that notices whatever Rust leaves undefined. The library refuses `unsafe`, but what it is
# built upon does not. An interpreter is a few hundred times slower, so that some tests are left out.

# Not under Miri, and why.
left_out="
- \`allocation\`: replaces the allocator, and counts;
- \`crowds\`: thousands of users, hours of interpreting; \`directory\`, \`changes\` and \`histories\` run the same code;
- \`desk\`: starts processes;
- \`readme\`, \`size\`: read files, and sizes that Miri does not change;
- of \`snapshot\`: every pair of wrong bits;
- of the unit tests: every day of ten thousand years, and every frame of the light."

miri_tests=(aggregation batch changes details directory durations explain forgery histories preferred presences properties
  rebase serde sessions snapshot time wire)
miri_skips=(--skip every_flipped_bit_and_every_two --skip every_day_there_and_back --skip indicator::tests
  --skip every_element_of_a_batch_has_room)

miri() {
  local test targets=(--lib)
  rustup component add miri rust-src --toolchain nightly
  for test in "${miri_tests[@]}"; do targets+=("--test=$test"); done
  PROPTEST_CASES=${MIRI_CASES:-4} CARGO_TARGET_DIR=target/deep/miri MIRIFLAGS=-Zmiri-disable-isolation \
    cargo +nightly miri test --features serde --no-fail-fast "${targets[@]}" -- "${miri_skips[@]}" 2>&1 | tee target/deep/miri.txt
  {
    rustc +nightly --version | sed 's/.*/`&`, /'
    printf '%s cases of each property.\n\n| tests of | passed | left out |\n| --- | ---: | ---: |\n' "${MIRI_CASES:-4}"
    awk '/^ *Running/ { name = $2 == "unittests" ? "src" : $2; sub(/^tests\//, "", name); sub(/(\/main)?\.rs$/, "", name) }
      /^test result: ok/ { printf "| %s | %d | %d |\n", name, $4, $12 }' target/deep/miri.txt
    printf '\nLeft out:\n%s\n' "$left_out"
  } | record miri "Miri"
}
