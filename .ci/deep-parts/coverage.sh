# Coverage: which lines of src/ no test reaches. Each of them must be explained in tests/coverage.md.

llvm_tool() { printf '%s/lib/rustlib/%s/bin/%s' "$(rustc --print sysroot)" "$(rustc -vV | sed -n 's/^host: //p')" "$1"; }

# The tests of each feature set that has code of its own; `desk` would build its example once more for what others reach.
instrumented_tests() {
  cargo test -q --no-default-features --features graph --lib $(all_tests) "$@"
  cargo test -q --no-default-features --features batch,details,indicator,serde --lib --test=corpora $(all_tests) "$@"
}

coverage() {
  local directory=$PWD/target/deep/coverage objects object
  rustup component add llvm-tools
  rm -rf "$directory/profiles"
  mkdir -p "$directory/profiles"
  (
    export RUSTFLAGS="-Cinstrument-coverage" CARGO_TARGET_DIR=$directory CARGO_PROFILE_TEST_DEBUG=0
    LLVM_PROFILE_FILE=$directory/profiles/%m.profraw instrumented_tests
    LLVM_PROFILE_FILE=/dev/null instrumented_tests --no-run --message-format=json |
      sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | sort -u >"$directory/objects"
  )
  "$(llvm_tool llvm-profdata)" merge -sparse "$directory"/profiles/*.profraw -o "$directory/all.profdata"
  objects=()
  while read -r object; do objects+=(-object "$object"); done <"$directory/objects"
  "$(llvm_tool llvm-cov)" export -format=lcov -instr-profile "$directory/all.profdata" "${objects[@]}" \
    -ignore-filename-regex='(/\.cargo/|/rustc/|/tests/|/examples/|/fuzz/|tests\.rs$)' >"$directory/lcov"
  awk -v root="$PWD/" -v lines="$directory/uncovered" '
    BEGIN { print "| file | lines | reached | % |"; print "| --- | ---: | ---: | ---: |"; printf "" >lines }
    sub(/^SF:/, "") { file = $0; sub(root, "", file); total = reached = 0 }
    sub(/^DA:/, "") { split($0, line, ","); total++; if (line[2] > 0) reached++; else print file ":" line[1] >lines }
    /^end_of_record/ && file ~ /^src/ { printf "| %s | %d | %d | %.1f |\n", file, total, reached, 100 * reached / total
      all += total; all_reached += reached }
    END { printf "| all | %d | %d | %.2f |\n", all, all_reached, 100 * all_reached / all }
  ' "$directory/lcov" >target/deep/coverage.md
  # A closing brace says nothing without the line before it, and nothing new behind one that is not reached either.
  awk -F: '
    function text(file, number, line, last) {
      while (number-- > 0 && (getline line <file) > 0) last = line
      close(file); sub(/^ */, "", last); return last
    }
    {
      here = text($1, $2); is_brace = here ~ /^}/; is_behind = $1 == file && $2 == number + 1
      if (!is_brace || !is_behind) printf "- `%s`: `%s%s`\n", $1, is_brace ? text($1, $2 - 1) " " : "", here
      file = $1; number = $2
    }
  ' "$directory/uncovered" >"$directory/not-reached"
  {
    cat target/deep/coverage.md
    printf '\nNot reached; [coverage.md](coverage.md) says why:\n\n'
    cat "$directory/not-reached"
  } | record coverage "Coverage"
  recorded coverage
  # Whatever is not reached is named in the list, as often as it is, and nothing else is.
  if diff <(sort "$directory/not-reached") <(grep '^- `src/' tests/coverage.md | sort); then return; fi
  echo "<: not reached, and not explained in tests/coverage.md; >: explained there, and reached"
  return 1
}
