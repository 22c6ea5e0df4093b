import { expect, test } from 'vitest'
import { parseDeb822, parseSourcesList } from '../../../src/fetch/apt.ts'

test('one-line style: distribution entries with options and comments, in order', () => {
  const text = `
# deb http://127.0.0.1/commented/debian bookworm main
deb http://127.0.0.1/debian/ bookworm main contrib # the archive
deb-src [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] https://127.0.0.1/ubuntu-ports noble main
  deb\tfile:/srv/debian bookworm main
deb cdrom:[Debian 12]/ bookworm main
deb mirror+file:/etc/apt/mirrors/debian bookworm main
`
  expect(parseSourcesList(text)).toEqual([
    'http://127.0.0.1/debian',
    'https://127.0.0.1/ubuntu-ports',
    'file:/srv/debian',
  ])
})

test("one-line style: other vendors' archives are left out, an archive key vouches for an unusual folder", () => {
  const text = `
deb https://127.0.0.1/apt cloud-sdk main
deb https://127.0.0.1/linux/debian bookworm stable
deb http://127.0.0.1/debian ./
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://127.0.0.1/mirror trixie main
`
  expect(parseSourcesList(text)).toEqual(['http://127.0.0.1/mirror'])
})

test('deb822 style: stanzas, several URIs, folded fields, comments, disabled entries', () => {
  const text = `# made by the installer
Types: deb deb-src
# an old address
URIs: http://127.0.0.1/debian
 http://127.0.0.1:8080/pub/debian/
Suites: trixie trixie-updates
components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: No
Types: deb
URIs: http://127.0.0.1/off/debian
Suites: trixie
Components: main

 
Types: deb
URIs: http://127.0.0.1/debian-security ftp://127.0.0.1/debian
Suites: trixie-security
Components: main

Types: deb
URIs: http://127.0.0.1/node_20.x
Suites: nodistro
Components: main
`
  expect(parseDeb822(text)).toEqual([
    'http://127.0.0.1/debian',
    'http://127.0.0.1:8080/pub/debian',
    'http://127.0.0.1/debian-security',
  ])
})

test('nothing comes of empty files', () => {
  expect(parseSourcesList('')).toEqual([])
  expect(parseDeb822('\n\n# nothing\n')).toEqual([])
})
