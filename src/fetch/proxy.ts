import type { RequestOptions } from 'node:http'
import { HttpsProxyAgent } from 'hpagent'
import { getProxyForUrl } from 'proxy-from-env'
import { PlaceFailure } from './failure.ts'

/** Names of this host. What runs here is not asked by way of another machine. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/**
 * The proxy that the variables `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` name for an
 * address, in small letters or in capitals; undefined for none. Fails with PlaceFailure for one
 * that is no HTTP address.
 */
export function proxyFor(url: URL): URL | undefined {
  if (LOOPBACK.test(url.hostname)) return undefined
  const named = getProxyForUrl(url.href)
  if (named === '') return undefined
  const proxy = URL.canParse(named) ? new URL(named) : undefined
  if (proxy === undefined || !['http:', 'https:'].includes(proxy.protocol))
    // It may hold a password.
    throw new PlaceFailure('the proxy that the environment names is no HTTP address')
  return proxy
}

/**
 * What a request for an `http:` address asks the proxy for, in place of the server, and headers of
 * its own.
 */
export function throughProxy(
  url: URL,
  proxy: URL,
): { readonly way: RequestOptions; readonly own: Readonly<Record<string, string>> } {
  const { protocol, host, pathname, search } = url
  return {
    way: {
      protocol: proxy.protocol,
      hostname: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port,
      path: `${protocol}//${host}${pathname}${search}`,
    },
    own: { Host: host, ...credentials('Proxy-Authorization', proxy), ...authorization(url) },
  }
}

/** An agent whose connections to `https:` servers are tunnels through the proxy. */
export function tunnelThrough(proxy: URL, connectMs: number): HttpsProxyAgent {
  return new HttpsProxyAgent({ proxy: proxy.href, timeout: connectMs })
}

/** Node sends these by itself only to the server that it asks. */
function authorization(url: URL): Record<string, string> {
  return credentials('Authorization', url)
}

function credentials(header: string, { username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { [header]: `Basic ${Buffer.from(plain).toString('base64')}` }
}
