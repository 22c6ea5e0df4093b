import { Header, type HeaderData } from 'tar/header'

/** An entry of a tar as a stranger would make it; the fields are those of its header. */
export type HandMade = HeaderData & { readonly data?: string }

/** A tar of any entries, as they are: nothing about them is checked. */
export function tarOf(entries: readonly HandMade[]): Buffer {
  const blocks = entries.flatMap(({ data = '', ...fields }) => {
    const header = Buffer.alloc(512)
    new Header({
      type: 'File',
      mode: 0o755,
      mtime: new Date(0),
      size: Buffer.byteLength(data),
      ...fields,
    }).encode(header)
    const content = Buffer.from(data)
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}
