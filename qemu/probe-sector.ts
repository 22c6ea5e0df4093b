/** Port of QEMU's `isa-debug-exit` device that {@link probeSector} writes to. */
export const EXIT_PORT = 0xf4

/**
 * Status that QEMU exits with when {@link probeSector} got to its end: the written 0x10, doubled,
 * plus one.
 */
export const PROBE_PASSED = 0x21

/**
 * The boot sector of the KVM probe. It does what every kernel does early on and what half-working
 * virtualisation fails at: paging, 64-bit mode, SSE, CPUID, and a timer interrupt that ends a halt.
 * Written by hand in the machine's code, for it has to be here before there is an assembler.
 */
export function probeSector(): Buffer {
  const code = PROGRAM.map(([bytes]) => bytes).join('')
  const sector = Buffer.alloc(512)
  sector.write(code.replaceAll(' ', ''), 'hex')
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}

/** Bytes and what they mean (AT&T syntax), from address 0x7c00 on. */
const PROGRAM: readonly (readonly [bytes: string, meaning: string])[] = [
  // 16-bit mode: page tables at 0x1000, 0x2000 and 0x3000 that map the first 2 MiB to themselves;
  // 0x4000 is for interrupts
  ['fa', 'cli'],
  ['31 c0', 'xor %ax, %ax'],
  ['8e d8', 'mov %ax, %ds'],
  ['8e c0', 'mov %ax, %es'],
  ['bf 00 10', 'mov $0x1000, %di'],
  ['66 31 c0', 'xor %eax, %eax'],
  ['b9 00 0c', 'mov $0xc00, %cx'],
  ['66 f3 ab', 'rep stosl'],
  ['c7 06 00 10 03 20', 'movw $0x2003, 0x1000'],
  ['c7 06 00 20 03 30', 'movw $0x3003, 0x2000'],
  ['c6 06 00 30 83', 'movb $0x83, 0x3000'],
  ['66 b8 00 10 00 00', 'mov $0x1000, %eax'],
  ['0f 22 d8', 'mov %eax, %cr3'],
  // physical address extension and SSE
  ['66 b8 20 06 00 00', 'mov $0x620, %eax'],
  ['0f 22 e0', 'mov %eax, %cr4'],
  // EFER: long mode
  ['66 b9 80 00 00 c0', 'mov $0xc0000080, %ecx'],
  ['0f 32', 'rdmsr'],
  ['0d 00 01', 'or $0x100, %ax'],
  ['0f 30', 'wrmsr'],
  // protected mode and paging, no emulated floating point
  ['0f 01 16 ed 7c', 'lgdt 0x7ced'],
  ['0f 20 c0', 'mov %cr0, %eax'],
  ['24 fb', 'and $0xfb, %al'],
  ['66 0d 03 00 00 80', 'or $0x80000003, %eax'],
  ['0f 22 c0', 'mov %eax, %cr0'],
  ['ea 5b 7c 08 00', 'ljmp $8, $0x7c5b'],
  // 0x7c5b, 64-bit mode
  ['b8 10 00 00 00', 'mov $0x10, %eax'],
  ['8e d8', 'mov %eax, %ds'],
  ['8e c0', 'mov %eax, %es'],
  ['8e d0', 'mov %eax, %ss'],
  ['bc 00 7c 00 00', 'mov $0x7c00, %esp'],
  ['0f 10 04 25 00 7c 00 00', 'movups 0x7c00, %xmm0'],
  ['66 0f ef c0', 'pxor %xmm0, %xmm0'],
  ['b8 01 00 00 00', 'mov $1, %eax'],
  ['0f a2', 'cpuid'],
  // interrupt 0x20 goes to 0x7cc7
  ['b8 c7 7c 00 00', 'mov $0x7cc7, %eax'],
  ['66 89 04 25 00 42 00 00', 'mov %ax, 0x4200'],
  ['c7 04 25 02 42 00 00 08 00 00 8e', 'movl $0x8e000008, 0x4202'],
  ['0f 01 1c 25 f3 7c 00 00', 'lidt 0x7cf3'],
  // the interrupt controller sends the timer's interrupt as 0x20 and holds back all others
  ['b0 11', 'mov $0x11, %al'],
  ['e6 20', 'out %al, $0x20'],
  ['b0 20', 'mov $0x20, %al'],
  ['e6 21', 'out %al, $0x21'],
  ['b0 04', 'mov $4, %al'],
  ['e6 21', 'out %al, $0x21'],
  ['b0 01', 'mov $1, %al'],
  ['e6 21', 'out %al, $0x21'],
  ['b0 fe', 'mov $0xfe, %al'],
  ['e6 21', 'out %al, $0x21'],
  // the timer: about 290 times a second
  ['b0 34', 'mov $0x34, %al'],
  ['e6 43', 'out %al, $0x43'],
  ['31 c0', 'xor %eax, %eax'],
  ['e6 40', 'out %al, $0x40'],
  ['b0 10', 'mov $0x10, %al'],
  ['e6 40', 'out %al, $0x40'],
  ['bb 03 00 00 00', 'mov $3, %ebx'],
  ['fb', 'sti'],
  // 0x7cc4
  ['f4', 'hlt'],
  ['eb fd', 'jmp 0x7cc4'],
  // 0x7cc7, the interrupt: the third one ends QEMU
  ['b0 20', 'mov $0x20, %al'],
  ['e6 20', 'out %al, $0x20'],
  ['ff cb', 'dec %ebx'],
  ['75 04', 'jne 0x7cd3'],
  ['b0 10', 'mov $0x10, %al'],
  ['e6 f4', 'out %al, $0xf4'],
  ['48 cf', 'iretq'],
  // 0x7cd5: segments (none, 64-bit code, data), 0x7ced: where they are, 0x7cf3: where the
  // interrupts are
  ['00 00 00 00 00 00 00 00', 'segment 0x00'],
  ['00 00 00 00 00 9a 20 00', 'segment 0x08'],
  ['00 00 00 00 00 92 00 00', 'segment 0x10'],
  ['17 00 d5 7c 00 00', '24 bytes at 0x7cd5'],
  ['ff 0f 00 40 00 00 00 00 00 00', '4096 bytes at 0x4000'],
]
