import { execFileSync, spawnSync } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { temporaryFolder } from './temporary.ts'

/** True when this host can log in to others. */
export const HAS_SSH = spawnSync('ssh', ['-V']).status === 0

/** How `ssh` ended, and all that it and the command have printed. */
export interface Answer {
  readonly status: number | undefined
  readonly text: string
}

/** What a user proves who they are with. */
export type Proof = { readonly password: string } | { readonly key: string }

/**
 * Someone on this host who logs in by Debian's `ssh`. They take the first host key that they see
 * for the right one, and no other from then on. No file of the user who runs the test is read.
 */
export class Visitor {
  readonly #folder: string
  readonly #port: number

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
  }

  /** Someone who comes by that port of the loopback interface. */
  static async to(port: number): Promise<Visitor> {
    const folder = await temporaryFolder()
    const key = ['-q', '-t', 'ed25519', '-N', '', '-C', 'visitor', '-f', join(folder, 'key')]
    execFileSync('ssh-keygen', key)
    // ssh asks for a password by a program, where it has no terminal.
    await writeFile(join(folder, 'ask'), '#!/bin/sh\nprintf "%s\\n" "$PASSWORD"\n')
    await chmod(join(folder, 'ask'), 0o755)
    return new Visitor(folder, port)
  }

  /** The key's public half, a line. */
  async publicKey(): Promise<string> {
    return (await readFile(join(this.#folder, 'key.pub'), 'utf8')).trim()
  }

  /** Path of the key. */
  get key(): string {
    return join(this.#folder, 'key')
  }

  /** Runs a command on the machine, as that user of it. */
  async run(user: string, proof: Proof, command: string): Promise<Answer> {
    const way =
      'key' in proof
        ? ['PreferredAuthentications=publickey', `IdentityFile=${proof.key}`]
        : ['PreferredAuthentications=password', 'IdentityFile=none', 'NumberOfPasswordPrompts=1']
    const known = join(this.#folder, 'known')
    const options = [
      ...way,
      ...['IdentitiesOnly=yes', 'IdentityAgent=none', 'ConnectTimeout=60', 'LogLevel=ERROR'],
      ...[`UserKnownHostsFile=${known}`, 'GlobalKnownHostsFile=none'],
      'StrictHostKeyChecking=accept-new',
    ]
    const { exitCode, all } = await execa(
      'ssh',
      [
        ...['-F', 'none', '-p', String(this.#port), ...options.flatMap((option) => ['-o', option])],
        ...[`${user}@127.0.0.1`, command],
      ],
      {
        env: {
          PATH: process.env['PATH'],
          ...{ SSH_ASKPASS: join(this.#folder, 'ask'), SSH_ASKPASS_REQUIRE: 'force' },
          ...('password' in proof && { PASSWORD: proof.password }),
        },
        extendEnv: false,
        stdin: 'ignore',
        reject: false,
        all: true,
        timeout: 120_000,
      },
    )
    return { status: exitCode, text: all }
  }
}
