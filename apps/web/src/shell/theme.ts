import { useEffect } from "react";
import { useStored } from "./stored.ts";

export type Theme = "system" | "light" | "dark";

/** The chosen theme and its setter; `public/theme.js` applies the same choice before the first paint. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [stored, store] = useStored("theme");
  return [stored === "light" || stored === "dark" ? stored : "system", store];
}

/** Keeps the page in the chosen theme while the system's may change. */
export function useAppliedTheme(): "light" | "dark" {
  const [theme] = useTheme();
  const media = matchMedia("(prefers-color-scheme: dark)");
  const applied = theme === "system" ? (media.matches ? "dark" : "light") : theme;
  useEffect(() => {
    const apply = () => {
      document.documentElement.dataset["theme"] = theme === "system" ? (media.matches ? "dark" : "light") : theme;
    };
    apply();
    media.addEventListener("change", apply);
    return () => media.removeEventListener("change", apply);
  }, [theme, media]);
  return applied;
}
