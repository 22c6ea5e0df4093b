import { beforeAll, expect, test } from 'vitest'
import { checkoutFiles, type TextFile } from '../support/tree.ts'

/**
 * Who decides the paths that a file of src/ opens:
 * - own: the engine alone, in the store or in a work folder
 * - user: whoever runs the engine; links in them are followed
 * - host: nobody; they are fixed ones of the machine, such as /proc
 * - beneath: a recipe, archive, artifact or step, at least in part; src/base/beneath.ts resolves
 *   that part
 * - foreign: they too, but resolved otherwise: the reason says what keeps the engine from being led
 *   elsewhere
 */
type Decider = 'own' | 'user' | 'host' | 'beneath' | 'foreign'

/**
 * Every file of src/ that uses the file system. One that is new must say here whose paths it opens.
 */
const TABLE: Readonly<Record<string, readonly [Decider, string]>> = {
  'base/beneath.ts': ['beneath', 'the one place that resolves foreign paths'],
  'base/chunks.ts': ['own', 'none: files that callers opened'],
  'base/default-acl.ts': ['own', 'a probe in a new work folder'],
  'base/digest.ts': ['user', 'files that callers name; no pipe is waited for'],
  'base/commit-file.ts': ['own', 'files of the store'],
  'base/file-states.ts': ['user', 'described by lstat, never opened; links are not followed'],
  'base/files.ts': ['user', 'folders that callers make for users'],
  'base/notes.ts': ['own', 'one file of the store'],
  'base/put-file.ts': ['beneath', 'names in an image, below a folder of the user'],
  'base/put-output.ts': ['user', 'where a user wants an output; links are followed'],
  'base/regular.ts': ['user', 'files that users name; links are refused where the caller says so'],
  'base/remove-tree.ts': [
    'beneath',
    'removal: beneath held folders, or by rm; neither follows links',
  ],
  'base/replace-file.ts': ['beneath', 'a file of a folder that its caller holds open'],
  'build/log-end.ts': ['own', 'a log'],
  'build/make-artifact.ts': ['own', 'the log, named by recipe and key'],
  'build/background-removal.ts': ['own', 'work folders that are moved away'],
  'build/host-files.ts': ['host', '/usr; links are read, not followed, and pipes not opened'],
  'build/jobserver.ts': [
    'own',
    'fifos beside the work folders; a step sees the fifo, not its folder',
  ],
  'build/check-licenses.ts': ['beneath', 'license files of a recipe, in what was unpacked'],
  'build/lay-out-files.ts': ['beneath', 'names of sources, patches and files'],
  'build/roots.ts': ['own', 'folders of the session; the union resolves paths of artifacts'],
  'build/run-steps.ts': ['own', 'log and scripts, which no step can write to'],
  'build/workspace.ts': ['own', 'folders of a work folder, before a step runs in it'],
  'archive/kit/bag.ts': ['own', 'files of a kit that is being made, below its folder'],
  'archive/kit/check.ts': ['beneath', 'whatever a kit from elsewhere holds or lists'],
  'archive/kit/create.ts': ['user', 'where a kit is made'],
  'archive/kit/records.ts': ['beneath', 'notes in a kit'],
  'archive/kit/tar.ts': ['beneath', 'files of a kit that was made, and a new tar'],
  'archive/kit/texts.ts': ['own', 'texts of this checkout'],
  'archive/repair/carry-out.ts': ['own', 'new files in the folder that a repair works in'],
  'archive/repair/damaged-folder.ts': ['beneath', 'paths of a kit'],
  'archive/repair/digests.ts': ['own', 'blobs; files of kits go by those of parity'],
  'archive/repair/known.ts': ['beneath', "a kit's lists"],
  'archive/repair/offers.ts': ['own', 'files of copies; what an image holds goes to new ones'],
  'archive/repair/parity-again.ts': ['own', 'new parity in the folder that a repair works in'],
  'archive/repair/repair.ts': ['user', 'the kit itself, copies and images'],
  'archive/restore.ts': ['user', 'a new folder; what is in the image is checked by its manifest'],
  'archive/par2/describe-file.ts': ['beneath', 'names of files that parity is made for'],
  'archive/par2/files-below.ts': ['beneath', 'names in parity files, and extra files'],
  'archive/par2/rebuilt-files.ts': ['beneath', "names in parity files, below the user's folder"],
  'archive/par2/written-volumes.ts': ['beneath', "new parity files in the user's folder"],
  'author/edit-tree.ts': ['user', 'a new folder; what is in it was unpacked in a sandbox'],
  'author/config-menu.ts': ['beneath', 'a file that a step wrote in a work folder'],
  'author/fragment.ts': ['user', "folders of the user's layers, and new ones"],
  'author/new.ts': ['user', 'where a user wants new layers; links are followed, nothing is opened'],
  'author/new-folder.ts': ['user', "new folders in the user's layers"],
  'author/package-file.ts': ['own', 'blobs; what is in them is read as a stream'],
  'author/put-text.ts': ['user', "files of the user's layers"],
  'author/write-patches.ts': ['user', "folders of the user's layers, and new ones"],
  'build/laid-out-tree.ts': ['own', 'scripts and a log in the folder of the session'],
  'cli/commands/shell.ts': ['user', 'a folder that takes the place of the sources'],
  'cli/commands/boot.ts': ['user', 'an image to boot'],
  'cli/program/version.ts': ['own', 'package.json of the checkout'],
  'cli/commands/diff.ts': ['user', 'two files to compare'],
  'report/size/disk-size.ts': ['user', 'an image'],
  'cli/doctor/host.ts': ['host', 'what the host has, and a probe in a temporary folder'],
  'image/recorded-files.ts': ['beneath', 'names that a record states, in its own folder'],
  'image/put.ts': ['beneath', "names in an image's artifact, below the user's output folder"],
  'image/installed.ts': [
    'foreign',
    "names in a running system's root: only compared with its manifest",
  ],
  'report/page/texts.ts': ['own', 'texts of this checkout'],
  'report/receipts/machine.ts': ['host', '/etc/os-release, /proc/cpuinfo and the manifest'],
  'report/receipts/read.ts': ['user', 'receipts and their signatures, in no link; signers'],
  'report/receipts/write.ts': ['beneath', "receipts of another engine, into the user's folder"],
  'report/legal/legal.ts': ['user', 'a new folder; names of recipes, sources and license files'],
  'report/legal/license-papers.ts': ['own', 'blobs, and files of the checkout'],
  'report/legal/read-texts.ts': ['own', 'blobs; what is in them is read as a stream'],
  'store/keep-bytes.ts': ['own', 'a temporary file of the store'],
  'base/whole-folder.ts': ['user', 'folders that callers make'],
  'store/new-folder.ts': ['user', 'a new folder'],
  'fetch/mirror/copy.ts': ['beneath', 'names in the list of a mirror from elsewhere'],
  'fetch/mirror/examine.ts': ['beneath', 'names in the list of a mirror from elsewhere'],
  'fetch/mirror/fill.ts': ['beneath', 'closes a blob that beneath.ts opened'],
  'fetch/mirror/find.ts': ['user', 'a mirror folder; names in it are single components'],
  'fetch/mirror/hashed-copy.ts': ['beneath', 'a new file in a mirror that its caller holds open'],
  'fetch/mirror/open.ts': ['beneath', "list and unfinished files of the user's mirror folder"],
  'image/mirrors.ts': ['user', 'mirror folders'],
  'store/claimed-folder.ts': [
    'user',
    'a folder for a second build: refused when it is a link or of another user',
  ],
  'metadata/noted.ts': ['user', 'layers.yaml: its links are followed'],
  'store/local/installed.ts': [
    'foreign',
    'names in a manifest, described by lstat; a temporary file',
  ],
  'verify/lend-inputs.ts': ['own', 'artifacts of two stores'],
  'verify/noted-scan.ts': ['own', 'modules of the engine'],
  'store/local/fresh-trees.ts': ['own', 'notes in the folder of a session'],
  'store/resumable.ts': ['own', 'a folder beside the store'],
  'image/running-disk.ts': ['host', '/proc and /sys'],
  'verify/second-build.ts': [
    'own',
    'a claimed folder, and a copy of the checkout that keeps links',
  ],
  'build/store-owner.ts': ['user', 'the folders above the store'],
  'verify/variations.ts': ['host', '/proc/self, and the two stores'],
  'cli/commands/log.ts': ['own', 'a log'],
  'cli/defaults.ts': ['user', 'layers.yaml of the working folder'],
  'fetch/apt.ts': ['host', '/etc/apt'],
  'fetch/http.ts': ['user', 'the file of certificates that a variable names'],
  'fetch/obtain-new.ts': ['own', 'partial downloads'],
  'fetch/obtain.ts': ['own', 'partial downloads'],
  'fetch/obtain-blob.ts': ['own', 'partial downloads'],
  'remote/execution/blob.ts': ['own', 'blobs that are sent, and programs that callers name'],
  'remote/execution/engine-file.ts': ['own', 'modules of this engine'],
  'remote/execution/input-root.ts': ['user', 'files of the checkout, compared with their digests'],
  'remote/execution/runner.ts': ['user', "programs of the store's trees or a folder of the user"],
  'remote/execution/take-result.ts': ['own', 'temporary files of the session'],
  'remote/execution/upload.ts': ['own', 'blobs that are sent'],
  'remote/execution/worker/main.ts': ['own', 'on a worker: the folder that it was started in'],
  'remote/folder-cache.ts': ['user', 'a cache folder; names in it are digests, or of parts'],
  'remote/http-cache.ts': ['own', 'blobs that are sent'],
  'remote/keys.ts': ['user', 'a new key file'],
  'fetch/partial.ts': ['own', 'partial downloads, named by digest'],
  'fetch/hashed-file.ts': ['own', 'partial downloads'],
  'image/disk.ts': ['user', 'an image or a disk'],
  'image/write/copy.ts': ['user', 'an image'],
  'image/write/disk-device.ts': ['user', 'a disk, which is only looked at'],
  'image/write/in-use.ts': ['user', 'the folder of the store, which is only resolved'],
  'image/write/kernel.ts': ['host', '/proc and /sys'],
  'image/write/open-unused.ts': ['user', 'a disk, alone'],
  'image/write/whole-image.ts': ['user', 'an image, and its record and digest'],
  'image/write/write-image.ts': ['user', 'an image, which is only resolved'],
  'metadata/tree/entries.ts': [
    'user',
    'folders of layers, whose entries are listed and not followed',
  ],
  'metadata/tree/layers.ts': ['user', 'layers.yaml and the folders that it names'],
  'metadata/lint-trees.ts': [
    'foreign',
    'files of the checkout that were read by way of beneath before, in the same run',
  ],
  'metadata/lint.ts': [
    'foreign',
    'patches that were read by way of beneath before, in the same run',
  ],
  'metadata/yaml/read-file.ts': ['beneath', 'what lies in a folder of a recipe'],
  'sandbox/frame.ts': ['own', 'a new folder, filled with constant names'],
  'sandbox/host-view.ts': ['host', '/usr and /etc/alternatives; a new folder of mount points'],
  'sandbox/open-descriptors.ts': ['host', '/proc/self'],
  'sandbox/memory.ts': ['host', '/proc'],
  'sandbox/output.ts': ['own', 'a log and a fifo that no step sees'],
  'sandbox/run.ts': ['host', '/dev/null'],
  'sandbox/sysroot.ts': ['beneath', 'entries of artifacts'],
  'image/host-description.ts': ['host', 'programs in /usr/bin, and os-release'],
  'store/artifact/check-tree.ts': ['beneath', 'what is in a tree'],
  'store/artifact/finish-folders.ts': ['beneath', 'folders of an artifact'],
  'store/artifact/pack.ts': ['beneath', 'what a step left'],
  'store/artifact/tar-reader.ts': ['own', 'blobs'],
  'store/artifact/tar-writer.ts': ['own', 'temporary files'],
  'store/artifact/unpack.ts': ['beneath', "paths in an artifact's tar"],
  'store/collect-garbage.ts': ['own', 'blobs, trees and leftovers, removed by rm'],
  'store/local/blobs.ts': ['own', 'blobs, named by digest'],
  'store/local/contents.ts': ['own', 'blobs, trees and listings, named by digest'],
  'store/local/index-entries.ts': ['own', 'the index, named by digest or recipe'],
  'store/local/layout.ts': ['user', "the store's folder; what is in it is the engine's own"],
  'store/local/claim.ts': ['own', 'claims; what is no file in their place is refused'],
  'store/local/fifos.ts': ['own', "fifos of the session; their folder is no step's"],
  'store/local/lock.ts': ['own', 'locks; a link or pipe in their place is refused'],
  'store/local/logs.ts': ['own', 'logs, named by recipe and key'],
  'store/local/session-folder.ts': ['own', 'work folders and locks'],
  'store/local/session.ts': ['own', 'small files of the store'],
  'store/local/source-names.ts': ['beneath', 'names of sources'],
  'store/local/trees.ts': ['own', 'trees and listings, named by digest'],
  'store/blob-size.ts': ['own', 'blobs, named by digest'],
  'verify/compare-files.ts': ['user', 'an image and a disk'],
  'verify/compare-installed.ts': [
    'foreign',
    'names in a manifest: only sizes of files, and an image that was built',
  ],
  'verify/rebuild-image.ts': ['user', 'image and output folder'],
  'verify/first-difference.ts': ['beneath', 'files of two artifacts'],
  'verify/scan-source.ts': [
    'own',
    'blobs; what is in them is read as a stream, never put anywhere',
  ],
}

