import { PATHS } from './constants.ts'

/** The descriptor that the runner and the engine speak by. */
export const ENGINE = 3

/** Lines that the runner answers for each step: its exit status, then what `times` prints. */
export const ANSWER_LINES = 3

/**
 * The shell script of a sandbox's first process. It says that it is up, then runs the steps that
 * the engine names, one a line, and answers each. A step starts like the first one: all processes
 * of the one before have ended, and its temporary files are gone.
 *
 * The kernel ends the sandbox with the engine, but only from the moment that bwrap has asked it to.
 * Should the engine be killed before that, no line comes, and the runner ends by itself.
 *
 * `setup`: lines to run once.
 */
export function runnerScript(setup: string): string {
  return `${ONLY_AS_FIRST}exec < /dev/null
${setup}umask 022
${END_PROCESSES}${EMPTY}echo >&${ENGINE}
while read -r step <&${ENGINE}; do
  echo "==> $step"
  (cd ${PATHS.source} && exec sh -eu "${PATHS.steps}/$step") ${ENGINE}>&- && status=0 || status=$?
  end_processes
  for folder in /tmp /dev/shm /run; do empty "$folder"; done
  { echo "$status"; command times; } >&${ENGINE}
done
`
}

/** In any other process namespace, ending all processes would end those of the user. */
const ONLY_AS_FIRST = '[ $$ = 1 ] || exit 1\n'

/**
 * Ends what a step left behind, and waits until it has ended. `kill` succeeds when there was any.
 * The first process is exempt, being the one that calls. A name of a process can forge no line of
 * `status`: the kernel escapes newlines.
 */
const END_PROCESSES = `end_processes() {
  while kill -KILL -1 2> /dev/null && is_any_alive; do :; done
}
is_any_alive() {
  for process in /proc/[0-9]*; do
    [ "$process" != /proc/1 ] || continue
    { while read -r key value rest; do
      case $key$value in State:[!ZX]*) return 0 ;; esac
    done < "$process/status"; } 2> /dev/null
  done
  return 1
}
`

/** Removes what lies in a folder, except the jobserver's fifo. */
const EMPTY = `empty() {
  for path in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ "$path" = ${PATHS.jobserver} ]; then continue; fi
    if [ ! -e "$path" ] && [ ! -L "$path" ]; then continue; fi
    rm -rf "$path" 2> /dev/null || { chmod -R u+rwx "$path"; rm -rf "$path"; }
  done
}
`
