# Prints statements that lead from the configuration in the file `got` to that in the file `menu`.
# The arguments are the fragments that `got` was made of. Options that no person can set are left
# out.
BEGIN {
  for (i = 1; i < ARGC; i++) read_fragment(ARGV[i])
  count = statements
  for (i = 1; i <= count; i++) base[i] = stated[i]
  for (option in wanted) in_base[option] = wanted[option]
  forget()
  read_fragment(got)
  for (option in wanted) config[option] = wanted[option]
  forget()
  read_fragment(menu)
  for (i = 1; i <= statements; i++)
    if (wanted[stated[i]] != value_in_config(stated[i])) lost[stated[i]] = 1
  if (root != "") read_tree(root)
  for (i = 1; i <= statements; i++)
    if (stated[i] in lost && (stated[i] in is_asked || !(stated[i] in reasons)))
      print_statement(stated[i], wanted[stated[i]])
  # Options that went with what they depend on: those fragments would ask for them in vain.
  for (i = 1; i <= count; i++) {
    option = base[i]
    if (in_base[option] == "n" || option in wanted || value_in_config(option) == "n") continue
    print_statement(option, "n")
    in_base[option] = "n"
  }
}

function forget() {
  split("", wanted)
  split("", stated)
  split("", last)
  statements = 0
}

function value_in_config(option) {
  return option in config ? config[option] : "n"
}

function print_statement(option, value) {
  if (value == "n") print "# CONFIG_" option " is not set"
  else print "CONFIG_" option "=" value
}
