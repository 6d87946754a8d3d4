# What the parts share: tests/deep-results.md, with a section for each part, written anew when that part has run; and the tests.

results=tests/deep-results.md

# The commit that the working tree is.
commit_now() {
  printf '%s' "$(git rev-parse --short=12 HEAD)"
  [ -z "$(git status --porcelain -- . ":!$results")" ] || printf ', with changes that are not committed'
}
began_with=$(commit_now)

# The commit that was tested.
tested_commit() {
  printf '%s' "$began_with"
  [ "$(commit_now)" = "$began_with" ] || printf ', and changed while it ran'
}

# The section of a part, from standard input. The sections of all others stay as they are. By one at a time, for parts may run
# beside each other.
record() (
  flock 9
  write_section "$@"
) 9>target/deep/lock

write_section() {
  local part=$1 title=$2
  {
    printf '<!-- %s -->\n## %s\n\n%s, commit %s\n\n' "$part" "$title" "$(date -u +%F)" "$(tested_commit)"
    cat
    printf '<!-- end of %s -->\n' "$part"
  } >target/deep/section
  [ -e "$results" ] || printf '# Last results of .ci/deep\n\nWritten by the script, section by section, each anew when its part has run.\n' >"$results"
  awk -v part="$part" '
    function section(line) { while ((getline line < "target/deep/section") > 0) print line; written = 1 }
    $0 == "<!-- " part " -->" { section(); skip = 1 }
    !skip
    $0 == "<!-- end of " part " -->" { skip = 0 }
    END { if (!written) { print ""; section() } }
  ' "$results" >target/deep/results
  mv target/deep/results "$results"
}

# What is recorded of a part.
recorded() { sed -n "/^<!-- $1 -->$/,/^<!-- end of $1 -->$/p" "$results"; }

# Rows of a table, in the order of the names that follow: one is new, and all others are what is recorded already.
rows_with() {
  local part=$1 new=$2 row=$3 name
  shift 3
  for name in "$@"; do
    if [ "$name" = "$new" ]; then printf '%s\n' "$row"; else recorded "$part" | grep "^| $name |" || true; fi
  done
}

# The section of a part that takes hours, with one row anew: PART_table prints it. So each row is written when it is there.
record_row() (
  flock 9
  "$1_table" "$3" "$4" >"target/deep/$1.md"
  write_section "$1" "$2" <"target/deep/$1.md"
) 9>target/deep/lock

fenced() {
  printf '```text\n'
  cat "$1"
  printf '```\n'
}

# All in tests/ but the example's, which start processes, and the month of ten thousand users, which takes too long unoptimised.
all_tests() {
  local file
  for file in tests/*.rs tests/*/main.rs; do
    file=${file#tests/} file=${file%/main.rs}
    case $file in desk | long_run) ;; *) printf -- '--test=%s ' "${file%.rs}" ;; esac
  done
}
