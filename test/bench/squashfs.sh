#!/usr/bin/env bash
# What each compression of an image's root takes: unpacks the root, and packs and unpacks it again
# at several levels and block sizes, by the host's squashfs-tools on one processor. Prints a table's
# rows: compression, bytes, seconds of CPU time outside the kernel to write and to read (in the
# kernel it writes files, which takes longer than unpacking and as long for all).
#   test/bench/squashfs.sh IMAGE
set -euo pipefail

image=$(realpath "$1")
cd "$(dirname "$0")/../.."
offset=$(node --input-type=module -e "
  import { readDisk } from './dist/src/image/disk.js'
  const { partitions } = await readDisk(process.argv[1])
  console.log(partitions.find(({ name }) => name === 'root').start)" "$image")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Seconds of CPU time that a command takes outside the kernel.
cpu() {
  local TIMEFORMAT=%U
  { time "$@" > /dev/null 2>&1; } 2>&1
}

unsquashfs -quiet -no-progress -no-xattrs -offset "$offset" -dest root "$image" > /dev/null
while read -r name options; do
  # The options are several words.
  # shellcheck disable=SC2086
  write=$(cpu mksquashfs root packed -noappend -no-progress -quiet -processors 1 -mem 256M \
    -all-root -no-xattrs $options)
  read=$(cpu unsquashfs -quiet -no-progress -processors 1 -no-xattrs -dest again packed)
  echo "| $name | $(stat -c %s packed) | $write | $read |"
  rm -r again
done << 'rows'
zstd-3-256K -comp zstd -Xcompression-level 3 -b 256K
zstd-9-256K -comp zstd -Xcompression-level 9 -b 256K
zstd-12-128K -comp zstd -Xcompression-level 12 -b 128K
zstd-12-256K -comp zstd -Xcompression-level 12 -b 256K
zstd-12-1M -comp zstd -Xcompression-level 12 -b 1M
zstd-15-256K -comp zstd -Xcompression-level 15 -b 256K
zstd-19-256K -comp zstd -Xcompression-level 19 -b 256K
xz-256K -comp xz -b 256K
rows
