import { readFile, stat } from "node:fs/promises";
import path from "node:path";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".woff2": "font/woff2",
  ".map": "application/json",
  ".webmanifest": "application/manifest+json",
};

/** What the page may load: itself only. Styles may be inline because editors and terminals set them so. */
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; frame-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/** Serves the built page; every address that is not a file is the page itself, whose router takes over. */
export function createStaticFiles(directory: string) {
  const root = path.resolve(directory);

  const find = async (pathname: string): Promise<string | undefined> => {
    const file = path.join(root, path.posix.normalize(`/${pathname}`));
    if (!file.startsWith(`${root}${path.sep}`)) return undefined;
    const found = await stat(file).catch(() => undefined);
    return found?.isFile() ? file : undefined;
  };

  return async (request: Request): Promise<Response> => {
    const pathname = decoded(new URL(request.url).pathname);
    const asset = pathname.startsWith("/assets/");
    const file =
      (pathname === "/" ? undefined : await find(pathname)) ?? (asset ? undefined : path.join(root, "index.html"));
    if (!file) return new Response("There is no such file.\n", { status: 404 });
    const body = await readFile(file);
    return new Response(request.method === "HEAD" ? null : new Uint8Array(body), {
      headers: {
        "content-type": types[path.extname(file)] ?? "application/octet-stream",
        "cache-control": asset ? "public, max-age=31536000, immutable" : "no-cache",
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
      },
    });
  };
}

function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch (error) {
    if (error instanceof URIError) return "/";
    throw error;
  }
}
