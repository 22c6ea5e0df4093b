import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { readNpmCertificates, readNpmRegistry } from '../../../src/fetch/npm.ts'
import { DIGEST, source, useRig, whole } from './rig.ts'

const rig = useRig()

const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    process.stderr.write('left out: an https registry, since openssl is missing\n')
    return false
  }
})()

/** What npm is told by its environment. */
let before: NodeJS.ProcessEnv
beforeEach(() => {
  before = { ...process.env }
})
afterEach(() => {
  process.env = before
})

test.runIf(hasOpenssl)('a registry whose certificate only npm knows', async () => {
  const cafile = join(rig().folder, 'cert.pem')
  const key = join(rig().folder, 'key.pem')
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cafile], {
    stdio: 'ignore',
  })
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cafile) }, whole())
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const npm = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  const unknown = rig().fetcher({ npm, host: { npmCertificates: () => Promise.resolve([]) } })
  await expect(unknown.fetch(source(['npm:f@1.0.0']))).rejects.toMatchObject({
    message: expect.stringContaining('self-signed certificate') as string,
  })
  process.env['npm_config_cafile'] = cafile
  await rig()
    .fetcher({ npm, host: {} })
    .fetch(source(['npm:f@1.0.0']))
  expect(rig().store.blobs.has(DIGEST)).toBe(true)
})

test('a cafile that is missing, and certificates in npm’s configuration itself', async () => {
  const npmrc = await rig().write('npmrc', 'ca[]="first"\nca[]="second\\nline"\n')
  process.env['npm_config_userconfig'] = npmrc
  process.env['npm_config_cafile'] = join(rig().folder, 'none.pem')
  expect(await readNpmCertificates()).toEqual(['first', 'second\nline'])
})

test('an .npmrc of the working folder has no say: its author may be anyone', async () => {
  const { folder } = rig()
  await rig().write('package.json', '{}')
  const lines = ['registry=http://127.0.0.1/${HOME}/', 'ca=evil', `logs-dir=${folder}/escaped`]
  await rig().write('.npmrc', lines.join('\n'))
  const working = process.cwd()
  onTestFinished(() => {
    process.chdir(working)
  })
  process.chdir(folder)
  expect(await readNpmRegistry()).not.toContain('127.0.0.1/')
  expect(await readNpmCertificates()).not.toContain('evil')
  expect(existsSync(join(folder, 'escaped'))).toBe(false)
})
