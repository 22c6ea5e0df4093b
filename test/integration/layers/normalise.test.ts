import { execFileSync } from 'node:child_process'
import { linkSync, lstatSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadAll } from '../../../src/metadata/load.ts'
import { CHECKOUT } from '../../support/tree.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { writeTreeAt } from '../../support/trees.ts'

it('step `normalise` leaves one name of each file, and what others need', async () => {
  const { styles } = await loadAll(join(CHECKOUT, 'layers/layers.yaml'))
  const script = styles.get('plain')?.steps.get('normalise')?.value ?? 'false'
  const out = await temporaryFolder()
  await writeTreeAt(out, {
    'usr/bin/b': 'tool',
    'usr/bin/other': 'other tool',
    'usr/lib/libx.la': '',
    'usr/lib/libx.a': 'archive',
    'usr/share/man/man1/b.1': '',
    'usr/share/doc/b/README': '',
    'bootstrap/share/info/dir': '',
    'bootstrap/share/aclocal/x.m4': '',
  })
  for (const name of ['usr/bin/c d', 'usr/bin/a', 'usr/lib/a'])
    linkSync(join(out, 'usr/bin/b'), join(out, name))
  linkSync(join(out, 'usr/bin/other'), join(out, 'usr/bin/another'))
  symlinkSync('b', join(out, 'usr/bin/link'))

  execFileSync('sh', ['-eu', '-c', script], { env: { ...process.env, LC_ALL: 'C', OUT: out } })
  const found = readdirSync(out, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    const stat = lstatSync(join(out, name))
    if (stat.isDirectory()) return []
    return [stat.isSymbolicLink() ? `${name} -> ${readlinkSync(join(out, name))}` : name]
  })
  expect(found.sort()).toEqual([
    'bootstrap/share/aclocal/x.m4',
    'usr/bin/a',
    'usr/bin/another',
    'usr/bin/b -> a',
    'usr/bin/c d -> a',
    'usr/bin/link -> b',
    'usr/bin/other -> another',
    'usr/lib/a -> /usr/bin/a',
    'usr/lib/libx.a',
  ])
  expect(readdirSync(join(out, 'usr'))).not.toContain('share')
})
