import { Menu } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { Kbd } from "./kbd.tsx";

/** A menu below its trigger. */
export function DropdownMenu({
  trigger,
  children,
  align = "end",
}: {
  trigger: ReactElement<Record<string, unknown>>;
  children: ReactNode;
  align?: "start" | "end";
}) {
  return (
    <Menu.Root>
      <Menu.Trigger render={trigger} />
      <Menu.Portal>
        <Menu.Positioner className="layer" align={align} sideOffset={4} collisionPadding={8}>
          <Menu.Popup className="menu">{children}</Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

export function DropdownMenuItem({
  onSelect,
  danger = false,
  disabled = false,
  shortcut,
  children,
}: {
  onSelect: () => void;
  danger?: boolean;
  disabled?: boolean;
  shortcut?: string;
  children: ReactNode;
}) {
  return (
    <Menu.Item
      className={danger ? "menu__item menu__item--danger" : "menu__item"}
      disabled={disabled}
      onClick={onSelect}
    >
      {children}
      {shortcut && (
        <>
          <span className="grow" />
          <Kbd keys={shortcut} />
        </>
      )}
    </Menu.Item>
  );
}

/** An item that leads to an address. */
export function DropdownMenuLink({
  href,
  download,
  children,
}: {
  href: string;
  download?: boolean;
  children: ReactNode;
}) {
  return (
    <Menu.Item className="menu__item" render={<a href={href} download={download} />}>
      {children}
    </Menu.Item>
  );
}

export function DropdownMenuSeparator() {
  return <Menu.Separator className="menu__line" />;
}
