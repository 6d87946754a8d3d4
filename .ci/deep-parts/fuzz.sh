# Fuzzing: each target looks for so many seconds, and goes on from what it learned before (fuzz/run). What counts is how much
# of the code it reached.

fuzz_targets=(history user details wire duration snapshot cut)

fuzz_table() {
  printf '| target | seconds | executions | edges | features | commit |\n| --- | ---: | ---: | ---: | ---: | --- |\n'
  rows_with fuzz "$1" "$2" "${fuzz_targets[@]}"
}

# FUZZ_TARGETS="wire cut" asks for these only; the rows of all others stay as they are.
fuzz() {
  local seconds=${FUZZ_SECONDS:-3600} target executions pace edges features outcome
  fuzz/run "$seconds" ${FUZZ_TARGETS:-${fuzz_targets[@]}} | tee >(cat >&2) |
    while read -r target executions pace edges features outcome; do
      [[ " ${fuzz_targets[*]} " == *" $target "* && $executions$pace$edges$features =~ ^[0-9]+$ ]] || continue
      [ -z "$outcome" ] || features+=", and found something"
      record_row fuzz "Fuzzing" "$target" "| $target | $seconds | $executions | $edges | $features | $(tested_commit) |"
    done
}
