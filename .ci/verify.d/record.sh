# shellcheck shell=bash
# What the parts share: docs/verification.md, with a section for each part, replaced when that part has run.

results=docs/verification.md
mkdir -p target/verify

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

# Replaces the section of a part with standard input. One process at a time, for parts may run beside each other.
# record PART TITLE
record() (
  flock 9
  write_section "$@"
) 9>target/verify/lock

write_section() {
  local part=$1 title=$2
  {
    printf '<!-- %s -->\n## %s\n\n%s, commit %s\n\n' "$part" "$title" "$(date -u +%F)" "$(tested_commit)"
    cat
    printf '<!-- end of %s -->\n' "$part"
  } >target/verify/section
  awk -v part="$part" '
    function section(line) { while ((getline line < "target/verify/section") > 0) print line; written = 1 }
    $0 == "<!-- " part " -->" { section(); skip = 1 }
    !skip
    $0 == "<!-- end of " part " -->" { skip = 0 }
    END { if (!written) { print ""; section() } }
  ' "$results" >target/verify/results
  mv target/verify/results "$results"
}

# Prints the name of the function that a mutant changes; `-` outside of any.
mutated_function() {
  local mutant=${1#*: } name=-
  case $mutant in
    *' in '*) name=${mutant##* in } ;;
    'replace '*[a-z_0-9]' -> '*) name=${mutant#replace } name=${name%% -> *} ;;
    'replace '*[a-z_0-9]' with '*) name=${mutant#replace } name=${name%% with *} ;;
  esac
  printf '%s\n' "${name##*::}"
}

# Prints what is recorded of a part.
recorded() { sed -n "/^<!-- $1 -->$/,/^<!-- end of $1 -->$/p" "$results"; }

# Prints the rows of a table, in the order of the names that follow: one is new, all others are those recorded already.
# rows_with PART NAME ROW NAMES...
rows_with() {
  local part=$1 new=$2 row=$3 name
  shift 3
  for name in "$@"; do
    if [ "$name" = "$new" ]; then printf '%s\n' "$row"; else recorded "$part" | grep "^| $name |" || true; fi
  done
}

# Replaces one row of a part that takes hours, so that each is written when it is there: `table NAME ROW` prints the section.
# record_row PART TITLE NAME ROW
record_row() (
  flock 9
  table "$3" "$4" >"target/verify/$1.md"
  write_section "$1" "$2" <"target/verify/$1.md"
) 9>target/verify/lock

# The lines of a hand-written list that begin with this pattern, without what is said of them.
# listed FILE PATTERN
listed() { sed -nE "s#^- \`($2[^\`]*)\`.*#\1#p" ".ci/verify.d/$1.md"; }
