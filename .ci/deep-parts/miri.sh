# Miri runs tests in an interpreter that notices whatever Rust leaves undefined. The library refuses `unsafe`, but what it is
# built upon does not. An interpreter is a few hundred times slower, so that some tests are left out.

# Not under Miri, and why.
left_out="- \`allocation\`: replaces the allocator, and counts;
- \`crowds\`: thousands of users, hours of interpreting; \`directory\`, \`changes\` and \`histories\` run the same code;
- \`desk\`: starts processes; \`long_run\`: a month of ten thousand users;
- \`readme\`, \`size\`: read files, and sizes that Miri does not change;
- of \`durations\`: texts out of regular expressions, which take minutes to make; those that are written down run;
- of \`aggregation\`: all 3876 sets of up to four presences, in every order;
- of \`snapshot\`: every pair of wrong bits; of \`wire\`: every length of a buffer for a batch;
- of the unit tests: every day of ten thousand years, and every frame of the light."

# MIRI_TESTS="sessions time" asks for these only.
miri_tests=(lib aggregation batch changes details directory durations explain forgery held histories preferred presences
  properties rebase serde sessions snapshot texts time wire)
miri_skips=(--skip every_flipped_bit_and_every_two --skip every_day_there_and_back --skip indicator::tests
  --skip every_element_of_a_batch_has_room --skip a2_a3_the_strongest_session
  --skip h4_any_text --skip h4_what_looks_like --skip h4_iso_8601 --skip h4_timedelta)

miri() {
  local test targets=()
  rustup component add miri rust-src --toolchain nightly
  for test in ${MIRI_TESTS:-${miri_tests[@]}}; do
    if [ "$test" = lib ]; then targets+=(--lib); else targets+=("--test=$test"); fi
  done
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
