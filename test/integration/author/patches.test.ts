import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Git } from '../../../src/author/git.ts'
import { newPatches, numberingAfter } from '../../../src/author/patches.ts'
import { FixpointErrors } from '../../../src/base/error.ts'
import { temporaryFolder } from '../../support/temporary.ts'

test('commits that no patch can be made of are named, and no file that is not there', async () => {
  const folder = await temporaryFolder()
  const git = new Git(folder, new AbortController().signal)
  await git.run(['init', '--quiet'])
  await git.run(['commit', '--quiet', '--allow-empty', '-m', 'base'])
  const base = (await git.run(['rev-parse', 'HEAD'])).trim()
  await git.run(['commit', '--quiet', '--allow-empty', '-m', 'Nothing at all\n\nReally.'])
  await writeFile(join(folder, 'picture'), '\0\x01')
  await git.run(['add', 'picture'])
  await git.run(['commit', '--quiet', '-m', 'A picture'])
  const error: unknown = await newPatches(git, base, numberingAfter([])).catch(
    (reason: unknown) => reason,
  )
  if (!(error instanceof FixpointErrors)) throw error
  const [empty, picture, ...others] = error.errors
  expect(empty).toMatchObject({
    code: 'edit-empty-commit',
    message: expect.stringMatching(/commit [0-9a-f]{12} "Nothing at all": it is empty$/) as string,
  })
  expect(picture).toMatchObject({
    code: 'patch-binary',
    message: expect.stringMatching(
      /commit [0-9a-f]{12} "A picture": it holds no text\n {2}Binary files .*picture/,
    ) as string,
    position: undefined,
  })
  expect(picture?.hint).toBeDefined()
  expect(others).toEqual([])
})
