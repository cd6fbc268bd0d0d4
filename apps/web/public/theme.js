// Sets the theme before the first paint; a file of its own so that the page needs no inline script.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("alcove.theme") ?? "system";
  } catch {
    // Storage is closed to this page: the system's theme is as good as any.
  }
  const dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();

// The page's policy forbids eval: zod must not even try, and it looks while the first module loads.
globalThis.__zod_globalConfig = { jitless: true };
