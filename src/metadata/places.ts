/** Forms of a place in a source's `from`, and how the file's name is found in it. */
const FORMS: readonly { readonly form: RegExp; readonly name: (match: RegExpExecArray) => string | undefined }[] = [
  { form: /^debian:[a-z0-9][a-z0-9+.-]*\/([^/\s]+)$/, name: (match) => match[1] },
  { form: /^npm:(?:@[^/@\s]+\/)?([^/@\s]+)@([^/@\s]+)$/, name: (match) => `${match[1] ?? ''}-${match[2] ?? ''}.tgz` },
  { form: /^https?:\/\/\S+$/, name: (match) => nameInAddress(match[0]) },
  { form: /^file:(?:\/\/)?\/(?:.*\/)?([^/]+)$/, name: (match) => match[1] },
]

/** Name of the file at a place: its last component, for npm `NAME-VERSION.tgz`. Undefined when it has none of the known forms. */
export function fileNameOf(place: string): string | undefined {
  for (const { form, name } of FORMS) {
    const match = form.exec(place)
    if (match !== null) return name(match)
  }
  return undefined
}

function nameInAddress(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const last = new URL(address).pathname.split('/').at(-1)
  try {
    return decodeURIComponent(last ?? '') || undefined
  } catch {
    return undefined
  }
}

/** True for a name that a file in the sandbox may have: one component of a path without control characters. */
export function isFileName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !/[/\u0000-\u001f\u007f-\u009f]/.test(name) &&
    Buffer.byteLength(name) <= 255
  )
}

/** True for a folder below another: `.`, or components without `..`, in their shortest form. */
export function isInnerFolder(path: string): boolean {
  return path === '.' || path.split('/').every(isFileName)
}
