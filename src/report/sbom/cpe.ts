/**
 * A name of CPE 2.3 for `version` of a product. `product` is `PART:VENDOR:PRODUCT`, as recipes
 * state it. NIST IR 7695, section 6.2.
 */
export function cpeName(product: string, version: string): string {
  // What is no letter, digit or one of these signs would mean something else.
  const quoted = version.toLowerCase().replace(/[^a-z0-9._-]/g, (sign) => `\\${sign}`)
  return `cpe:2.3:${product}:${quoted}:*:*:*:*:*:*:*`
}
