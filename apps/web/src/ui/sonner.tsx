import { Toaster as Sonner } from "sonner";

/** For what happened elsewhere; never the only sign of it. */
export function Toaster() {
  return (
    <Sonner
      position="bottom-right"
      offset={36}
      mobileOffset={72}
      gap={8}
      visibleToasts={3}
      style={{ fontFamily: "var(--font-ui)" }}
      toastOptions={{ unstyled: true, classNames: { toast: "toast" } }}
    />
  );
}
