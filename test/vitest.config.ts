import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/**
 * Tests by speed, each kind in its folder: `unit` in memory, `integration` with real processes and
 * sandboxes, `boot` with whole images in QEMU, `appliance` with builds in them.
 */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // Machines of others may be busy. What passes only then is named at the end.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    reporters: [fileURLToPath(new URL('support/reporter.ts', import.meta.url))],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          // Several start an engine many times, which takes minutes on a busy machine.
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      // One machine at a time: emulation takes all the cores there are, and the time limits are
      // meant for that.
      {
        extends: true,
        test: {
          name: 'boot',
          include: ['test/boot/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      // Real builds in emulated machines: for whoever has an hour.
      {
        extends: true,
        test: {
          name: 'appliance',
          include: ['test/appliance/**/*.test.ts'],
          testTimeout: 3_600_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
