/** The sentence of an event; what stands in backquotes is a name of the machine's. */
export function EventText({ text }: { text: string }) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}
