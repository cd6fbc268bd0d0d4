import { Popover } from "@base-ui/react/popover";
import { Command } from "cmdk";
import { Check, ChevronDown } from "lucide-react";
import { useState, type ReactNode } from "react";
import { matchWords } from "./match-words.ts";

export interface PickOption {
  value: string;
  /** What is searched and read aloud. */
  label: string;
  note?: string;
  mark?: ReactNode;
}

interface PickProps {
  /** What is chosen here, as in "Agent". */
  label: string;
  value: string;
  options: PickOption[];
  onChange: (value: string) => void;
  /** What stands on the closed pick. */
  children: ReactNode;
  className?: string;
  footer?: ReactNode;
}

/** A small choice in a bar: a popover with a list that can be searched when it is long. */
export function Pick({ label, value, options, onChange, children, className = "", footer }: PickProps) {
  const [open, setOpen] = useState(false);
  const current = options.find((option) => option.value === value);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className={`pick ${className}`}>
        <span className="sr">
          {label}
          {current && `: ${current.label}`}
        </span>
        <span className="contents" aria-hidden="true">
          {children}
        </span>
        <ChevronDown className="icon icon--xs" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner className="layer" align="start" sideOffset={6} collisionPadding={8}>
          <Popover.Popup className="menu" aria-label={label}>
            <Command label={label} defaultValue={value} loop filter={matchWords}>
              <Command.Input
                className={options.length > 7 ? "menu__find" : "sr"}
                placeholder={`Search ${label.toLowerCase()}`}
                autoFocus
              />
              <Command.List label={label}>
                <Command.Empty className="menu__label">Nothing of that name</Command.Empty>
                {options.map((option) => (
                  <Command.Item
                    key={option.value}
                    value={option.value}
                    keywords={[option.label]}
                    className="menu__item option"
                    onSelect={() => {
                      setOpen(false);
                      onChange(option.value);
                    }}
                  >
                    {option.mark}
                    <span className="grow">
                      {option.label}
                      {option.note && <small>{option.note}</small>}
                    </span>
                    {option.value === value && <Check className="icon icon--s" />}
                  </Command.Item>
                ))}
              </Command.List>
            </Command>
            {footer}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
