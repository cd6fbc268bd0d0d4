import path from "node:path";

const types: Record<string, string> = {
  ".md": "text/markdown; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".htm": "text/html; charset=utf-8",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".svg": "image/svg+xml",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".mp3": "audio/mpeg",
  ".wav": "audio/wav",
};

/** Types that a page may show as they are; everything else is handed over as plain bytes. */
export function contentHeaders(
  file: string,
  { size, download }: { size: number | null; download: boolean },
): Record<string, string> {
  const name = path.basename(file);
  return {
    "content-type": types[path.extname(name).toLowerCase()] ?? "application/octet-stream",
    "cache-control": "private, no-cache",
    // Files come from agents: a page among them must not act as a page of this server.
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:",
    ...(size === null ? {} : { "content-length": String(size) }),
    ...(download ? { "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}` } : {}),
  };
}
