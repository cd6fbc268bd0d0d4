import { CodedError } from "@alcove/contract/errors";

/** Largest JSON body in bytes; a prompt has at most a million characters. */
const bodyLimit = 8 * 2 ** 20;

export type Fields = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The request's JSON object. Gives `bad_request` and `too_large`. */
export async function readFields(request: Request): Promise<Fields> {
  if (Number(request.headers.get("content-length") ?? 0) > bodyLimit) throw tooLarge();
  const text = await request.text();
  if (text.length > bodyLimit) throw tooLarge();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CodedError("bad_request", "The body is not JSON");
  }
  if (!isRecord(value)) throw new CodedError("bad_request", "The body is not a JSON object");
  return value;
}

function tooLarge(): CodedError {
  return new CodedError("too_large", `The body is larger than ${bodyLimit} bytes`);
}

/** The parsers below give `bad_request` with the field's name. */
function wrong(name: string, expected: string): CodedError {
  return new CodedError("bad_request", `"${name}" is not ${expected}`);
}

export function textField(fields: Fields, name: string, options: { min?: number; max?: number } = {}): string {
  const value = fields[name];
  if (typeof value !== "string") throw wrong(name, "a string");
  if (value.length < (options.min ?? 0) || value.length > (options.max ?? Infinity))
    throw wrong(name, "of a valid length");
  return value;
}

export function optionalText(
  fields: Fields,
  name: string,
  options: { min?: number; max?: number } = {},
): string | undefined {
  return fields[name] === undefined ? undefined : textField(fields, name, options);
}

export function integerField(fields: Fields, name: string, options: { min: number; max: number }): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isInteger(value) || value < options.min || value > options.max) {
    throw wrong(name, `an integer from ${options.min} to ${options.max}`);
  }
  return value;
}

export function optionalBoolean(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (value !== undefined && typeof value !== "boolean") throw wrong(name, "true or false");
  return value;
}

export function textList(
  fields: Fields,
  name: string,
  options: { min: number; max?: number; maxLength?: number },
): string[] {
  const value = fields[name];
  if (!Array.isArray(value) || value.length < options.min || value.length > (options.max ?? Infinity)) {
    throw wrong(name, "a list of a valid length");
  }
  return value.map((item: unknown) => {
    if (typeof item !== "string" || item.length > (options.maxLength ?? Infinity))
      throw wrong(name, "a list of strings");
    return item;
  });
}

export function textMap(fields: Fields, name: string): Record<string, string> {
  const value = fields[name];
  if (!isRecord(value)) throw wrong(name, "an object");
  const result: Record<string, string> = {};
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== "string") throw wrong(`${name}.${key}`, "a string");
    result[key] = item;
  }
  return result;
}
