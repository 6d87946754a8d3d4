# Mutation testing: what cargo-mutants changes in src/ must make a test fail. First each module against the tests that tell
# most about it, then what these let through against all tests. What is left must be in tests/mutants.md, with the reason, and
# nothing else may be there.

mutants_version=27.1.0
# Those that take longest come first.
mutants_modules=(graph directory queues base user snapshot json wire_details details homes indicator arbitrary)

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
      files="src/directory/[!chdiq]*.rs src/directory/changes.rs src/directory/ha*.rs"
      tests="directory changes held batch rebase hashing size texts"
      ;;
    queues) files="src/directory/calendar.rs src/directory/deadlines.rs src/directory/queue.rs" tests="lib" ;;
    homes) files="src/directory/home.rs src/directory/index.rs" tests="lib" ;;
    graph) files="src/graph/*.rs" tests="wire one_user texts" ;;
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

# What git knows of the working tree, as it is now: changed there, so that nothing is changed here.
copy_tree() {
  rm -rf "$1"
  mkdir -p "$1"
  git ls-files -z | xargs -0 cp --parents -t "$1"
}

# Several tests as one: to link each of them is most of what a mutant costs.
join_tests() {
  local tree=$1 test file
  shift
  for test in "$@"; do
    file=$test.rs
    [ -e "$tree/tests/$file" ] || file=$test/main.rs
    printf '#[path = "%s"]\nmod %s;\n' "$file" "$test"
  done >"$tree/tests/asked_first.rs"
}

# The one that has an allocator of its own is not joined.
join_all_tests() { join_tests "$1" $(all_tests | tr ' ' '\n' | sed -n 's/^--test=//p' | grep -vx allocation); }

# For .ci/run: that tests can be joined at all, which those that say `crate::` cannot.
joined_tests_compile() {
  local tree=target/deep/joined
  copy_tree "$tree"
  join_all_tests "$tree"
  CARGO_TARGET_DIR=$PWD/target cargo check -q --manifest-path "$tree/Cargo.toml" --features serde --test asked_first
}

# One pass over a module: 2 says that mutants were missed, 3 that some ran out of time, which is caught as well.
pass() {
  local module=$1 lane=$2 out=$PWD/target/deep/mutants/$1 file arguments=() status=0
  shift 2
  set -f
  for file in $files; do arguments+=(--file "$file"); done
  set +f
  CARGO_TARGET_DIR=$lane/target cargo mutants --dir "$lane/tree" --in-place --output "$out" --iterate --no-shuffle \
    --colors never "${arguments[@]}" "${@/#/--cargo-arg=}" || status=$?
  case $status in 0 | 2 | 3) ;; *) return "$status" ;; esac
  for file in caught unviable timeout; do sed 's/:[0-9]*:[0-9]*:/:/' "$out/mutants.out/$file.txt" >>"$out/$file.txt"; done
  # What has no end is not tried again.
  cat "$out/mutants.out/timeout.txt" >>"$out/mutants.out/caught.txt"
  sed 's/:[0-9]*:[0-9]*:/:/' "$out/mutants.out/missed.txt" >"$out/missed.txt"
}

mutants_of() {
  local module=$1 lane=$2 target of=$PWD/target/deep/mutants/$1
  mkdir -p "$of"
  module "$module"
  case $tests in
    lib) target=--lib ;;
    *" "*) target=--test=asked_first && join_tests "$lane/tree" $tests ;;
    *) target=--test=$tests ;;
  esac
  pass "$module" "$lane" "$target"
  if [ -s "$of/missed.txt" ]; then
    join_all_tests "$lane/tree"
    pass "$module" "$lane" --lib --test=allocation --test=corpora --test=asked_first
  fi
  rm -f "$lane/tree/tests/asked_first.rs"
  compare "$module" "$lane/tree"
}

# Whatever survives is named in a tree's list, as often as it survives; and what is named there survives, or has no end.
compare() {
  local of=target/deep/mutants/$1
  explained "$1" "$2" >"$of/explained.txt"
  sort "$of/missed.txt" | comm -23 - "$of/explained.txt" >"$of/new.txt"
  sort "$of/missed.txt" "$of/timeout.txt" | comm -13 - "$of/explained.txt" >"$of/outdated.txt"
}

