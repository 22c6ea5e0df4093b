#!/bin/sh
# Lets a kit make itself again: an ordinary user restores it, with another umask, time zone and
# language, without a network, and makes a kit of its image from what was restored. Its ID must be
# the same as that of the first kit, whoever made that. For root.
#
#   test/proof/kit-again.sh KIT
set -eu
kit=$(cd "$1" && pwd)
user=54321
home=$(mktemp -d)
trap 'chmod -R u+w "$home" && rm -rf "$home"' EXIT
chown "$user:$user" "$home"

# shellcheck disable=SC2016 # the inner shell's
unshare --net setpriv --reuid "$user" --regid "$user" --clear-groups \
  env -i HOME="$home" PATH=/usr/bin:/bin TZ=Asia/Kolkata LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 \
  sh -euc '
    umask 077
    cd "$HOME"
    sh "$1/data/tools/fixpoint" archive restore "$1" --to "a place/restored"
    # Parity is in no list that the ID covers; this much takes a tenth of the time.
    "a place/restored/fixpoint" archive create --parity 1 again "$1/data/images/appliance.img"
    sh again/verify.sh
  ' sh "$kit"

for list in tagmanifest-sha256.txt manifest-sha256.txt manifest-sha512.txt; do
  cmp "$kit/$list" "$home/again/$list"
done
echo "the same ID: $(sha256sum <"$kit/tagmanifest-sha256.txt" | cut -c 1-64)"
