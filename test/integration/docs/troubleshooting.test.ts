import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import {
  commandLine,
  makes,
  onSmallDisk,
  recipe,
  step,
  TOOLS_RECIPE,
  WITHOUT_NAMESPACES,
  type Toy,
} from '../../support/cli.ts'
import { hasPrinted, symptomsOf } from '../../support/examples.ts'
import type { Tree } from '../../support/trees.ts'

const makeToy = commandLine()

const THERE: RequestListener = (_, response) => response.end('another file')
const NOWHERE: RequestListener = (_, response) => response.writeHead(404).end()

/** Starts a server on the loopback that ends with the test; its port. */
async function serve(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A recipe of the host layer that wants a file from there. */
function wants(address: string, digest = digestOf('the file')): Tree {
  return {
    'layers/bootstrap/wanted/recipe.yaml': recipe(
      'wanted',
      'sources:',
      `  - sha256: ${digest}`,
      `    from: ['${address}/wanted-{{version}}.tar.gz']`,
      '    unpack: false',
      'style: plain',
      step('cp "$SOURCES"/* "$OUT"'),
    ),
  }
}

/** What is on the screen after a command. */
async function seen(toy: Toy, ...words: string[]): Promise<string> {
  const { stdout, stderr } = await toy.run(...words)
  return stdout + stderr
}

/** Brings each symptom of the page about; resolves to what the engine says of it. */
const PROVOKED: Readonly<Record<string, () => Promise<string>>> = {
  'A server has no such file': async () => {
    const port = await serve(createServer(NOWHERE))
    const toy = await makeToy(wants(`http://127.0.0.1:${String(port)}`))
    return seen(toy, 'build', 'wanted')
  },
  'A file has another digest': async () => {
    const port = await serve(createServer(THERE))
    const toy = await makeToy(wants(`http://127.0.0.1:${String(port)}`))
    return seen(toy, 'build', 'wanted')
  },
  'The version is new, and the digest is not': async () => {
    const old = await makeToy({
      'wanted-1.0.tar.gz': 'the file',
      ...wants('file:../../..'),
    })
    await old.run('build', 'wanted')
    const file = join(old.folder, 'layers/bootstrap/wanted/recipe.yaml')
    await writeFile(file, (await readFile(file, 'utf8')).replace("'1.0'", "'1.1'"))
    return seen(old, 'build', 'wanted')
  },
  'No certificate fits': async () => {
    const toy = await makeToy()
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(toy.folder, name))
    const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost']
    execFileSync('openssl', [...words, '-keyout', key!, '-out', cert!], { stdio: 'ignore' })
    const port = await serve(
      createTlsServer({ key: await readFile(key!), cert: await readFile(cert!) }, THERE),
    )
    await toy.write(wants(`https://localhost:${String(port)}`))
    return seen(toy, 'build', 'wanted')
  },
  'The proxy does not answer': async () => {
    const toy = await makeToy(wants('http://sources.example'))
    const env = { http_proxy: 'http://127.0.0.1:9' }
    return (await toy.runWith({ env }, 'build', 'wanted')).stderr
  },
  'Nothing was installed': async () => {
    const toy = await makeToy({
      'layers/bootstrap/empty/recipe.yaml': recipe('empty', 'style: plain', step("':'")),
    })
    return seen(toy, 'build', 'empty')
  },
  'There is no shell': async () => {
    const toy = await makeToy({ 'layers/product/bare/recipe.yaml': makes('bare', 'text') })
    return seen(toy, 'build', 'product/bare')
  },
  'Two packages have the same file': async () => {
    const clash = (name: string): string =>
      recipe(name, 'style: plain', step('mkdir -p "$OUT/etc"', 'echo > "$OUT/etc/hostname"'))
    const toy = await makeToy({
      'layers/bootstrap/gamma/recipe.yaml': clash('gamma'),
      'layers/bootstrap/delta/recipe.yaml': clash('delta'),
      'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
      'layers/product/both/recipe.yaml': recipe(
        'both',
        'inputs: [bootstrap/tools, bootstrap/gamma, bootstrap/delta]',
        'style: plain',
        step('cp /etc/hostname "$OUT"'),
      ),
    })
    return seen(toy, 'build', 'both')
  },
  'A step fails': async () => {
    const toy = await makeToy({
      'layers/bootstrap/broken/recipe.yaml': recipe(
        'broken',
        'style: plain',
        step('echo "hello.c: No such file or directory" >&2', 'exit 1'),
      ),
    })
    return seen(toy, 'build', 'broken')
  },
  'A field is in the wrong place': async () => {
    const toy = await makeToy({
      'layers/bootstrap/odd/recipe.yaml':
        "name: odd\nversion: '1'\nlicense: MIT\nsummary: A package\nstyle: plain\n",
    })
    return seen(toy, 'build', 'odd')
  },
  'The sandbox is refused': async () => {
    const toy = await makeToy()
    const { stderr } = await toy.runWith({ wrap: WITHOUT_NAMESPACES }, 'build', 'alpha')
    return stderr
  },
  'The disk is full': async () => {
    const toy = await makeToy({
      'layers/bootstrap/large/recipe.yaml': recipe(
        'large',
        'style: plain',
        step('head -c 64000000 /dev/zero | tr "\\0" x > "$OUT/large"'),
      ),
    })
    const small = join(toy.folder, 'small')
    await mkdir(small)
    const wrap = onSmallDisk(small, 16)
    const globals = ['--layers', join(toy.folder, 'layers/layers.yaml'), '--store', `${small}/s`]
    return (await toy.runWith({ wrap, globals }, 'build', 'large')).stderr
  },
  'It was built again, and you do not know why': async () => {
    const toy = await makeToy()
    await toy.run('build', 'beta')
    await toy.write({ 'layers/bootstrap/alpha/recipe.yaml': makes('alpha', 'changed') })
    return seen(toy, 'build', '-n', 'beta')
  },
}

describe('docs/troubleshooting.md', async () => {
  const symptoms = await symptomsOf('troubleshooting.md')

  test.each(Object.keys(PROVOKED))('%s', async (title) => {
    const output = await PROVOKED[title]!()
    if (process.env['DOCS_PRINT'] !== undefined) console.log(`#### ${title}\n${output}`)
    const symptom = symptoms.find((one) => one.title === title)?.symptom
    expect(symptom, 'the page has no such heading with a message').toBeDefined()
    expect(hasPrinted(output, symptom!), `${symptom!}is not in:\n${output}`).toBe(true)
  })

  test('has a message only where one is brought about', () => {
    const told = symptoms.filter(({ symptom }) => symptom !== undefined).map(({ title }) => title)
    expect(told.sort()).toEqual(Object.keys(PROVOKED).sort())
  })
})
