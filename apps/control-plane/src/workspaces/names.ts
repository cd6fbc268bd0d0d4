import { randomInt } from "node:crypto";

const qualities = ["amber", "brisk", "calm", "clear", "cosy", "deep", "early", "fair", "fine", "fresh", "gentle", "golden", "green", "keen", "light", "lively", "lucid", "mellow", "mild", "neat", "quiet", "rapid", "rosy", "sage", "sharp", "still", "sunny", "swift", "tidy", "warm"] as const;
const places = ["alcove", "arbor", "atrium", "bay", "cabin", "cove", "den", "garden", "grove", "harbor", "haven", "hollow", "loft", "mill", "nook", "orchard", "pantry", "parlor", "pavilion", "porch", "quarry", "shed", "studio", "terrace", "vault", "veranda", "workshop", "yard"] as const;

/** A friendly name for a new workspace; not unique by itself. */
export function suggestName(): string {
  return `${qualities[randomInt(qualities.length)]}-${places[randomInt(places.length)]}-${randomInt(10, 100)}`;
}
