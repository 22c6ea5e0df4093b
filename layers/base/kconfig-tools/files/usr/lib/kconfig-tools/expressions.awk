# Expressions of Kconfig files, after config[OPTION], the values of .config. n, m and y are 0, 1
# and 2. What a macro stands for is not known: is_unknown then is 1, and the macro counts as y.
# https://docs.kernel.org/kbuild/kconfig-language.html

# What the expression amounts to.
function value_of(expression, result) {
  scan(expression)
  is_unknown = 0
  at = 1
  result = either()
  return result
}

# The expression with the value of each option, as menuconfig writes them: NET [=y] && PCI [=n].
function annotated(expression, i, text, separator) {
  scan(expression)
  for (i = 1; i <= tokens; i++) {
    separator = i == 1 || token[i] == ")" || token[i - 1] ~ /^[(!]$/ ? "" : " "
    text = text separator token[i]
    if (token[i] ~ /^[A-Z][A-Za-z0-9_]*$/) text = text " [=" text_of(token[i]) "]"
  }
  return text
}

# Fills token[1..tokens].
function scan(rest) {
  tokens = 0
  while (1) {
    sub(/^[ \t]+/, "", rest)
    if (rest == "" || rest ~ /^#/) return
    if (rest ~ /^\$\(/) RLENGTH = macro_length(rest)
    else if (!match(rest, /^(&&|\|\||!=|<=|>=|"[^"]*"|'[^']*'|[A-Za-z0-9_.\/-]+)/)) RLENGTH = 1
    token[++tokens] = substr(rest, 1, RLENGTH)
    rest = substr(rest, RLENGTH + 1)
  }
}

# Length of the macro at the beginning: up to the bracket that belongs to its first one.
function macro_length(text, i, depth, c) {
  for (i = 2; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (c == "(") depth++
    else if (c == ")" && --depth == 0) return i
  }
  return length(text)
}

function either(result, other) {
  result = both()
  while (at <= tokens && token[at] == "||") {
    at++
    other = both()
    if (other > result) result = other
  }
  return result
}

function both(result, other) {
  result = single()
  while (at <= tokens && token[at] == "&&") {
    at++
    other = single()
    if (other < result) result = other
  }
  return result
}

function single(result, left, operator) {
  if (token[at] == "!") {
    at++
    return 2 - single()
  }
  if (token[at] == "(") {
    at++
    result = either()
    at++
    return result
  }
  left = token[at++]
  if (at <= tokens && token[at] ~ /^(=|!=|<|>|<=|>=)$/) {
    operator = token[at++]
    return compare(text_of(left), operator, text_of(token[at++])) ? 2 : 0
  }
  if (left ~ /^\$/) {
    is_unknown = 1
    return 2
  }
  left = text_of(left)
  return left == "y" ? 2 : left == "m" ? 1 : 0
}

function compare(left, operator, right) {
  if (operator == "=") return left "" == right ""
  if (operator == "!=") return left "" != right ""
  if (operator == "<") return left + 0 < right + 0
  if (operator == ">") return left + 0 > right + 0
  if (operator == "<=") return left + 0 <= right + 0
  return left + 0 >= right + 0
}

# Value of an option, or the constant itself.
function text_of(word) {
  if (word ~ /^["']/) return substr(word, 2, length(word) - 2)
  if (word !~ /^[A-Z]/) return word
  return word in config ? config[word] : "n"
}
