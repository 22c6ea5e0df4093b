#!/bin/sh
# Checks this kit with sh, sha256sum and the usual small programs. Needs nothing else, and writes
# only to a folder for temporary files.
#   sh verify.sh [FOLDER OF THE KIT]
# Prints a line for each fault. Status: 0 the kit is whole, 1 it has faults, 2 it cannot be checked.
# With the kit's ID from the label in KIT_ID, it also says whether this is that kit.
set -u
LC_ALL=C
export LC_ALL

cannot() {
  echo "$*" >&2
  exit 2
}

cd -- "${1:-$(dirname -- "$0")}" || cannot "cannot enter the folder of the kit"
tags=tagmanifest-sha256.txt
command -v sha256sum > /dev/null ||
  cannot 'sha256sum is missing: see "Without sha256sum" in README.txt'
test "$(printf abc | sha256sum | cut -c 1-64)" = \
  ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ||
  cannot "sha256sum here does not compute SHA-256"
for list in "$tags" manifest-sha256.txt; do
  test -f "$list" || cannot "MISSING     $list: what the kit should hold is not known"
done
work=$(mktemp -d) || cannot "cannot make a temporary folder"
trap 'rm -rf "$work"' EXIT
: > "$work/listed"
faults=0 files=0

fault() {
  faults=$((faults + 1))
  printf '%-11s %s\n' "$1" "$2"
}

# check LIST FOLDER: compares each file that LIST names, below FOLDER, with its digest.
check() {
  number=0
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    digest=${line%%  *} path=${line#*  }
    case $digest in
      *[!0-9a-f]*) digest= ;;
    esac
    case $path in
      '' | /* | . | .. | ./* | ../* | */. | */.. | */./* | */../* | *//* | */ | *\\*)
        fault UNSAFE "$1, line $number" && continue ;;
    esac
    if [ ${#digest} != 64 ] || [ "$digest  $path" != "$line" ]; then
      fault GARBLED "$1, line $number" && continue
    fi
    path=$2$path files=$((files + 1))
    echo "$path" >> "$work/listed"
    if [ -h "$path" ] || { [ -e "$path" ] && [ ! -f "$path" ]; }; then fault NOTAFILE "$path"
    elif [ ! -e "$path" ]; then fault MISSING "$path"
    elif ! found=$(sha256sum < "$path" 2> /dev/null); then fault UNREADABLE "$path"
    elif [ "${found%% *}" != "$digest" ]; then fault BAD "$path"
    fi
  done < "$1"
  [ "$number" -gt 0 ] || fault EMPTY "$1"
}

check "$tags" ''
check manifest-sha256.txt ''
if [ -f parity/SHA256SUMS ]; then check parity/SHA256SUMS parity/; else fault MISSING parity; fi

# What is there and in no list. No list names itself, its signatures, the log of
# checks, or what a repair moved aside.
sort "$work/listed" > "$work/sorted"
find . ! -type d | sed 's:^\./::' | sort > "$work/there"
comm -13 "$work/sorted" "$work/there" > "$work/more"
while IFS= read -r path; do
  case $path in
    "$tags" | "$tags".sig* | parity/SHA256SUMS | checks/* | damaged/*) ;;
    *) fault UNLISTED "$path" ;;
  esac
done < "$work/more"

id=$(sha256sum < "$tags")
id=${id%% *}
echo "ID of this kit: $id"
[ "${KIT_ID:-$id}" = "$id" ] || fault OTHERKIT "$KIT_ID is on the label"
echo "checked: $files files, faults: $faults"
[ "$faults" = 0 ] || echo 'What to do next: see "Repair" in README.txt'
[ "$faults" = 0 ]
