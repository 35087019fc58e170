/** Whether whoever asks has what would be sent (RFC 9110, 13.1.2): one of a list, also when somebody on the way has weakened its tag. */
export function hasSeen(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.trim() === '*' || (ifNoneMatch.match(/"[^"]*"/g)?.includes(etag) ?? false)
}
