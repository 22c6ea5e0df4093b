#!/bin/sh
# parts.sh FOLDER: builds kernel.img, $PARTS and $MODULES, and installs them in FOLDER together with
# the list of what each module depends on. make would build every module, and read each twice.
# PARTS, MODULES and what is made of them are lists of words:
# shellcheck disable=SC2086
set -eu
cd grub-core
mods=$(printf ' %s.mod' $MODULES)
# make expands it:
# shellcheck disable=SC2016
printf 'include Makefile\ngenerated: $(BUILT_SOURCES)\n' > generated.mk
make -f generated.mk generated
# The markers say what commands and drivers a module has, for lists that only grub-install reads.
make MODULE_FILES="$(printf ' %s.module' $MODULES)" MOD_FILES="$mods" MARKER_FILES= \
  kernel.img moddep.lst $PARTS $mods
mkdir -p "$1"
install -m 644 kernel.img moddep.lst $PARTS $mods "$1"
