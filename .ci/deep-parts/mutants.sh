# Mutation testing: what cargo-mutants changes in src/ must make a test fail. First each module against the tests that tell
# most about it, then what these let through against all tests. What is left must be in tests/mutants.md, with the reason.

mutants_version=27.1.0
mutants_modules=(user base details snapshot directory queues homes graph json wire_details indicator arbitrary)

install_mutants() {
  [ "$(cargo mutants --version 2>/dev/null)" = "cargo-mutants $mutants_version" ] ||
    cargo install -q --locked --debug cargo-mutants --version "$mutants_version"
}

# What belongs to a module, and the tests that are asked first.
module() {
  case $1 in
    user) files="src/user/*.rs" tests="sessions preferred aggregation explain forgery rebase snapshot serde held texts" ;;
    base) files="src/presence/*.rs src/policy.rs src/id.rs src/time/*.rs" tests="time durations presences sessions preferred texts" ;;
    details) files="src/details/*.rs" tests="details texts" ;;
    snapshot) files="src/snapshot/*.rs" tests="snapshot details texts" ;;
    directory)
      files="src/directory/mod.rs src/directory/[!chdiq]*.rs src/directory/changes.rs src/directory/ha*.rs"
      tests="directory changes held batch rebase hashing size texts"
      ;;
    queues) files="src/directory/calendar.rs src/directory/deadlines.rs src/directory/queue.rs" tests="lib" ;;
    homes) files="src/directory/home.rs src/directory/index.rs" tests="lib" ;;
    graph) files="src/graph/*.rs" tests="wire texts" ;;
    json) files="src/graph/json/*.rs" tests="wire texts" ;;
    wire_details) files="src/graph/details/*.rs" tests="wire" ;;
    indicator) files="src/indicator/*.rs" tests="lib" ;;
    arbitrary) files="src/arbitrary.rs" tests="arbitrary" ;;
    *) echo "no such module: $1"; return 1 ;;
  esac
}

# What fails need not be made small first, which takes longer than to find it; and what only one case in a hundred finds
# deserves a test of its own.
export PROPTEST_MAX_SHRINK_ITERS=0 PROPTEST_CASES=32

# One pass over a module: 2 says that mutants were missed, 3 that some ran out of time, which is caught as well.
pass() {
  local module=$1 out=target/deep/mutants/$1 file arguments=() status=0
  shift
  set -f
  for file in $files; do arguments+=(--file "$file"); done
  set +f
  CARGO_TARGET_DIR=$PWD/target/deep/mutants/target \
    cargo mutants --output "$out" --iterate --no-shuffle "${arguments[@]}" "${@/#/--cargo-arg=}" || status=$?
  case $status in 0 | 2 | 3) ;; *) return "$status" ;; esac
  for file in caught unviable timeout; do sed 's/:[0-9]*:[0-9]*:/:/' "$out/mutants.out/$file.txt" >>"$out/$file.txt"; done
  # What has no end is not tried again.
  cat "$out/mutants.out/timeout.txt" >>"$out/mutants.out/caught.txt"
  sed 's/:[0-9]*:[0-9]*:/:/' "$out/mutants.out/missed.txt" >"$out/missed.txt"
}

# Several tests as one: to link each of them is most of what a mutant costs.
join_tests() {
  local test file
  for test in "$@"; do
    file=$test.rs
    [ -e "tests/$file" ] || file=$test/main.rs
    printf '#[path = "%s"]\nmod %s;\n' "$file" "$test"
  done >tests/asked_first.rs
}

mutants_of() {
  local module=$1 target
  rm -rf "target/deep/mutants/$module"
  mkdir -p "target/deep/mutants/$module"
  module "$module"
  case $tests in
    lib) target=--lib ;;
    *" "*) target=--test=asked_first && join_tests $tests ;;
    *) target=--test=$tests ;;
  esac
  pass "$module" "$target"
  rm -f tests/asked_first.rs
  [ -n "$(unexplained "$module")" ] || return 0
  # The one that has an allocator of its own is not joined.
  join_tests $(all_tests | tr ' ' '\n' | sed -n 's/^--test=//p' | grep -vx allocation)
  pass "$module" --lib --test=allocation --test=asked_first
  rm -f tests/asked_first.rs
}

# Whatever survives is named in the list, as often as it survives.
unexplained() {
  sort "target/deep/mutants/$1/missed.txt" | comm -23 - <(sed -n 's/^- `\(src[^`]*\)`.*/\1/p' tests/mutants.md | sort)
}

# The row of a module that was just tried.
row_of() {
  local kind listed new
  new=$(wc -l <"target/deep/mutants/$1/new.txt")
  listed=$(($(wc -l <"target/deep/mutants/$1/missed.txt") - new))
  printf '| %s |' "$1"
  for kind in caught timeout unviable; do printf ' %s |' "$(wc -l <"target/deep/mutants/$1/$kind.txt")"; done
  printf ' %s | %s | %s |\n' "$listed" "$new" "$tested_commit"
}

# The rows of modules that were not tried now stay as they are.
mutants() {
  local module new="" tried=${MUTANTS:-${mutants_modules[*]}} table=target/deep/mutants.md
  install_mutants
  trap 'rm -f tests/asked_first.rs' EXIT
  for module in $tried; do
    mutants_of "$module"
    unexplained "$module" | tee "target/deep/mutants/$module/new.txt"
    new+=$(cat "target/deep/mutants/$module/new.txt")
  done
  {
    printf '| module | caught | without end | do not compile | equivalent | missed | commit |\n'
    printf '| --- | ---: | ---: | ---: | ---: | ---: | --- |\n'
    for module in "${mutants_modules[@]}"; do
      if [[ " $tried " == *" $module "* ]]; then row_of "$module"; else recorded mutants | grep "^| $module |" || true; fi
    done
  } >"$table"
  record mutants "Mutation testing" <"$table"
  [ -z "$new" ] || { printf 'missed:\n%s\n' "$new"; return 1; }
}
