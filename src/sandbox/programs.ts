/** Folders of the programs that start a sandbox. */
let folders = '/usr/bin:/bin'

export function programFolders(): string {
  return folders
}

/** For a worker, which has no programs of its own: they are in this folder. */
export function bringPrograms(folder: string): void {
  folders = folder
}
