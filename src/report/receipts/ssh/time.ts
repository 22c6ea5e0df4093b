const FORM = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/

/**
 * A time as ssh-keygen takes it, `YYYYMMDD[HHMM[SS]][Z]`, in seconds since 1970: local time, or
 * with `Z` UTC. Undefined for another form, and for a day that does not exist.
 */
export function parseTime(text: string): number | undefined {
  const found = FORM.exec(text)
  if (found === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((digits: string | undefined) => Number(digits ?? 0))
  const isUtc = found[7] === 'Z'
  const date = isUtc
    ? new Date(Date.UTC(year, month - 1, day, hour, minute, second))
    : new Date(year, month - 1, day, hour, minute, second)
  const there = isUtc ? date.getUTCDate() : date.getDate()
  const isTime = month >= 1 && month <= 12 && hour < 24 && minute < 60 && second < 60
  return isTime && there === day ? date.getTime() / 1000 : undefined
}
