# Miri runs tests in an interpreter that notices whatever Rust leaves undefined. The library refuses `unsafe`, but what it is
# built upon does not. An interpreter is a few hundred times slower, so that some tests are left out.

# Not under Miri, and why.
left_out="- \`allocation\`: replaces the allocator, and counts;
- \`crowds\`: thousands of users, hours of interpreting; \`directory\`, \`changes\` and \`histories\` run the same code;
- \`desk\`: starts processes; \`long_run\`: a month of ten thousand users;
- \`readme\`, \`size\`: read files, and sizes that Miri does not change;
- \`single\`: what there is without feature \`batch\`;
- of \`histories\`: crowds, hours of interpreting, too;
- of \`durations\`: texts out of regular expressions, which take minutes to make; those that are written down run;
- of \`aggregation\`: all 3876 sets of up to four presences, in every order, and more than two sessions heard in every order;
- of \`changes\`: histories of more than twelve steps;
- of \`snapshot\`: every pair of wrong bits; of \`wire\`: every length of a buffer for a batch;
- \`corpora\`, and the examples in the documentation: what they call, these tests call too;
- of the unit tests: every day of ten thousand years, every frame of the light, and how thousands of users spread in a directory."

# MIRI_TESTS="sessions time" asks for these only; the rows of all others stay as they are.
miri_tests=(lib aggregation arbitrary batch changes details directory durations explain forgery hashing held histories one_user preferred
  presences properties rebase serde sessions snapshot texts time wire)
miri_skips=(--skip every_flipped_bit_and_every_two --skip every_day_there_and_back --skip few_are_strays
  --skip every_element_of_a_batch_has_room --skip a2_a3_the_strongest_session
  --skip nothing_flashes --skip nothing_changes_before --skip patterns_change_at --skip a_light_that_sleeps --skip a_breath
  --skip a_crowd --skip h4_any_text --skip h4_what_looks_like --skip h4_iso_8601 --skip h4_timedelta)

# A row for the tests of one file; `lib` for those in src.
miri_row() {
  local name=$1 log=target/deep/miri/$1.txt target=--test=$1
  [ "$name" != lib ] || target=--lib
  PROPTEST_CASES=${MIRI_CASES:-4} CARGO_TARGET_DIR=target/deep/miri MIRIFLAGS=-Zmiri-disable-isolation \
    cargo +nightly miri test --features serde --no-fail-fast "$target" -- "${miri_skips[@]}" >"$log" 2>&1 ||
    { cat "$log" >&2; return 1; }
  awk -v name="$name" -v cases="${MIRI_CASES:-4}" -v commit="$(tested_commit)" '
    /^test result: ok/ { printf "| %s | %d | %d | %d | %s |\n", name, $4, $8 + $12, cases, commit; seen = 1 }
    END { exit !seen }' "$log"
}

miri_table() {
  printf '`%s`\n\n| tests of | passed | left out | cases of each property | commit |\n| --- | ---: | ---: | ---: | --- |\n' \
    "$(rustc +nightly --version)"
  rows_with miri "$1" "$2" "${miri_tests[@]}"
  printf '\nLeft out:\n%s\n' "$left_out"
}

miri() {
  local name row
  rustup component add miri rust-src --toolchain nightly
  mkdir -p target/deep/miri
  for name in ${MIRI_TESTS:-${miri_tests[@]}}; do
    row=$(miri_row "$name")
    printf '%s\n' "$row"
    record_row miri "Miri" "$name" "$row"
  done
}
