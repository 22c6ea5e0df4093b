BEGIN {
  for (i = 1; i < ARGC; i++) read_fragment(ARGV[i])
  while ((status = (getline line < ".config")) > 0)
    if (line ~ /^CONFIG_/) config[option_of(line)] = substr(line, index(line, "=") + 1)
  if (status < 0) fail("there is no .config")
  for (i = 1; i <= statements; i++)
    if (last[stated[i]] == i && got(stated[i]) != wanted[stated[i]]) {
      lost[stated[i]] = 1
      names = names " " stated[i]
      count++
    }
  if (count == 0) exit
  if (root != "") read_tree(root)
  for (i = 1; i <= statements; i++)
    if (last[stated[i]] == i && stated[i] in lost) explain(stated[i])
  fail("Kconfig did not take " count " of the options in the fragments:" names)
}

function got(option) {
  return option in config ? config[option] : "n"
}

function explain(option, i, count, words) {
  print place[option] ": CONFIG_" option "=" wanted[option] " is lost: it got " got(option)
  if (option in reasons) print substr(reasons[option], 2)
  if (!(option in reasons)) print "  no Kconfig file has an option of that name"
  else if (!is_asked[option]) print "  it has no prompt: other options set it"
  if (wanted[option] == "m" && got("MODULES") == "n") print "  m needs MODULES [=n]"
  if (option in selectors && (wanted[option] == "n" || !is_asked[option]))
    print "  selected by" selectors[option]
  if (!(option in choice_of)) return
  count = split(members[choice_of[option]], words, " ")
  for (i = 1; i <= count; i++)
    if (got(words[i]) == "y") print "  " choice_of[option] ": choice has " words[i] " [=y]"
}
