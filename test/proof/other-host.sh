#!/usr/bin/env bash
# Builds `tiny` from an empty store on another host, under other conditions, and compares every key
# and artifact above layer bootstrap, and the image, with those of this host's `tiny`, which is
# built first. Takes about as long as a cold build; goes on from its own store when run again.
#
#   test/proof/other-host.sh debian SUITE    a debootstrapped Debian as the host's root: another C
#                                            library, gcc, shell, awk, tar …
#   test/proof/other-host.sh clang VERSION   this host, but with clang as the bootstrap's compiler
#
# Needs root, for the mounts of a private mount namespace; the build itself runs as an ordinary user
# without any right. Canaries are planted in the other host's headers, environment and home, found
# in what the bootstrap made (or this proves nothing), and searched for in everything above it.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
[ $# = 2 ] || { echo "usage: $0 debian SUITE | clang VERSION" >&2; exit 2; }
work=${FIXPOINT_PROOF:-/var/tmp/fixpoint-proof}/$1-$2
user=54321
store=${FIXPOINT_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/fixpoint}
canary=FIXPOINT-CANARY-7f3a91

main() {
  [ "$(id -u)" = 0 ] || { echo "$0 needs root" >&2; exit 6; }
  local program=debootstrap
  [ "$1" = debian ] || program=$1-$2
  command -v "$program" >/dev/null || { echo "$0 $1 needs $program" >&2; exit 6; }
  mkdir -p "$work"
  # What to compare with, now and not when the other build is done: recipes may have changed by
  # then.
  rm -rf "$work/wanted"
  "$here/node_modules/.bin/fixpoint" --layers "$here/layers/layers.yaml" \
    build tiny -o "$work/wanted" >/dev/null
  lay_out_checkout
  case $1 in
    debian) make_debian "$2" ;;
    clang) make_clang "$2" ;;
    *) echo "unknown kind of host: $1" >&2; exit 2 ;;
  esac
  build "$1"
  node "$here/dist/test/proof/compare.js" "$work/wanted/tiny.json" "$work/store/out/tiny.json" \
    "$store" "$work/store" "$canary"
  cmp "$work/wanted/tiny.img" "$work/store/out/tiny.img"
  sha256sum "$work/store/out/tiny.img"
}

# A checkout at another path, and the sources as a folder: the other host has no network.
lay_out_checkout() {
  rm -rf "$work/check out"
  mkdir -p "$work/check out" "$work/mirror" "$work/store" "$work/home $canary"
  git -C "$here" ls-files -z --cached --others --exclude-standard |
    (cd "$here" && xargs -0 cp -r --parents -t "$work/check out")
  cp -r "$here/dist" "$here/node_modules" "$work/check out"
  "$here/node_modules/.bin/fixpoint" --layers "$here/layers/layers.yaml" fetch tiny >/dev/null
  grep -rhoE 'sha256: [0-9a-f]{64}' "$here/layers" | cut -d' ' -f2 | sort -u |
    while read -r digest; do
    [ ! -e "$store/blobs/${digest:0:2}/$digest" ] ||
      cp -n --reflink=auto "$store/blobs/${digest:0:2}/$digest" "$work/mirror/$digest"
  done
  chown -R $user:$user "$work/store" "$work/check out" "$work/home $canary"
}

make_debian() {
  root=$work/root
  if [ ! -e "$work/root.made" ]; then
    rm -rf "$root"
    packages=$("$here/.ci/setup" --needs |
      awk -F'|' '$2 == "build" { print $4 }' | sort -u | paste -sd,)
    # shellcheck disable=SC2016 # for apt
    mirror=$(apt-get indextargets --format '$(SITE)' | grep debian | head -n 1)
    debootstrap --variant=minbase --include="nodejs,$packages" "$1" "$root" \
      "${mirror:?no Debian archive in the apt set-up}"
    touch "$work/root.made"
  fi
  plant "$root"
}

# The host's own root, with two folders of a private copy mounted over: its alternatives, where cc
# is, and its C headers.
make_clang() {
  root=/
  [ -x "/usr/bin/clang++-$1" ] || { echo "There is no /usr/bin/clang++-$1" >&2; exit 6; }
  rm -rf "$work/alternatives" "$work/stdio.h"
  cp -a /etc/alternatives "$work/alternatives"
  ln -sf "/usr/bin/clang-$1" "$work/alternatives/cc"
  ln -sf "/usr/bin/clang++-$1" "$work/alternatives/c++"
  cp /usr/include/stdio.h "$work/stdio.h"
  canary_code >> "$work/stdio.h"
}

# In stdio.h, which every program includes, some more than once: what the host's headers reach has
# the string in its data.
plant() {
  grep -q "$canary" "$1/usr/include/stdio.h" || canary_code >> "$1/usr/include/stdio.h"
}

canary_code() {
  printf '\n#ifndef FIXPOINT_CANARY\n#define FIXPOINT_CANARY\n'
  printf 'static const char fixpoint_canary[] __attribute__((used)) = "%s";\n#endif\n' "$canary"
}

build() {
  export root work here user canary
  # shellcheck disable=SC2016 # for the shell inside
  unshare --mount --pid --fork --propagation private bash -euc '
    if [ "$root" = / ]; then
      mount --bind "$work/alternatives" /etc/alternatives
      mount --bind "$work/stdio.h" /usr/include/stdio.h
      mount -t proc proc /proc
    else
      mount --bind "$root" "$root"
      mkdir -p "$root$work" "$root/old"
      mount --bind "$work" "$root$work"
      mount --rbind /dev "$root/dev"
      mount -t proc proc "$root/proc"
      cd "$root"
      pivot_root . old
      umount -l /old
    fi
    cd "$work/check out"
    umask 077
    exec env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$work/home $canary" \
      TZ=Asia/Kathmandu LANG=tr_TR.UTF-8 CANARY="$canary" \
      CFLAGS="-D$canary" CC="$canary" LD_PRELOAD="/$canary.so" MAKEFLAGS=-j9 \
      setpriv --reuid $user --regid $user --clear-groups \
      node dist/src/cli/main.js --layers layers/layers.yaml --store "$work/store" \
      build tiny --offline --mirror "$work/mirror" -o "$work/store/out"
  '
}

main "$@"
