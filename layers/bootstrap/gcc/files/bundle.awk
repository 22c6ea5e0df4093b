# Bundles files of the compiler: most of the time of a small one goes into parsing headers. Run in
# gcc/ with Makefile.in twice: prints it with bundles in its list OBJS, and writes bundle-N.cc. Ends
# with an error when it finds nothing to bundle.

BEGIN {
  # Bytes of source in a bundle: about eight files.
  most = 400000
  # Each has a name that another file of its bundle has, too, or needs to include other headers
  # first.
  split("explow lra-remat lto-section-out profile read-rtl sched-rgn tree-diagnostic-path " \
    "tree-outof-ssa tree-ssa-dom tree-ssa-dse tree-ssa-loop-ivcanon tsan", names)
  for (i in names) alone[names[i] ".o"] = 1
  # What the files ask system.h to include.
  split("ALGORITHM ARRAY FUNCTIONAL LIST MALLOC_H MAP MEMORY SET STRING VECTOR", wanted)
}

# Files with flags or rules of their own.
NR == FNR {
  if (match($0, /^CFLAGS-[^ ]*\.o/)) alone[substr($0, 8, RLENGTH - 7)] = 1
  if (match($0, /^[^ :]*\.o(-warn|:)/)) {
    name = $0
    sub(/\.o.*/, ".o", name)
    alone[name] = 1
  }
  next
}

/^OBJS = / { inside = 1 }

inside && /\.o \\$/ && !($1 in alone) && add($1) { next }

inside && !/\\$/ {
  inside = 0
  for (i = 1; i <= count; i++) print "\tbundle-" i ".o \\"
}

{ print }

END {
  if (count == 0) {
    print "bundle.awk: Makefile.in: no list OBJS with files to bundle; has it another name now?" \
      | "cat >&2"
    exit 1
  }
}

# Adds the source of an object to a bundle. False when there is none yet, or when it is large.
function add(object,    source, text, line, next_line, size, name, undefined, tested) {
  source = object
  sub(/o$/, "cc", source)
  text = "#include \"" source "\"\n"
  split("", undefined)
  split("", tested)
  while ((getline line < source) > 0) {
    size += length(line) + 1
    while (line ~ /\\$/ && (getline next_line < source) > 0) {
      size += length(next_line) + 1
      line = substr(line, 1, length(line) - 1) next_line
    }
    if (match(line, /^[ \t]*#[ \t]*(define|undef)[ \t]+[A-Za-z_0-9]+/)) {
      name = substr(line, RSTART, RLENGTH)
      sub(/.*[ \t]/, "", name)
      undefined[name] = 1
      if (line ~ /^[ \t]*#[ \t]*define/) text = text "#undef " name "\n"
    }
    if (line ~ /^[ \t]*#[ \t]*(if|elif)/) note_words(line, tested)
  }
  close(source)
  if (size == 0 || size > most / 2) return 0
  if (count == 0 || total + size > most || tests_undefined(tested)) begin_bundle()
  for (name in undefined) gone[name] = 1
  total += size
  printf "%s", text > bundle
  return 1
}

# If a file of the bundle undefines a header's macro, a condition that tests it is silently false.
# What a header asks of a macro is not looked at: a file that defines one for a header belongs to
# those that are compiled alone.
function tests_undefined(tested,    name) {
  for (name in tested) if (name in gone) return 1
  return 0
}

function begin_bundle(    i) {
  if (count > 0) close(bundle)
  count++
  total = 0
  split("", gone)
  bundle = "bundle-" count ".cc"
  for (i = 1; i in wanted; i++) print "#define INCLUDE_" wanted[i] > bundle
}

function note_words(line, words,    list, i, n) {
  n = split(line, list, /[^A-Za-z_0-9]+/)
  for (i = 1; i <= n; i++) words[list[i]] = 1
}
