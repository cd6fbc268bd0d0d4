import { expect, test } from "vitest";
import { createChunker } from "./utf8-chunks.ts";

test("text that is cut at any byte comes together again", () => {
  const text = "aé€😀z";
  const bytes = Buffer.from(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const chunker = createChunker();
    const chunks = [chunker.push(bytes.subarray(0, cut)), chunker.push(bytes.subarray(cut)), chunker.end()];
    expect(chunks.map((chunk) => chunk?.data ?? "").join("")).toBe(text);
    expect(chunks.some((chunk) => chunk?.encoding !== undefined)).toBe(false);
  }
});

test("bytes that are no text are base64, also an unfinished end", () => {
  const chunker = createChunker();
  expect(chunker.push(Buffer.from([0xff, 0x41]))).toEqual({ data: "/0E=", encoding: "base64" });
  expect(chunker.push(Buffer.from([0xe2, 0x82]))).toBeNull();
  expect(chunker.end()).toEqual({ data: "4oI=", encoding: "base64" });
});
