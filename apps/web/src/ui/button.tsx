import type { ComponentProps, ReactNode } from "react";
import { Tooltip } from "./tooltip.tsx";

export interface ButtonLook {
  /** `default` is the one thing that the view is for; `outline` everything else; `ghost` what is there on second sight. */
  variant?: "default" | "outline" | "ghost";
  size?: "default" | "sm" | "lg" | "icon" | "icon-sm";
  round?: boolean;
}

/** The classes of a button, for links that look like one. */
export function buttonClass({ variant = "outline", size = "default", round = false }: ButtonLook, more = ""): string {
  return [
    "btn",
    variant === "default" ? "btn--go" : "",
    variant === "ghost" ? "btn--bare" : "",
    size === "sm" || size === "icon-sm" ? "btn--s" : "",
    size === "lg" ? "btn--l" : "",
    size === "icon" || size === "icon-sm" ? "btn--icon" : "",
    round ? "btn--round" : "",
    more,
  ]
    .filter(Boolean)
    .join(" ");
}

export function Button({
  variant,
  size,
  round,
  className,
  type = "button",
  ...rest
}: ComponentProps<"button"> & ButtonLook) {
  return <button type={type} className={buttonClass({ variant, size, round }, className)} {...rest} />;
}

/** A button that is only a picture: its name is read aloud and shown as a tooltip with its shortcut. */
export function IconButton({
  label,
  shortcut,
  size = "icon-sm",
  variant = "ghost",
  children,
  ...rest
}: Omit<ComponentProps<"button">, "aria-label"> &
  ButtonLook & { label: string; shortcut?: string; children: ReactNode }) {
  return (
    <Tooltip label={label} shortcut={shortcut}>
      <Button variant={variant} size={size} aria-label={label} {...rest}>
        {children}
      </Button>
    </Tooltip>
  );
}
