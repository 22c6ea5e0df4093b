import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeEach, describe, expect, it } from 'vitest'
import { storedTree } from '../../support/image.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { CHECKOUT } from '../../support/tree.ts'
import { writeTreeAt, type Tree } from '../../support/trees.ts'

const busybox = await storedTree('toolchain/busybox')
const dropbear = await storedTree('net/dropbear')

/** Whose `files/` the root here is made of. */
const RECIPES = ['system/skeleton', 'system/data', 'net/network', 'net/ssh']

/** A root as in the image `net` after its start, but for the files that are given. */
async function rootWith(files: Tree): Promise<string> {
  const root = await temporaryFolder()
  const trees = [busybox, dropbear].filter((tree) => tree !== undefined)
  const pictures = RECIPES.map((recipe) => join(CHECKOUT, 'layers', recipe, 'files'))
  for (const folder of [...trees, ...pictures])
    execFileSync('cp', ['-R', '--preserve=mode,links', `${folder}/.`, root])
  execFileSync('sh', ['-euc', 'mkdir data root var; cp -R usr/etc/. etc'], { cwd: root })
  await writeTreeAt(root, files)
  return root
}

/** Runs a script as root in such a root, in a network of its own. */
async function inside(script: string, files: Tree = {}): Promise<{ code?: number; text: string }> {
  const { exitCode, all } = await execa(
    'bwrap',
    [
      ...['--unshare-all', '--uid', '0', '--gid', '0', '--cap-add', 'ALL', '--die-with-parent'],
      ...['--bind', await rootWith(files), '/', '--proc', '/proc', '--dev', '/dev'],
      ...['--tmpfs', '/run', '--tmpfs', '/sys', '--chdir', '/', '--clearenv'],
      ...['--setenv', 'PATH', '/usr/bin', 'sh', '-c', script],
    ],
    { reject: false, all: true, stdin: 'ignore' },
  )
  return { ...(exitCode !== undefined && { code: exitCode }), text: all }
}

/** A network card, as far as scripts see it: the kernel's own have a device behind them. */
const CARD = `ip link add eth0 type veth && mkdir -p /sys/class/net/eth0/device &&
cd /sys/class/net/eth0 && echo 1 > type && echo 1 > carrier && echo 7 > ifindex && cd /
`

beforeEach(({ skip }) => {
  skip(busybox === undefined, 'the store holds no busybox of these recipes: make tiny')
})

describe('the console', () => {
  it.each([
    ['no password, as it is built', 'root:x:0:0::/root:/bin/sh', undefined, false],
    ['an empty one', 'root::0:0::/root:/bin/sh', undefined, false],
    ['an empty one in shadow', 'root:x:0:0::/root:/bin/sh', 'root::1::::::', false],
    ['one of another user', 'root:x:0:0::/root:/bin/sh', 'ada:$6$a$b:::::::', false],
    ['one', 'root:$6$a$b:0:0::/root:/bin/sh', undefined, true],
    ['one in shadow', 'root:x:0:0::/root:/bin/sh', 'ada:*::\nroot:$6$a$b:::::::', true],
    ['none that fits', 'root:*:0:0::/root:/bin/sh', undefined, true],
    ['none that fits, in shadow', 'root:x:0:0::/root:/bin/sh', 'root:!:::::::', true],
  ])('of a root with %s: a login is needed or not', async (_, passwd, shadow, needed) => {
    const { code, text } = await inside('/usr/lib/init/needs-login', {
      'etc/passwd': `${passwd}\n`,
      ...(shadow !== undefined && { 'etc/shadow': `${shadow}\n` }),
    })
    expect({ code, text }).toEqual({ code: needed ? 0 : 1, text: '' })
  })
})

describe('services', () => {
  it('are started again when they end, unless they are switched off', async () => {
    const mode = 0o755
    const { code, text } = await inside(
      `/usr/lib/init/services & i=0
until [ "$(grep -c started /run/count)" -ge 2 ] || [ $i = 60 ]; do i=$((i+1)); sleep 1; done
cat /var/log/short/current; ls /run/service`,
      {
        'etc/service/short': {
          mode,
          data: '#!/bin/sh\necho started >> /run/count\necho said\necho >&2 more\n',
        },
        'etc/service/network': { mode: 0o644, data: '' },
        'etc/service/ssh': { mode: 0o644, data: '' },
      },
    )
    expect(code, text).toBe(0)
    expect(text).toMatch(/^\S+ said\n\S+ more\n/m)
    expect(text).toMatch(/\nshort$/)
  })
})