# What a tree's tests/mutants.md says of a module's files.
explained() {
  local file
  module "$1"
  for file in $files; do sed -n "s|^- \`\($file: [^\`]*\)\`.*|\1|p" "$2/tests/mutants.md"; done | sort
}

# A file that belongs to no module would not be tried, and nobody would see it. Two hold nothing that can be changed.
every_file_has_a_module() {
  local name files tests
  for name in "${mutants_modules[@]}"; do
    module "$name"
    printf '%s\n' $files | sort -u
  done | sort - <(printf 'src/lib.rs\nsrc/log.rs\n') | diff - <(find src -name '*.rs' | sort) ||
    { echo "these belong to no module of mutants.sh, or to two"; return 1; }
}

# The row of a module that was just tried.
row_of() {
  local kind listed new
  new=$(wc -l <"target/deep/mutants/$1/new.txt")
  listed=$(($(wc -l <"target/deep/mutants/$1/missed.txt") - new))
  printf '| %s |' "$1"
  for kind in caught timeout unviable; do printf ' %s |' "$(wc -l <"target/deep/mutants/$1/$kind.txt")"; done
  printf ' %s | %s | %s |\n' "$listed" "$new" "$began_with"
}

mutants_table() {
  local module
  printf '| module | caught | without end | do not compile | equivalent | missed | commit |\n'
  printf '| --- | ---: | ---: | ---: | ---: | ---: | --- |\n'
  rows_with mutants "$1" "$2" "${mutants_modules[@]}"
  printf '\nWithout end is what took longer than ten seconds, and five times as long as the unchanged code:\n\n'
  for module in "${mutants_modules[@]}"; do
    if [ "$module" != "$1" ]; then
      recorded mutants | grep "^- $module: " || true
    elif [ -s "target/deep/mutants/$module/timeout.txt" ]; then
      sort "target/deep/mutants/$module/timeout.txt" | uniq -c |
        sed -E 's/^ *1 (.*)/`\1`/; t; s/^ *([0-9]+) (.*)/`\2` \1 times/' | paste -sd ';' | sed "s/;/; /g; s/^/- $module: /"
    fi
  done
}

# One module after another, as long as there are any that no other lane has taken.
lane() {
  local lane=$PWD/target/deep/mutants/lane-$1 module
  copy_tree "$lane/tree"
  while true; do
    module=$(flock target/deep/mutants/lock sed -i -e '1{w /dev/stdout' -e 'd}' target/deep/mutants/left)
    [ -n "$module" ] || break
    mutants_of "$module" "$lane"
    record_row mutants "Mutation testing" "$module" "$(row_of "$module")"
  done
}

# As many lanes as there are processors: to build and run a mutant keeps one of them busy.
mutants() {
  local number tried=(${MUTANTS:-${mutants_modules[@]}}) outcome=0
  lanes=()
  every_file_has_a_module
  install_mutants
  mkdir -p target/deep/mutants
  rm -rf "${tried[@]/#/target/deep/mutants/}"
  printf '%s\n' "${tried[@]}" >target/deep/mutants/left
  # Each a group of processes of its own, so that all of it can be ended.
  trap 'for lane in "${lanes[@]}"; do kill -- "-$lane" 2>/dev/null || true; done' EXIT
  set -m
  for number in $(seq "$(nproc)"); do
    lane "$number" >"target/deep/mutants/lane-$number.log" 2>&1 &
    lanes+=($!)
  done
  set +m
  for number in "${!lanes[@]}"; do
    wait "${lanes[$number]}" || { outcome=1; cat "target/deep/mutants/lane-$((number + 1)).log"; }
  done
  trap - EXIT
  recorded mutants
  (cd target/deep/mutants && cat "${tried[@]/%//new.txt}") | sed 's/^/missed: /' | { ! grep .; } || outcome=1
  (cd target/deep/mutants && cat "${tried[@]/%//outdated.txt}") | sed 's/^/in tests\/mutants.md, and caught: /' | { ! grep .; } || outcome=1
  return "$outcome"
}
