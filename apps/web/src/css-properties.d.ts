export type { CSSProperties } from "react";

declare module "react" {
  interface CSSProperties {
    /** Per cent of a meter or ring. */
    "--at"?: number;
  }
}
