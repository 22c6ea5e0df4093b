import { missing, ok, type Finding } from './finding.ts'
import type { Host } from './host.ts'
import { installRemedy } from './remedies.ts'

/** A compiler, a program that needs its libraries, and the packages that bring both. */
const COMPILERS = [
  {
    ...{ code: 'static-c', command: 'cc', language: 'c', packages: ['gcc', 'libc6-dev'] },
    source: '#include <stdio.h>\nint main(void) { return puts("ok") < 0; }\n',
  },
  {
    ...{ code: 'static-c++', command: 'c++', language: 'c++', packages: ['g++', 'libc6-dev'] },
    // What gcc itself is written in.
    source:
      '#if __cplusplus < 201402L\n#error C++14 is needed\n#endif\n#include <iostream>\n' +
      'int main() { std::cout << "ok\\n"; }\n',
  },
] as const

/**
 * Does each compiler make a static program that runs? One that is not there at all is another
 * finding.
 */
export async function examineCompilers(host: Host): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const compiler of COMPILERS) {
    if ((await host.find(compiler.command)) !== undefined)
      findings.push(await examineCompiler(host, compiler))
  }
  return findings
}

async function examineCompiler(
  host: Host,
  { code, command, language, packages, source }: (typeof COMPILERS)[number],
): Promise<Finding> {
  const { ok: works, output } = await host.withTemporary(async (program) => {
    const compiled = await host.run(
      command,
      ['-static', '-x', language, '-o', program, '-'],
      source,
    )
    return compiled.ok ? host.run(program, []) : compiled
  })
  if (works) return ok(code, 'build', `${command} links static programs`)
  const reason =
    output.split('\n').find((line) => /error|cannot find|not found/i.test(line)) ?? output
  const remedy =
    `${await installRemedy(host, packages)} (where the static C library is a package of its ` +
    `own, such as "glibc-static", that too)`
  return missing(code, 'build', `${command} cannot link a static program: ${reason.trim()}`, remedy)
}
