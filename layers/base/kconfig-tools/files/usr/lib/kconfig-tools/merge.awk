BEGIN {
  for (i = 1; i < ARGC; i++) read_fragment(ARGV[i])
  for (i = 1; i <= statements; i++) {
    option = stated[i]
    if (last[option] != i) continue
    if (wanted[option] == "n") print "# CONFIG_" option " is not set"
    else print "CONFIG_" option "=" wanted[option]
  }
}
