import type { Digest } from '../../base/digest.ts'
import { KIT } from './layout.ts'

/** What the README of a kit says of this kit. */
export interface ReadmeFacts {
  /** Names of the image files, and their digests. */
  readonly images: readonly { readonly name: string; readonly sha256: Digest }[]
  readonly sources: number
  /** Whether the kit holds an engine that runs by itself. */
  readonly tools: boolean
}

/**
 * The kit's README.txt: ASCII, at most 72 columns, for someone who has nothing but the kit, perhaps
 * decades from now. It names every format that the kit uses.
 */
export function readme({ images, sources, tools }: ReadmeFacts): string {
  const first = images[0]?.name ?? 'appliance.img'
  return `THIS IS A FIXPOINT KIT

It holds disk images of computer systems, the source code of everything
in them, and what is needed to build them again, bit for bit. No network
is needed for any of it.

WHAT IS HERE

  README.txt        this text
  verify.sh         checks every file of the kit
  data/images/      the disk images, and a record beside each (JSON)
  data/sources/     ${sources} files of source code, listed in SHA256SUMS
  data/metadata/    what was built, and from what
${tools ? '  data/tools/       programs that run on any Linux on x86-64 processors\n' : ''}\
  parity/           repairs damage to a tenth of the kit
  manifest-*.txt    a digest of each file below data/
  tagmanifest-*.txt a digest of each other file; its own SHA-256 is the ID
                    of the kit

${images.map(({ name, sha256 }) => `  ${KIT.images}/${name}\n    SHA-256 ${sha256.slice(0, 32)}\n            ${sha256.slice(32)}`).join('\n')}

CHECK

  sh verify.sh

It ends with the ID of the kit. Compare that with the label, or with
another place where the ID was written down. Digests are SHA-256, as in
FIPS 180-4. The SHA-256 of the three letters "abc" is
ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.

Without sha256sum: one of these computes the same digest of a FILE.
  openssl dgst -sha256 FILE
  shasum -a 256 FILE
  busybox sha256sum FILE
  python3 -c "import hashlib,sys;print(hashlib.sha256(
    open(sys.argv[1],'rb').read()).hexdigest())" FILE

BOOT

The images are for a PC with an x86-64 processor. A virtual machine will
do, as will an emulator of a PC of the years 2010 to 2026. In QEMU:

  qemu-system-x86_64 -m 1G -nographic -snapshot \\
    -drive file=${KIT.images}/${first},format=raw,if=virtio

Its console is on the terminal; Ctrl-A, then X, ends it. The machine
needs 1 GiB of memory to start, and 4 GiB to build. Its firmware may be
BIOS or UEFI without Secure Boot. The disk may be IDE, AHCI, NVMe,
virtio or USB. The console is VGA text and a serial line (16550) at
115200 baud.

On a real PC, copy the image to a whole disk. THIS ERASES THE DISK:

  dd if=${KIT.images}/${first} of=/dev/DISK bs=4M conv=fsync

REPAIR

If another copy of this kit exists, copy bad or missing files from it and
check again. Copies that are damaged in different places help, too.

If there is no other copy, parity/ can rebuild up to a tenth of the kit.
It is in the format PAR2 (Parity Volume Set Specification 2.0), which
several free programs read. For instance:

  par2 repair -B . parity/kit.par2 *.txt verify.sh data/*/*
${
  tools
    ? `
The engine in this kit does all of that, and looks for other copies of
single files, too:

  sh data/tools/fixpoint archive repair .
`
    : ''
}
RESTORE AND REBUILD
${
  tools
    ? `
  sh data/tools/fixpoint archive restore . --to FOLDER

makes FOLDER with the recipes, the sources and the engine. Then, there:

  ./fixpoint rebuild --image ${first}

The image also rebuilds itself. Boot it with 4 GiB of memory and a second
disk of 20 GB, and type: fixpoint rebuild
`
    : `
This kit has images and their sources, and no engine. A kit of Fixpoint's
appliance has one. With the recipes of these images, any such engine
builds them again from data/sources/.
`
}
FORMATS

  the kit         BagIt 1.0 (RFC 8493)
  *.img           a raw disk: GPT (UEFI Specification); its partitions are
                  FAT16 (boot) and squashfs 4.0 with zstd (RFC 8878)
  *.json          JSON (RFC 8259)
  *.tar           POSIX tar (IEEE 1003.1-2001, ustar and pax)
  sources         tar files compressed by gzip (RFC 1952), bzip2 or xz
  parity/*.par2   PAR2, Parity Volume Set Specification 2.0
  actions/*.json  the SHA-256 of such a file is its own name

Keep at least three copies on two kinds of media, in two places. Check
each once a year.
`
}