describe('network', () => {
  const show = 'ip -o addr show dev eth0; ip route; cat /etc/resolv.conf; ls /run/service'

  it.each([
    [
      'an address and a gateway',
      'interface eth0 192.0.2.7/24 192.0.2.1 # with a comment',
      /network {6}eth0, address 192\.0\.2\.7\/24\n[^]*default via 192\.0\.2\.1 dev eth0/,
    ],
    ['the first line that fits', 'interface e* 192.0.2.7/24\ninterface * off', /192\.0\.2\.7\/24/],
    ['DHCP', 'interface * dhcp', /eth0, address by DHCP\ndhcp-eth0$/],
    [
      'servers',
      ['nameserver 192.0.2.2', '\tnameserver  192.0.2.3', 'search a.example', 'search b.example']
        .concat('ntp clock')
        .join('\n'),
      /^nameserver 192\.0\.2\.2\nnameserver 192\.0\.2\.3\nsearch a\.example b\.example\nntp$/m,
    ],
    ['an address that is none', 'interface * 192.0.2.300/24', /eth0: cannot use "interface … 192/],
    ['a word that is none', 'interface * dchp', /eth0: cannot use "interface … dchp" of \/etc/],
  ])('takes %s from its file', async (_, lines, wanted) => {
    const { text } = await inside(`${CARD}network start; ${show}`, {
      'etc/network.conf': `${lines}\n`,
    })
    expect(text).toMatch(wanted)
  })

  it.each(['interface wlan* dhcp', 'interface * off', ''])(
    'leaves a card off: "%s"',
    async (line) => {
      const { text } = await inside(`${CARD}network start; ip -o link show dev eth0; ${show}`, {
        'etc/network.conf': `${line}\n`,
      })
      expect(text).not.toMatch(/[<,]UP[,>]|inet|dhcp/)
    },
  )

  const lease =
    'export interface=eth0 ip=192.0.2.9 mask=24 router="192.0.2.1 192.0.2.2" dns="192.0.2.3" ' +
    'domain=lease.example ntpsrv=192.0.2.4\n'

  it('takes what DHCP brings, keeps it when renewed, and lets it go', async () => {
    const { code, text } = await inside(
      `${CARD}${lease}set -e
network start; /usr/lib/network/dhcp deconfig; /usr/lib/network/dhcp bound; ${show}
tail -n 1 /run/service/ntp/run
echo ==; ip addr add 192.0.2.99/24 dev eth0; dns=192.0.2.5 /usr/lib/network/dhcp renew; ${show}
echo ==; /usr/lib/network/dhcp deconfig; ${show}`,
    )
    expect(code, text).toBe(0)
    const [bound, renewed, gone] = text.split('==\n')
    expect(bound).toContain(' 192.0.2.9/24 ')
    expect(bound).toContain('default via 192.0.2.1 dev eth0  metric 107')
    expect(bound).toContain('\nnameserver 192.0.2.3\nsearch lease.example')
    expect(bound).toContain('\nexec ntpd -n -p 192.0.2.4\n')
    // What is there is not taken away: its connections would break.
    expect(renewed).toContain(' 192.0.2.99/24 ')
    expect(renewed).toContain('\nnameserver 192.0.2.5\n')
    expect(gone).not.toMatch(/192\.0\.2|nameserver|ntp/)
  })

  it('prefers the servers of its file to those of DHCP', async () => {
    const { text } = await inside(
      `${CARD}${lease}network start
/usr/lib/network/dhcp bound; ${show}; cat /run/service/ntp/run`,
      { 'etc/network.conf': 'interface * dhcp\nnameserver 192.0.2.77\nntp clock.example\n' },
    )
    expect(text).toContain('\nnameserver 192.0.2.77\nsearch lease.example')
    expect(text).not.toContain('nameserver 192.0.2.3')
    expect(text).toContain('\nexec ntpd -n -p clock.example')
  })

  it('ends a service under a name that nobody starts it again by', async () => {
    const { code, text } = await inside(
      `${CARD}network start; export PATH=/own:$PATH; network stop; cat /run/seen`,
      {
        'etc/network.conf': 'interface eth0 192.0.2.7/24\nntp clock.example\n',
        'own/sv': { mode: 0o755, data: '#!/bin/sh\necho "$*: $(ls /run/service)" > /run/seen\n' },
      },
    )
    expect(code, text).toBe(0)
    expect(text).toMatch(/\n-w 5 force-shutdown \/run\/service\/\.ntp\.ended: $/m)
  })

  it('forgets a card that is pulled out, and finds it again', async () => {
    const { text } = await inside(
      `${CARD}network start
ip link del eth0; rm -r /sys/class/net/eth0
SUBSYSTEM=net /usr/lib/network/plugged; ls /run/network; echo ==
${CARD}SUBSYSTEM=block /usr/lib/network/plugged; echo ==
SUBSYSTEM=net /usr/lib/network/plugged`,
    )
    const [first, other, again] = text.split('==\n')
    expect(first).toContain('no Ethernet card')
    expect(first).not.toContain('eth0.up')
    expect(other).toBe('')
    expect(again).toMatch(/network {6}eth0, address by DHCP/)
  })
})

describe('the host key', () => {
  it('is made once, and again when it is damaged', async ({ skip }) => {
    skip(dropbear === undefined, 'the store holds no dropbear of these recipes: fixpoint build net')
    const hook = '/usr/lib/init/start.d/60-ssh'
    const { code, text } = await inside(`set -e; ${hook}; ${hook}; stat -c %a /data/ssh
stat -c %a /data/ssh/host-key; : > /data/ssh/host-key; ${hook}; ls /data/ssh`)
    expect(code, text).toBe(0)
    const keys = [...text.matchAll(/host key (SHA256:\S+)$/gm)].map(([, key]) => key)
    expect(keys).toHaveLength(3)
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[0])
    expect(text).toContain('\n700\n600\n')
    expect(text).toContain('/data/ssh/host-key is damaged, now /data/ssh/host-key.damaged')
    expect(text).toMatch(/\nhost-key\nhost-key\.damaged$/)
  })
})