let code: TextFile[]

beforeAll(async () => {
  code = (await checkoutFiles()).filter(({ path }) => /^src\/.*\.ts$/.test(path))
})

/** Whether a file has functions of the file system, and not only types. */
function usesFiles(text: string): boolean {
  return /^import (?!type\b)(?:[^']|\n)*? from 'node:fs(?:\/promises)?'$/m.test(text)
}

test('every file that opens paths says who decides them', () => {
  const users = code
    .filter(({ text }) => usesFiles(text))
    .map(({ path }) => path.slice('src/'.length))
  expect(users.filter((path) => !(path in TABLE)).sort(), 'not in the table').toEqual([])
  expect(
    Object.keys(TABLE).filter((path) => !users.includes(path)),
    'in the table only',
  ).toEqual([])
})

test('what resolves foreign paths beneath a root does so by base/beneath.ts', () => {
  const texts = new Map(code.map(({ path, text }) => [path.slice('src/'.length), text]))
  const claimed = Object.entries(TABLE).flatMap(([path, [decider]]) =>
    decider === 'beneath' ? [path] : [],
  )
  const wrong = claimed.filter(
    (path) => path !== 'base/beneath.ts' && !texts.get(path)?.includes("/beneath.ts'"),
  )
  expect(wrong).toEqual([])
})
