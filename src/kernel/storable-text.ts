/** What PostgreSQL can keep of a text: scanners and models also write NUL and halves of characters. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}
