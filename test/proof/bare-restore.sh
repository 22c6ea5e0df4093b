#!/bin/sh
# Restores a kit where there is nothing but the kit, a kernel and one static busybox: no Node, no
# network, no other program. Then it asks what is there to build the image, and lets the image
# rebuild one recipe. For root.
#
#   test/proof/bare-restore.sh KIT
set -eu
kit=$(cd "$1" && pwd)
PATH=$PATH:/usr/sbin:/sbin
export PATH

if [ "${2:-}" != inside ]; then
  bare=$(mktemp -d)
  trap 'chmod -R u+w "$bare" && rm -rf "$bare"' EXIT
  mkdir "$bare/bin" "$bare/tmp" "$bare/proc" "$bare/dev" "$bare/kit" "$bare/old" "$bare/work"
  cp "$kit/data/tools/busybox" "$bare/bin/busybox"
  for name in sh ls cat cp mkdir chmod rm dirname mktemp env; do
    ln -s busybox "$bare/bin/$name"
  done
  unshare --net --mount --pid --fork sh "$0" "$kit" inside "$bare"
  exit
fi

# Not by chroot(1): the kernel makes no user namespaces in there.
cd "$3"
mount --make-rprivate /
mount --bind . .
cd "$3"
mount --bind "$kit" kit
mount -o remount,ro,bind kit
mount -t proc proc proc
mount --rbind /dev dev
pivot_root . old
cd /
/bin/busybox umount -l /old
exec env -i HOME=/work PATH=/bin TERM=dumb /bin/sh -ec '
  cd /work
  sh /kit/data/tools/fixpoint archive restore /kit --to restored
  cd restored
  ./fixpoint build -n appliance
  ./fixpoint rebuild --image /kit/data/images/appliance.img --only base/zlib
'
