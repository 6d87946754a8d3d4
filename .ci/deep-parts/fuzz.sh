# Fuzzing: each target looks for so many seconds, and goes on from what it learned before (fuzz/run). What counts is how much
# of the code it reached.

fuzz_targets=(history user details wire duration snapshot cut)

fuzz_table() {
  printf '| target | seconds | executions | edges | features | commit |\n| --- | ---: | ---: | ---: | ---: | --- |\n'
  rows_with fuzz "$1" "$2" "${fuzz_targets[@]}"
}

# FUZZ_TARGETS="wire cut" asks for these only; the rows of all others stay as they are, as does that of one that found something.
fuzz() {
  local seconds=${FUZZ_SECONDS:-3600} target executions pace edges features outcome
  fuzz/run "$seconds" ${FUZZ_TARGETS:-${fuzz_targets[@]}} | tee /dev/stderr |
    while read -r target executions pace edges features outcome; do
      [[ " ${fuzz_targets[*]} " == *" $target "* && -z $outcome ]] || continue
      record_row fuzz "Fuzzing" "$target" "| $target | $seconds | $executions | $edges | $features | $tested_commit |"
    done
}
