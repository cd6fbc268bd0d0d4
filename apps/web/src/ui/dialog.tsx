import { AlertDialog as BaseAlert } from "@base-ui/react/alert-dialog";
import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  children: ReactNode;
  className?: string;
}

/** A window over the page; its title is read aloud first. */
export function Dialog({ open, onOpenChange, title, children, className = "" }: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup className={`dialog ${className}`}>
          <Base.Title>{title}</Base.Title>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** A window without a visible head, for the palette. */
export function BareDialog({ open, onOpenChange, title, children }: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Portal>
        <Base.Backdrop className="scrim" />
        <Base.Popup className="dialog dialog--top">
          <Base.Title className="sr">{title}</Base.Title>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** Asks before something that cannot be taken back. The button says what it does. */
export function AlertDialog({
  open,
  onOpenChange,
  title,
  action,
  onConfirm,
  children,
}: DialogProps & { action: string; onConfirm: () => void }) {
  return (
    <BaseAlert.Root open={open} onOpenChange={onOpenChange}>
      <BaseAlert.Portal>
        <BaseAlert.Backdrop className="scrim" />
        <BaseAlert.Popup className="dialog">
          <BaseAlert.Title>{title}</BaseAlert.Title>
          <BaseAlert.Description render={<div className="soft" />}>{children}</BaseAlert.Description>
          <div className="btns">
            <Button onClick={() => onOpenChange(false)}>Cancel</Button>
            <Button
              variant="default"
              onClick={() => {
                onOpenChange(false);
                onConfirm();
              }}
            >
              <span className="cut">{action}</span>
            </Button>
          </div>
        </BaseAlert.Popup>
      </BaseAlert.Portal>
    </BaseAlert.Root>
  );
}
