import { execFileSync } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import type { BootOptions } from '../../qemu/boot.ts'
import type { Session } from '../../qemu/session.ts'
import { atPrompt, blankDisk, dataDisk, type } from '../support/guest.ts'
import { storedImage } from '../support/image.ts'
import { freePort } from '../support/free-port.ts'
import { HAS_SSH, Visitor } from '../support/ssh.ts'

const image = (await storedImage('net')) ?? ''

/** Where e2fsprogs are, which every Debian has. */
const SBIN = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }

/** What QEMU's network gives to the first who asks: an address, a gateway, and who knows names. */
const GIVEN = { address: '10.0.2.15/24', gateway: '10.0.2.2', nameserver: '10.0.2.3' }

/** An image on a machine with a network card, of which port 22 is a port of this host. */
function onNetwork(port: number, more: Partial<BootOptions> = {}): BootOptions {
  return { image, memory: '512M', network: { ports: [{ host: port, guest: 22 }] }, ...more }
}

/** Types a command until it is true, and resolves to what `network` says then. */
async function until(machine: Session, condition: string): Promise<string> {
  const { good, text } = await type(
    machine,
    `i=0; until ${condition}; do i=$((i+1)); [ $i -lt 90 ] || break; sleep 1; done; network; ` +
      `cat /etc/resolv.conf; ${condition}`,
  )
  expect(good, text).toBe(true)
  return text
}

const withAddress = (card: string, address: string): string =>
  `ip -o addr show dev ${card} | grep -qF "${address}"`

/** Names come a moment after the address. */
const BY_DHCP = `grep -qx 'nameserver ${GIVEN.nameserver}' /etc/resolv.conf`

/** Gives root and a user `maker` what a product's files give them: passwords, and root a key. */
async function letIn(machine: Session, key: string): Promise<void> {
  const { good, text } = await type(
    machine,
    `mkdir /etc/authorized_keys
echo '${key}' > /etc/authorized_keys/root
echo maker:x:1000:1000:maker:/home/maker:/bin/sh >> /etc/passwd
echo maker:x:1000: >> /etc/group
echo "root:$(cryptpw right):::::::" > /etc/shadow
echo "maker:$(cryptpw "the maker's"):::::::" >> /etc/shadow
chmod 600 /etc/shadow
/usr/lib/init/start.d/50-users`,
  )
  expect(good, text).toBe(true)
}

/**
 * Types root's name and a password at the console, and resolves to whether that gave a shell. A
 * right one may be refused: `login` throws away what is typed before it has switched the echo off,
 * a moment after it has asked. A person would type it again.
 */
