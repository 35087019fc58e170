/** What nobody sees: with it, or written backwards, a text would look like another. */
const unseen = /[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** Without what nobody sees, composed, in lower case: two texts of which this is the same look the same. */
export function asSeen(text: string): string {
  return composed(text.replaceAll(unseen, ''))
}

/** What can be compared, of a text in which everything is seen; undefined of another. */
export function comparable(text: string): string | undefined {
  return text.search(unseen) < 0 ? composed(text) : undefined
}

const composed = (text: string) => text.trim().normalize('NFC').toLowerCase()
