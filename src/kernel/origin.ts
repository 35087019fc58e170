/** Whether a text is an origin as browsers send it: scheme, host and a port that isn't the usual one, without anything behind; no pattern. */
export function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text && !text.includes('*')
}
