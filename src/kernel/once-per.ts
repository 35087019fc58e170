/** A function whose answer for an object never changes: it is worked out once for each, and forgotten with it. */
export function oncePer<K extends WeakKey, V>(derive: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>()
  return key => {
    const found = known.get(key)
    if (found !== undefined || known.has(key)) return found as V
    const made = derive(key)
    known.set(key, made)
    return made
  }
}
