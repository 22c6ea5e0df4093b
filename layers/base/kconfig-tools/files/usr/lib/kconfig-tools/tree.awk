# Reads the Kconfig files and notes of each option in lost[]:
#   reasons[OPTION]         lines that say where it is defined, and which conditions do not hold
#   is_asked[OPTION]        it has a prompt: a person can set it
#   selectors[OPTION]       options that select it, with their values
#   choice_of[OPTION]       the choice that it belongs to; members[CHOICE] are the options of that

# `file` is relative to the folder of the sources.
function read_tree(file, line, more, number, first) {
  while ((getline line < file) > 0) {
    first = ++number
    while (line ~ /\\$/ && (getline more < file) > 0) {
      number++
      line = substr(line, 1, length(line) - 1) more
    }
    if (is_help(line)) continue
    sub(/^[ \t]+/, "", line)
    sub(/[ \t]+$/, "", line)
    if (line ~ /^[or]*source[ \t]/) {
      end_entry()
      read_tree(source_of(line, file))
    } else read_line(line, file ":" first)
  }
  end_entry()
  help = ""
  close(file)
}

# Text of help goes on while it is indented as its first line is.
function is_help(line, indent) {
  if (help == "") return 0
  if (line ~ /^[ \t]*$/) return 1
  indent = indent_of(line)
  if (help == "starts" && indent > 0) help = indent
  if (help != "starts" && indent >= help) return 1
  help = ""
  return 0
}

function indent_of(line, i, columns) {
  for (i = 1; substr(line, i, 1) ~ /[ \t]/; i++)
    columns = substr(line, i, 1) == "\t" ? columns - columns % 8 + 8 : columns + 1
  return columns + 0
}

function source_of(line, file, path, name) {
  path = rest_of(line)
  gsub(/"/, "", path)
  while (match(path, /\$\([A-Za-z0-9_]+\)/)) {
    name = substr(path, RSTART + 2, RLENGTH - 3)
    path = substr(path, 1, RSTART - 1) ENVIRON[name] substr(path, RSTART + RLENGTH)
  }
  if (line !~ /^o?rsource/) return path
  return match(file, /.*\//) ? substr(file, 1, RLENGTH) path : path
}

function read_line(line, where, word) {
  word = line
  sub(/[ \t"].*/, "", word)
  if (word ~ /^(config|menuconfig|choice|menu|comment|if|endif|endmenu|endchoice|mainmenu)$/) {
    end_entry()
    entry = word
    entry_at = where
    name = rest_of(line)
    if (word == "choice") open_group(where)
    else if (word == "menu") open_group(group)
    else if (word == "if") {
      open_group(group)
      add_condition("if", name, where)
    } else if (word ~ /^end/) close_group()
  } else if (word ~ /^-*help-*$/) help = "starts"
  else if (line ~ /^depends[ \t]+on[ \t]/) {
    sub(/^depends[ \t]+on[ \t]+/, "", line)
    add_condition("depends on", line, where)
  } else if (line ~ /^visible[ \t]+if[ \t]/) {
    sub(/^visible[ \t]+if[ \t]+/, "", line)
    add_condition("visible if", line, where)
  } else if (entry ~ /config$/) read_property(word, line, where)
}

function read_property(word, line, where, target) {
  if (word ~ /^(bool|tristate|string|int|hex|prompt)$/ && line ~ /["']/) {
    has_prompt = 1
    sub(/^[^"']*("([^"\\]|\\.)*"|'[^']*')[ \t]*/, "", line)
    if (sub(/^if[ \t]+/, "", line)) add_condition("asked if", line, where)
  } else if (word == "range") range = "\n  " where ": " line
  else if (word == "select") {
    target = rest_of(line)
    sub(/[ \t].*/, "", target)
    if (target in lost) selectors[target] = selectors[target] " " name " [=" text_of(name) "]"
  }
}

function rest_of(line) {
  return sub(/^[^ \t"]+[ \t]*/, "", line) ? line : ""
}

function open_group(choice) {
  opened[++groups] = conditions
  outer[groups] = group
  group = choice
}

function close_group() {
  conditions = opened[groups]
  group = outer[groups--]
}

# Conditions of a menu, choice or `if` hold for what is in it; those of an option for that.
function add_condition(kind, expression, where) {
  condition[++conditions] = expression
  condition_at[conditions] = where ": " kind
  if (entry ~ /config$/) own++
}

# What was read of an option is complete.
function end_entry(i, needed, amount) {
  if (entry ~ /config$/) {
    if (group != "") members[group] = members[group] " " name
    if (name in lost) {
      if (group != "") choice_of[name] = group
      if (has_prompt) is_asked[name] = 1
      needed = wanted[name] == "m" ? 1 : 2
      reasons[name] = reasons[name] "\n  " entry_at ": config " name
      for (i = 1; i <= conditions; i++) {
        amount = value_of(condition[i])
        if (amount < needed || is_unknown)
          reasons[name] = reasons[name] "\n  " condition_at[i] " " annotated(condition[i])
      }
      reasons[name] = reasons[name] range
    }
    conditions -= own
  } else if (entry == "comment") conditions -= own
  own = 0
  entry = range = has_prompt = ""
}
