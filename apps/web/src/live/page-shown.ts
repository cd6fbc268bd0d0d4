import { watchShown } from "./shown.ts";

export const pageShown = watchShown(document);
