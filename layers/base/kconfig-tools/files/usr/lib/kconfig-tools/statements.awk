# Reads fragments. Options have no CONFIG_ in front here, and the value "n" stands for "not set".
#   stated[1..statements]            options in the order of the statements
#   wanted[OPTION], last[OPTION]     value of its last statement, and the index of that in `stated`
#   place[OPTION]                    FILE:LINE of its last statement

function read_fragment(file, shown, line, number, status) {
  shown = file
  if (index(file, ENVIRON["FILES"] "/") == 1)
    shown = "files" substr(file, length(ENVIRON["FILES"]) + 1)
  while ((status = (getline line < file)) > 0) {
    number++
    if (line ~ /^CONFIG_[A-Za-z0-9_]+=/)
      state(option_of(line), substr(line, index(line, "=") + 1), shown ":" number)
    else if (line ~ /^# CONFIG_[A-Za-z0-9_]+ is not set$/)
      state(option_of(line), "n", shown ":" number)
    # Kconfig would pass over it.
    else if (line !~ /^(#.*)?$/ || line ~ /^#[ \t]*CONFIG_[A-Za-z0-9_]+ is not set/)
      fail(shown ":" number ": write CONFIG_X=VALUE or # CONFIG_X is not set, not \"" line "\"")
  }
  if (status < 0) fail("cannot read " shown)
  close(file)
}

function state(option, value, at) {
  stated[++statements] = option
  last[option] = statements
  wanted[option] = value
  place[option] = at
}

function option_of(line) {
  match(line, /CONFIG_[A-Za-z0-9_]+/)
  return substr(line, RSTART + 7, RLENGTH - 7)
}

function fail(message) {
  print message | "cat >&2"
  close("cat >&2")
  exit 1
}
