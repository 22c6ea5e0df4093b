/**
 * A boot sector for tests of the code that boots images: prints `hello from sector 0` and a prompt
 * on the first serial port, then answers each key with a line `heard KEY`; the key `q` switches the
 * machine off.
 */
export function talkingSector(): Buffer {
  const sector = Buffer.alloc(512)
  const code = PROGRAM.map(([bytes]) => bytes).join('')
  sector.write(code.replaceAll(' ', ''), 'hex')
  sector.write('hello from sector 0\r\n> \0', 0x80, 'latin1')
  sector.write('heard \0', 0xa0, 'latin1')
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}

/**
 * Bytes and what they mean (AT&T syntax), from address 0x7c00 on. Port 0x604 is the power
 * management of QEMU's q35.
 */
const PROGRAM: readonly (readonly [bytes: string, meaning: string])[] = [
  ['fa', 'cli'],
  ['31 c0', 'xor %ax, %ax'],
  ['8e d8', 'mov %ax, %ds'],
  ['8e d0', 'mov %ax, %ss'],
  ['bc 00 7c', 'mov $0x7c00, %sp'],
  ['be 80 7c', 'mov $0x7c80, %si'],
  ['e8 24 00', 'call print'],
  ['e8 3d 00', 'next: call get'],
  ['88 c3', 'mov %al, %bl'],
  ['80 fb 71', 'cmp $0x71, %bl'],
  ['74 12', 'je off'],
  ['be a0 7c', 'mov $0x7ca0, %si'],
  ['e8 14 00', 'call print'],
  ['88 d8', 'mov %bl, %al'],
  ['e8 1a 00', 'call put'],
  ['b0 0a', 'mov $0xa, %al'],
  ['e8 15 00', 'call put'],
  ['eb e4', 'jmp next'],
  ['ba 04 06', 'off: mov $0x604, %dx'],
  ['b8 00 20', 'mov $0x2000, %ax'],
  ['ef', 'out %ax, (%dx)'],
  ['f4', 'hlt'],
  ['ac', 'print: lods %ds:(%si), %al'],
  ['84 c0', 'test %al, %al'],
  ['74 05', 'je done'],
  ['e8 03 00', 'call put'],
  ['eb f6', 'jmp print'],
  ['c3', 'done: ret'],
  ['88 c4', 'put: mov %al, %ah'],
  ['ba fd 03', 'mov $0x3fd, %dx'],
  ['ec', 'busy: in (%dx), %al'],
  ['a8 20', 'test $0x20, %al'],
  ['74 fb', 'je busy'],
  ['88 e0', 'mov %ah, %al'],
  ['ba f8 03', 'mov $0x3f8, %dx'],
  ['ee', 'out %al, (%dx)'],
  ['c3', 'ret'],
  ['ba fd 03', 'get: mov $0x3fd, %dx'],
  ['ec', 'idle: in (%dx), %al'],
  ['a8 01', 'test $0x1, %al'],
  ['74 fb', 'je idle'],
  ['ba f8 03', 'mov $0x3f8, %dx'],
  ['ec', 'in (%dx), %al'],
  ['c3', 'ret'],
]
