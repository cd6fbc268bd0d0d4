/** A request in any of the three protocols, reduced to what the model decides by. */
export interface ModelRequest {
  readonly model: string;
  readonly stream: boolean;
  /** Text of everything that is in front of the conversation. */
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
  /** JSON schema that the answer must follow, where one is asked for. */
  readonly schema: unknown;
}

export interface Message {
  readonly role: "user" | "assistant";
  readonly text: string;
  readonly toolCalls: number;
  readonly toolResults: readonly string[];
}

export interface Tool {
  readonly name: string;
  /** `freeform` takes plain text instead of JSON. */
  readonly kind: "function" | "freeform";
  readonly properties: Readonly<Record<string, unknown>>;
}

export type Json = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function records(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value))
    return value
      .map(textOf)
      .filter((text) => text !== "")
      .join("\n");
  if (!isRecord(value)) return "";
  return textOf(value["text"] ?? value["content"] ?? value["output"] ?? "");
}

export function propertiesOf(schema: unknown): Json {
  return isRecord(schema) && isRecord(schema["properties"]) ? schema["properties"] : {};
}