async function tryPassword(machine: Session, password: string): Promise<boolean> {
  await machine.expect('fixpoint login: ')
  machine.type('root\n')
  await machine.expect('Password: ')
  await setTimeout(1000)
  machine.type(`${password}\n`)
  const [found] = await machine.expect(/# |Login incorrect/)
  return found === '# '
}

/** What someone gets who is not let in. */
const DENIED = {
  status: 255,
  text: expect.stringContaining('Permission denied') as string,
}

describe('net', () => {
  beforeEach(({ skip }) => {
    skip(image === '', 'the store holds no image of these recipes: fixpoint build net')
    skip(!HAS_SSH, 'this host has no ssh')
  })

  it('lets in who has a key or a password, by an address from DHCP, and nobody else', async () => {
    const port = await freePort()
    const visitor = await Visitor.to(port)
    const { key } = visitor
    const [right, own] = [{ password: 'right' }, { password: "the maker's" }]
    await atPrompt(onNetwork(port), async (machine) => {
      const said = await until(machine, BY_DHCP)
      expect(said).toContain(`eth0: dhcp, link, ${GIVEN.address}`)
      expect(said).toContain(`gateway: ${GIVEN.gateway}, eth0`)
      const { text: issue } = await type(machine, 'cat /run/issue; hostname')
      expect(issue).toMatch(/network {6}eth0, address by DHCP\n/)
      expect(issue).toMatch(/ssh {10}port 22, host key SHA256:\S+, another at the next start\n/)
      expect(issue).toContain('\nYou are root and need no password. `poweroff` switches off.\n')
      expect(issue).toMatch(/\nfixpoint\n/)

      // As it is built, the image has neither keys nor passwords.
      for (const proof of [{ key }, { password: '' }, { password: 'x' }, right])
        expect(await visitor.run('root', proof, 'id')).toMatchObject(DENIED)

      await letIn(machine, await visitor.publicKey())
      const named = { status: 0, text: 'root\nfixpoint' }
      expect(await visitor.run('root', { key }, 'id -un; hostname')).toEqual(named)
      expect(await visitor.run('root', right, 'id -un; hostname')).toEqual(named)
      expect(await visitor.run('maker', own, 'id -un; pwd; stat -c %U:%G:%a .')).toEqual({
        status: 0,
        text: 'maker\n/home/maker\nmaker:maker:700',
      })
      expect(await visitor.run('maker', own, 'cat /etc/shadow')).toMatchObject({
        status: 1,
        text: expect.stringContaining('denied') as string,
      })
      for (const [user, proof] of [
        ['root', { password: 'wrong' }],
        ['maker', right],
        ['maker', { key }],
        ['nobody', { password: '' }],
      ] as const)
        expect(await visitor.run(user, proof, 'id'), user).toMatchObject(DENIED)

      // A service that dies is started again.
      const server = 'pgrep -o -x dropbear'
      const killed = await type(
        machine,
        `old=$(${server}); kill -9 $old; until new=$(${server}) && [ "$new" != "$old" ]; do ` +
          `sleep 1; done; sv status ssh`,
      )
      expect(killed).toMatchObject({ good: true })
      expect(killed.text).toContain('run: ssh: ')
      expect(await visitor.run('root', { key }, 'id -u')).toEqual({ status: 0, text: '0' })

      // Root has a password now, so the console asks for it.
      machine.type('exit\n')
      expect(await tryPassword(machine, 'wrong')).toBe(false)
      let attempts = 1
      while (!(await tryPassword(machine, 'right'))) expect(attempts++).toBeLessThan(5)
      expect(await type(machine, '[ "$(id -u)" = 0 ]')).toMatchObject({ good: true })
    })
  })

  it('keeps its host key and the homes of its users on a disk for data', async () => {
    const file = await blankDisk(2 ** 28)
    execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-L', 'fixpoint-data', file], { env: SBIN })
    const disks = [await dataDisk(file)]
    const port = await freePort()
    const visitor = await Visitor.to(port)
    const seen: string[] = []
    for (const [words, answer] of [
      ['echo one > kept', ''],
      ['cat kept', 'one'],
    ] as const)
      await atPrompt(onNetwork(port, { disks }), async (machine) => {
        await until(machine, BY_DHCP)
        const { text } = await type(machine, 'cat /run/issue; ls -l /data/ssh/host-key')
        expect(text).toMatch(/data {9}disk \/dev\/vdb, \d+ MiB free/)
        expect(text).toMatch(/-rw------- +1 root +root .* \/data\/ssh\/host-key\n/)
        seen.push(/host key (SHA256:\S+)\n/.exec(text)?.[1] ?? 'none')
        await letIn(machine, await visitor.publicKey())
        // The visitor refuses any other host key than that of the first time.
        expect(await visitor.run('maker', { password: "the maker's" }, words)).toEqual({
          status: 0,
          text: answer,
        })
        machine.type('poweroff\n')
        await machine.off()
      })
    expect(seen[0]).toMatch(/^SHA256:/)
    expect(seen[1]).toBe(seen[0])
  })

  it('takes an address that is set, other cards, and one that is plugged in', async () => {
    const card = (driver: string, net: number): string[] => [
      ...['-netdev', `user,id=net${net},net=10.0.${net}.0/24`],
      ...['-device', `${driver},netdev=net${net},romfile=`],
    ]
    const more = [
      ...card('e1000', 3),
      ...card('e1000e', 4),
      ...['-netdev', 'user,id=net5,net=10.0.5.0/24', '-device', 'qemu-xhci,id=xhci'],
    ]
    await atPrompt(onNetwork(await freePort(), { more }), async (machine) => {
      await until(machine, withAddress('eth1', '10.0.3.15/24'))
      await until(machine, withAddress('eth2', '10.0.4.15/24'))

      const adapter = { driver: 'usb-net', id: 'adapter', netdev: 'net5', bus: 'xhci.0' }
      await machine.qmp('device_add', adapter)
      await until(machine, 'ip -o addr | grep -qF " 10.0.5.15/24 "')

      const file = [
        'interface eth0 10.0.2.77/24 10.0.2.2   # the only one',
        'interface eth* off',
        ...['nameserver 10.0.2.3', 'search example.org', 'ntp 10.0.2.2'],
      ]
      const { good, text } = await type(
        machine,
        `printf '%s\\n' ${file.map((line) => `'${line}'`).join(' ')} > /etc/network.conf; ` +
          'network restart && ping -c 1 10.0.2.2; sleep 6; ps -o args',
      )
      expect(good, text).toBe(true)
      expect(text).toContain('network      eth0, address 10.0.2.77/24\n')
      expect(text).toContain('1 packets received')
      expect(text).toMatch(/^ntpd -n -p 10\.0\.2\.2$/m)
      const status = await until(machine, withAddress('eth0', '10.0.2.77/24'))
      expect(status).toContain('gateway: 10.0.2.2, eth0')
      expect(status).toMatch(/^eth1: off, /m)
      expect(status).toMatch(/^nameserver 10\.0\.2\.3\nsearch example\.org\s*$/m)
      expect(status).not.toContain(GIVEN.address)

      const wrong = await type(
        machine,
        `echo 'interface eth0 10.0.2.777/24' > /etc/network.conf; network restart; pgrep ntpd`,
      )
      expect(wrong.good).toBe(false)
      expect(wrong.text).toMatch(/eth0: cannot use "interface … 10\.0\.2\.777\/24"/)
    })
  })
})
