/** A sentence of the server's; what stands in backquotes is the name of a program or file. */
export function MachineText({ text }: { text: string }) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}
