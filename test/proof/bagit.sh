#!/bin/sh
# Lets a program that is not ours check that a kit is a bag (BagIt 1.0, RFC 8493): bagit of the
# Library of Congress, which Python must be able to import. It reads both manifests. Then it must
# find a file with another byte, on a copy of the kit's lists that leads to the same files.
#
#   test/proof/bagit.sh KIT
set -eu
kit=$(cd "$1" && pwd)
export PYTHONDONTWRITEBYTECODE=1
if ! python3 -c 'import bagit' 2>/dev/null; then
  echo 'left out: Python has no module bagit'
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# validate FOLDER: says which digests were read.
validate() {
  python3 -c 'import bagit, sys
bag = bagit.Bag(sys.argv[1])
assert bag.version == "1.0", bag.version
assert sorted(bag.algorithms) == ["sha256", "sha512"], bag.algorithms
bag.validate()
print(len(bag.payload_entries()), "files of payload, by", ", ".join(sorted(bag.algorithms)))' "$1"
}

validate "$kit"

# Hard links, so that it takes no room; one file is another.
cp -al "$kit" "$work/kit" 2>/dev/null || cp -a "$kit" "$work/kit"
file=$(sed -n '1s/^[0-9a-f]*  //p' "$work/kit/manifest-sha256.txt")
tr '\000-\377' '\001-\377\000' <"$work/kit/$file" >"$work/other"
mv "$work/other" "$work/kit/$file"
if validate "$work/kit" 2>"$work/said"; then
  echo "bagit calls a kit valid that is not" >&2
  exit 1
fi
grep -F "$file" "$work/said" >/dev/null
echo "a changed $file is not valid"
