# shellcheck shell=sh
# What the programs that write an image share. They work in the folder $OBJ, so their arguments are
# absolute paths. A partition is two files there: PART.img, and PART.type with its GPT type.

# Partitions in the order of the disk, after the one for the BIOS. One without a file is left out.
# write-bios counts on `boot` as the second partition of the disk.
PARTITIONS='boot root mirror'

# core.img, for the BIOS: from sector 34 to sector 2047, after which the first partition starts.
CORE_START=34
CORE_SIZE=2014

# What each GRUB holds: it reads the boot partition, shows a menu on screen and serial line, and
# starts Linux.
# shellcheck disable=SC2034 # used by write-boot and write-bios
GRUB_MODULES='part_gpt fat normal linux serial terminal halt'

# No user's or system's mtools.conf.
export MTOOLSRC=/dev/null

# shellcheck disable=SC2034 # used by write-boot
LIB=$(cd "${0%/*}/../lib/image-tools" && pwd)
cd "$OBJ" || exit

# as_uuid < FILE: prints a UUID made of the first hexadecimal digits of the file's SHA-256
# (version 8 of RFC 9562: the maker chooses the contents).
as_uuid() {
  sha256sum |
    sed 's/^\(........\)\(....\).\(...\).\(...\)\(............\).*/\1-\2-8\3-8\4-\5/'
}

# Prints "PART START SIZE" for each partition after the one for the BIOS, in sectors of 512 bytes.
# Partitions start and end at a full MiB, 2048 sectors.
layout() {
  start=$((CORE_START + CORE_SIZE))
  for part in $PARTITIONS; do
    [ -e "$part.img" ] || continue
    # shellcheck disable=SC2017 # rounded up to a full MiB
    size=$((($(stat -c %s "$part.img") + 1048575) / 1048576 * 2048))
    echo "$part $start $size"
    start=$((start + size))
  done
}

# write_squashfs FOLDER FILE OPTION...: writes the folder's files as a squashfs of the same bytes
# on every machine.
write_squashfs() (
  folder=$1 file=$2
  shift 2
  # mksquashfs refuses its time options together with this variable, which leaves earlier times
  # as they are.
  epoch=$SOURCE_DATE_EPOCH
  unset SOURCE_DATE_EPOCH
  # One processor: several race for the order of blocks. 256M: the default depends on the machine.
  # Files are hard links into the store, so links say nothing about the image. The folder's own
  # mode is the engine's.
  mksquashfs "$folder" "$file" -noappend -no-progress -quiet -processors 1 -mem 256M "$@" \
    -all-root -root-mode 755 -no-xattrs -no-hardlinks -mkfs-time "$epoch" -all-time "$epoch"
)
